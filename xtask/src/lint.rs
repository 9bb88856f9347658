//! `cargo xtask lint`: format and lints, as CI demands them: of Rust, and of all YAML that Argo is to take.

pub(crate) mod argo;
mod blocks;

use crate::shell;
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    rust()?;
    argo::run()
}

/// The part that needs nothing but the toolchain.
pub(crate) fn rust() -> Result<()> {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))?;
    shell::run(shell::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}
