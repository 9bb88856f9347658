//! `cargo xtask lint`: format and lints, as CI demands them: of Rust, and of all YAML that Argo is to take.

pub(crate) mod argo;
mod blocks;

use crate::shell;
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    format()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    shell::run(shell::cargo().args(clippy))?;
    argo::run()
}

/// The format alone: the tests' build lints by itself.
pub(crate) fn format() -> Result<()> {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
}
