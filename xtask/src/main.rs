//! All automation of the repository: `cargo xtask VERB`, one file per verb. `cargo xtask help` lists them.
//!
//! It never holds what a verb tests or builds: it installs, starts and calls.

mod setup;
mod shell;
mod within;

use clap::Parser;

/// Automation of the dns01 repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = false)]
enum Verb {
    /// Install what tests and demo need (idempotent)
    Setup(setup::Setup),
    /// Run any command in the private namespace of the tests
    Within(within::Within),
}

fn main() -> anyhow::Result<()> {
    match Verb::parse() {
        Verb::Setup(verb) => verb.run(),
        Verb::Within(verb) => verb.run(),
    }
}
