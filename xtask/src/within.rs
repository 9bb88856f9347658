//! `cargo xtask within COMMAND…`: a command in a private namespace like the one of the tests, without network.

use crate::shell;
use anyhow::{Context as _, Result};
use harness::Network;
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
        namespace(Network::Own, |inner| shell::quiet(inner.args(&self.command)))
    }
}

/// Lets `start` run its command in a new private namespace whose labs disappear afterwards.
pub(crate) fn namespace(
    network: Network,
    start: impl FnOnce(&mut Command) -> Result<()>,
) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("dns01-")
        .tempdir()
        .context("could not make a folder for the labs")?;
    let mut inner = harness::private_namespace(folder.path(), network);
    inner.current_dir(shell::root());
    let done = start(&mut inner);
    harness::remove_control_groups(folder.path());
    done
}
