//! Every step in one binary, chosen by the name it is called with or by its first argument; and the commands for
//! people: the whole flow in one process, and what goes with it.

mod deploy_hook;
mod flow;
mod issue;
mod progress;
mod report;

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use dns01_step::Entry;

/// The steps, in the order a workflow runs them.
pub const STEPS: &[Entry] = &[
    Entry::of::<renew_check::RenewCheck>(),
    Entry::of::<order::Order>(),
    Entry::of::<present::Present>(),
    Entry::of::<wait_propagation::WaitPropagation>(),
    Entry::of::<certbot_issue::CertbotIssue>(),
    Entry::of::<store_secret::StoreSecret>(),
    Entry::of::<cleanup::Cleanup>(),
];

/// The commands for people.
pub const COMMANDS: &[Entry] = &[Entry::of::<issue::IssueCommand>()];

/// Runs what `argv[0]` names, or else the first argument.
pub fn main() -> ExitCode {
    let mut args: Vec<OsString> = env::args_os().collect();
    if entry(args.first()).is_none() && !args.is_empty() {
        args.remove(0);
    }
    match entry(args.first()) {
        Some(step) => step.main(args),
        None => ExitCode::from(dns01_core::Exit::Usage.code()),
    }
}

fn entry(arg: Option<&OsString>) -> Option<&'static Entry> {
    let name = Path::new(arg?).file_name()?;
    STEPS.iter().chain(COMMANDS).find(|step| step.name == name)
}
