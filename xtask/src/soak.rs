//! `cargo xtask soak`: all tests with longer sweeps, then what else takes long.

use crate::{deny, test};
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    test::Test::SOAK.run()?;
    deny::run()
}
