//! All automation of the repository: `cargo xtask VERB`, one file per verb. `cargo xtask help` lists them.
//!
//! It never holds what a verb tests or builds: it installs, starts and calls.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for people at a terminal"
)]

mod bench;
mod cluster;
mod codegen;
mod demo;
mod deny;
mod image;
mod lint;
mod quick;
mod servers;
mod setup;
mod shell;
mod soak;
mod stage;
mod test;
mod within;

use clap::Parser;
use std::process::ExitCode;

/// Automation of the dns01 repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Verb {
    /// Measure dns01 beside its peers, and write docs/performance.md
    Bench(bench::Bench),
    /// Start or stop a real one-node Kubernetes with Argo, here and without Docker
    Cluster(cluster::Cluster),
    /// Write the generated reference pages anew
    Codegen,
    /// Issue a certificate from a real CA over real name servers, all on this machine
    Demo(demo::Demo),
    /// Check licenses, sources and who may import what
    Deny,
    /// Build the container image
    Image(image::Image),
    /// Check format and lints
    Lint,
    /// Run the tests that need no server: the inner loop
    Quick(quick::Quick),
    /// Start the demo's servers and a shell beside them
    Servers(servers::Servers),
    /// Install what tests and demo need (idempotent)
    Setup(setup::Setup),
    /// Run everything, with longer sweeps
    Soak,
    /// Install what is missing, check format and lints, run all tests
    Test(test::Test),
    /// Run any command in the private namespace of the tests
    Within(within::Within),
}

fn main() -> ExitCode {
    let done = match Verb::parse() {
        Verb::Bench(verb) => verb.run(),
        Verb::Cluster(verb) => verb.run(),
        Verb::Codegen => codegen::run(),
        Verb::Demo(verb) => verb.run(),
        Verb::Deny => deny::run(),
        Verb::Image(verb) => verb.run(),
        Verb::Lint => lint::run(),
        Verb::Quick(verb) => verb.run(),
        Verb::Servers(verb) => verb.run(),
        Verb::Setup(verb) => verb.run(),
        Verb::Soak => soak::run(),
        Verb::Test(verb) => verb.run(),
        Verb::Within(verb) => verb.run(),
    };
    done.map_or_else(
        |error| {
            let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
            eprintln!("error: {}", causes.join(": "));
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
