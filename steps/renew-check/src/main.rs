//! The `renew-check` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<renew_check::RenewCheck>().main(std::env::args_os())
}
