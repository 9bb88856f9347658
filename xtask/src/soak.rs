//! `cargo xtask soak`: all tests with longer sweeps.

use crate::test;
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    test::Test::SOAK.run()
}
