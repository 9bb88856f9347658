//! Every step in one binary, chosen by the name it is called with or by its first argument; and the commands for
//! people: the whole flow in one process, and what goes with it.

mod about;
mod deploy_hook;
mod flow;
mod install;
mod issue;
mod list;
mod progress;
mod renew;
mod report;
mod timer;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::Command;
use dns01_core::Exit;
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
pub const COMMANDS: &[Entry] = &[
    Entry::of::<issue::IssueCommand>(),
    Entry::of::<renew::Renew>(),
    Entry::of::<list::List>(),
    Entry::of::<timer::Timer>(),
    Entry::of::<about::Providers>(),
    Entry::of::<about::Completions>(),
    Entry::of::<certbot_issue::CertbotHook>(),
    Entry::of::<install::Install>(),
    Entry::of::<about::Version>(),
];

/// Other names: the task in the workflow is called `issue`, and what it does is to finalize.
const ALIASES: &[(&str, &str)] = &[("finalize", "certbot-issue")];

/// Runs what `argv[0]` names, or else the first argument.
pub fn main() -> ExitCode {
    let mut args: Vec<OsString> = env::args_os().collect();
    if let Some(step) = args.first().and_then(|name| entry(name)) {
        return step.main(args);
    }
    if let Some(chosen) = args.get(1).and_then(|name| entry(name)) {
        args.remove(0);
        return chosen.main(args);
    }
    help(&args)
}

fn entry(name: &OsStr) -> Option<&'static Entry> {
    let name = Path::new(name).file_name()?;
    let name =
        ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, real)| OsStr::new(real));
    COMMANDS.iter().chain(STEPS).find(|step| step.name == name)
}

/// The whole command line, for help and completion.
fn command() -> Command {
    Command::new("dns01")
        .about("Gets, renews and delivers TLS certificates by ACME DNS-01, step by step or all at once")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(COMMANDS.iter().chain(STEPS).map(Entry::command))
}

/// `--help`, `--version`, or a word that is no command.
fn help(args: &[OsString]) -> ExitCode {
    match command().try_get_matches_from(args) {
        // Every subcommand was dispatched before; only an option before it leads here.
        Ok(_) => ExitCode::from(Exit::Usage.code()),
        Err(error) => {
            // Nothing can be done for a reader who has gone.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(Exit::Usage.code()) } else { ExitCode::SUCCESS }
        }
    }
}
