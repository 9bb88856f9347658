//! `cargo xtask quick`: the tests that need no server, without lints: seconds when warm.

use crate::{shell, test};
use anyhow::Result;

/// Arguments of `quick`.
#[derive(Debug, clap::Args)]
pub(crate) struct Quick {
    /// Only tests whose name contains this
    filter: Option<String>,
}

impl Quick {
    pub(crate) fn run(&self) -> Result<()> {
        shell::run(
            shell::cargo()
                .arg("test")
                .args(test::WHAT)
                .args(["--lib", "--bins", "--tests", "--"])
                .args(&self.filter),
        )
    }
}
