//! The `certbot-issue` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<certbot_issue::CertbotIssue>().main(std::env::args_os())
}
