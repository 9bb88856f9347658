//! `cargo xtask within COMMAND…`: a command in a private namespace like the one of the tests, without network.

use crate::shell;
use anyhow::{Context as _, Result};
use std::ffi::OsString;
use std::process::Command;

/// Arguments of `within`.
#[derive(Debug, clap::Args)]
pub(crate) struct Within {
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

impl Within {
    pub(crate) fn run(&self) -> Result<()> {
        namespace(|inner| {
            inner.args(&self.command);
            shell::quiet(inner)
        })
    }
}

/// Lets `start` run its command in a new private namespace whose labs disappear afterwards.
pub(crate) fn namespace(start: impl FnOnce(&mut Command) -> Result<()>) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("dns01-")
        .tempdir()
        .context("could not make a folder for the labs")?;
    let mut inner = harness::private_namespace(folder.path());
    inner.current_dir(shell::root());
    let done = start(&mut inner);
    harness::remove_control_groups(folder.path());
    done
}
