//! `cargo xtask test`: everything that fits fifty minutes on two cores, from a fresh clone on.

use crate::within::namespace;
use crate::{deny, image, lint, setup, shell};
use anyhow::{Result, anyhow, ensure};
use harness::Network;
use std::thread;

/// What all test verbs build, so that they share the result: the fail points are where the kill sweep strikes.
pub(crate) const WHAT: [&str; 3] = ["--workspace", "--features", "dns01-core/fail-points"];

/// What compiles them: rustc with clippy's lints, so that one pass builds and lints. A plain `cargo clippy` would go over
/// every dependency once more, for minutes.
const COMPILER: [(&str, &str); 2] =
    [("RUSTC_WORKSPACE_WRAPPER", "clippy-driver"), ("CLIPPY_ARGS", "-Dwarnings")];

/// How many tests run at once: they wait for servers more than they compute, and for pods still more.
const THREADS: &str = "6";
const CLUSTER_THREADS: &str = "8";

/// The tests that share a cluster: they have the two cores for themselves.
const CLUSTER: [&str; 2] = ["cluster::", "chart::page"];

/// Those among them that start so many Workflows at once that the others would wait for them.
const CLUSTER_FULL: &str = "cluster::situations";

/// The one that has a cluster come and go, and looks at what else changes meanwhile.
const CLUSTER_DOWN: &str = "cluster_down::";

/// Those that run on the older Argo too.
const OLDER: [&str; 2] = ["cluster::whole", "cluster::situations"];

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Only tests whose name contains one of these; skips set-up and lints
    filters: Vec<String>,
    /// Longer sweeps
    #[arg(long)]
    soak: bool,
    /// Leave out the tests on the cluster, which need root
    #[arg(long)]
    no_cluster: bool,
}

impl Test {
    /// All tests with longer sweeps.
    pub(crate) const SOAK: Self = Self { filters: Vec::new(), soak: true, no_cluster: false };

    pub(crate) fn run(&self) -> Result<()> {
        if !self.filters.is_empty() {
            build()?;
            return self.inside(network(), THREADS, &self.filters);
        }
        self.prepare()?;
        let apart = CLUSTER.into_iter().chain([CLUSTER_DOWN]);
        let without: Vec<_> =
            apart.flat_map(|tests| ["--skip", tests]).map(ToOwned::to_owned).collect();
        self.inside(Network::Own, THREADS, &without)?;
        if self.no_cluster {
            return Ok(());
        }
        self.inside(Network::Own, THREADS, &[CLUSTER_DOWN.to_owned()])?;
        let others = [CLUSTER[0], CLUSTER[1], "--skip", CLUSTER_FULL];
        self.inside(network(), CLUSTER_THREADS, &others.map(ToOwned::to_owned))?;
        self.inside(network(), CLUSTER_THREADS, &[CLUSTER_FULL.to_owned()])?;
        if self.soak && network() == Network::Own {
            // The main path on the older Argo, in a cluster that has its definitions.
            let older = [("DNS01_E2E_ARGO", "3.7")];
            return self.inside_with(
                Network::Own,
                CLUSTER_THREADS,
                &OLDER.map(ToOwned::to_owned),
                &older,
            );
        }
        Ok(())
    }

    /// Installs and builds all that the tests run, and lints.
    fn prepare(&self) -> Result<()> {
        ensure!(
            self.no_cluster || rustix::process::geteuid().is_root(),
            "a kubelet needs root: run this as root, or leave its tests out with `cargo xtask test --no-cluster`"
        );
        let setup = if self.soak { setup::Setup::SOAK } else { setup::Setup::default() };
        setup.system()?;
        // The image's link keeps one core only, for minutes: meanwhile the tools fill the other.
        thread::scope(|both| {
            let tools = both.spawn(|| setup.tools());
            let image = lint::format().and_then(|()| image::Image::default().run());
            let ours = image.and_then(|()| build()).and_then(|()| deny::run());
            tools.join().map_err(|_| anyhow!("installing the tools panicked"))?.and(ours)
        })?;
        lint::argo::run()
    }

    fn inside(&self, network: Network, threads: &str, which: &[String]) -> Result<()> {
        self.inside_with(network, threads, which, &[])
    }

    fn inside_with(
        &self,
        network: Network,
        threads: &str,
        which: &[String],
        env: &[(&str, &str)],
    ) -> Result<()> {
        let cargo = shell::cargo();
        namespace(network, |inner| {
            inner
                .arg(cargo.get_program())
                .args(["test", "--offline"])
                .args(WHAT)
                .args(["--", "--include-ignored"])
                .args(which);
            let defaults = [("RUST_TEST_THREADS", threads), ("INSTA_UPDATE", "no")];
            inner.envs(defaults.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()));
            inner.envs(COMPILER).envs(env.iter().copied());
            if self.soak {
                inner.env("DNS01_SOAK", "1");
            } else if self.filters.is_empty() {
                // Its image takes a minute to make.
                inner.args(["--skip", "cluster::certbot"]);
            }
            shell::run(inner)
        })
    }
}

/// Builds all that the tests run: in the namespace there is no network.
fn build() -> Result<()> {
    shell::run(shell::cargo().envs(COMPILER).arg("build").args(WHAT).arg("--bins"))?;
    shell::run(shell::cargo().envs(COMPILER).arg("test").args(WHAT).arg("--no-run"))
}

/// A cluster of the user's reaches the servers of the tests on the machine's own network.
fn network() -> Network {
    match std::env::var_os("DNS01_E2E_KUBECONFIG") {
        Some(_) => Network::Machines,
        None => Network::Own,
    }
}
