//! `cargo xtask setup`
use anyhow::Result;

/// Arguments of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Setup {}

impl Setup {
    pub(crate) fn run(&self) -> Result<()> {
        Ok(())
    }
}
