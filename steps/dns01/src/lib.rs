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
        args.drain(..2);
        args.insert(0, format!("dns01 {}", chosen.name).into());
        return chosen.main(args);
    }
    if dns01_step::tell_version("dns01", &args) {
        return ExitCode::SUCCESS;
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

/// The command line of a command about one certificate, which people call by `--name`.
fn named(command: Command) -> Command {
    unburdened(command).mut_arg("certificate", |arg| {
        arg.alias(None::<&str>)
            .long("name")
            .aliases(["certificate", "cert-name"])
            .help("Name of the certificate: a DNS-1123 label; else the first domain without `*.`, dots as hyphens")
    })
}

/// Without the common flags that say nothing to a command which is no step of a workflow.
fn unburdened(command: Command) -> Command {
    hiding(command, &["run_id", "outputs", "traceparent"])
}

/// The same for a command that reads no definition either.
fn plain(command: Command) -> Command {
    let command = unburdened(command);
    hiding(command, &["certificate", "config", "quiet", "progress", "explain_config"])
}

fn hiding(command: Command, ids: &[&'static str]) -> Command {
    ids.iter().fold(command, |command, id| command.mut_arg(*id, |arg| arg.hide(true)))
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
