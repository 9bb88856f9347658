//! The `certbot-issue` step as a binary of its own; it is also the hook of the certbot that it starts.

use std::process::ExitCode;

use dns01_step::Entry;

fn main() -> ExitCode {
    let mut args: Vec<_> = std::env::args_os().collect();
    let hook = Entry::of::<certbot_issue::CertbotHook>();
    if args.get(1).is_some_and(|first| first == hook.name) {
        args.remove(0);
        return hook.main(args);
    }
    Entry::of::<certbot_issue::CertbotIssue>().main(args)
}
