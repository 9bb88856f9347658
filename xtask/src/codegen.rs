//! `cargo xtask codegen`: writes generated pages, schemas and the chart's copies anew. The tests that hold them do the writing.

use crate::shell;
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    shell::run(shell::cargo().env("DNS01_BLESS", "1").args([
        "test",
        "-p",
        "tests",
        "-p",
        "dns01-step",
        "-p",
        "dns01-lookup",
        "--",
        "reference",
        "schema",
        "simulation",
        "chart::generated",
    ]))
}
