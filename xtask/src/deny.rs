//! `cargo xtask deny`: licenses, sources, and which room may import which crate.

use crate::shell;
use anyhow::Result;
use std::process::Command;

const VERSION: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
    let tools = harness::tools_dir();
    let program = tools.join("bin/cargo-deny");
    let installed = shell::output(Command::new(&program).arg("--version"))
        .is_some_and(|version| version.contains(VERSION));
    if !installed {
        let mut install = shell::cargo();
        // It runs for a second: an optimized build would take longer than it ever saves.
        install
            .args(["install", "cargo-deny", "--debug", "--locked", "--version", VERSION, "--root"])
            .arg(&tools)
            .env("CARGO_PROFILE_DEV_DEBUG", "false");
        shell::run(&mut install)?;
    }
    // Advisories need a database from the network, and change without a commit of ours: not a gate.
    shell::run(
        Command::new(program)
            .args(["check", "bans", "licenses", "sources"])
            .current_dir(shell::root()),
    )
}
