//! `cargo xtask test`: everything that fits fifty minutes on two cores, from a fresh clone on.

use crate::within::namespace;
use crate::{deny, image, lint, setup, shell};
use anyhow::Result;

/// What all test verbs build, so that they share the result: the fail points are where the kill sweep strikes.
pub(crate) const WHAT: [&str; 3] = ["--workspace", "--features", "dns01-core/fail-points"];

/// How many tests run at once: they wait for servers more than they compute.
const THREADS: &str = "6";

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Only tests whose name contains one of these; skips set-up and lints
    filters: Vec<String>,
    /// Longer sweeps
    #[arg(long)]
    soak: bool,
}

impl Test {
    /// All tests with longer sweeps.
    pub(crate) const SOAK: Self = Self { filters: Vec::new(), soak: true };

    pub(crate) fn run(&self) -> Result<()> {
        if self.filters.is_empty() {
            if self.soak { setup::Setup::SOAK } else { setup::Setup::default() }.run()?;
            lint::run()?;
            deny::run()?;
        }
        if self.soak {
            image::Image::default().run()?;
        }
        // The namespace has no network: everything is built before it is entered.
        shell::run(shell::cargo().arg("build").args(WHAT).arg("--bins"))?;
        shell::run(shell::cargo().arg("test").args(WHAT).arg("--no-run"))?;
        let cargo = shell::cargo();
        namespace(|inner| {
            inner
                .arg(cargo.get_program())
                .args(["test", "--offline"])
                .args(WHAT)
                .args(["--", "--include-ignored"])
                .args(&self.filters);
            let defaults = [("RUST_TEST_THREADS", THREADS), ("INSTA_UPDATE", "no")];
            inner.envs(defaults.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()));
            if self.soak {
                inner.env("DNS01_SOAK", "1");
            } else if self.filters.is_empty() {
                // The image takes minutes of its own.
                inner.args(["--skip", "image::built"]);
            }
            shell::run(inner)
        })
    }
}
