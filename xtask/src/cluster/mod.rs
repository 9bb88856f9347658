//! `cargo xtask cluster`: the cluster of the tests, kept running for people.
//!
//! It lives in a private namespace. A process outside of it, the keeper, holds it and forwards a port of this machine's
//! loopback to its API server; when the keeper dies, all of it is gone.

mod forward;
mod keeper;

use crate::{image, setup, shell};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Arguments of `cluster`.
#[derive(Debug, clap::Args)]
pub(crate) struct Cluster {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Install what it needs, build the image, start it
    Up,
    /// End it; nothing stays behind
    Down,
    /// Print the path of its kubeconfig
    Kubeconfig,
    /// Load an image archive into its node
    LoadImage(LoadImage),
    /// Hold it: what `up` leaves running
    #[command(hide = true)]
    Keep,
    /// Start it in this namespace
    #[command(hide = true)]
    Serve,
}

/// Arguments of `cluster load-image`.
#[derive(Debug, clap::Args)]
struct LoadImage {
    /// The archive; without one, the image of `cargo xtask image`
    archive: Option<PathBuf>,
    /// The name that pods call it by; docker's archives bring it
    #[arg(long)]
    name: Option<String>,
}

impl Cluster {
    pub(crate) fn run(&self) -> Result<()> {
        match &self.verb {
            Verb::Up => up(),
            Verb::Down => down(),
            Verb::Kubeconfig => {
                ensure!(keeper().is_some(), "no cluster runs: cargo xtask cluster up");
                println!("{}", state("kubeconfig").display());
                Ok(())
            }
            Verb::LoadImage(verb) => verb.run(),
            Verb::Keep => keeper::keep(),
            Verb::Serve => keeper::serve(),
        }
    }
}

fn up() -> Result<()> {
    if keeper().is_some() {
        bail!("a cluster runs already; its kubeconfig is {}", state("kubeconfig").display());
    }
    setup::Setup::default().run()?;
    if !harness::image_archive().is_file() {
        image::Image::default().run()?;
    }
    let start = Instant::now();
    let folder = shell::root().join(".cluster");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder)?;
    let log = File::create(state("log"))?;
    let mut keeper = Command::new(std::env::current_exe()?);
    keeper.args(["cluster", "keep"]).stdin(Stdio::null());
    keeper.stdout(log.try_clone()?).stderr(log).process_group(0);
    let mut keeper = keeper.spawn().context("could not start the cluster's keeper")?;
    while !state("kubeconfig").exists() {
        if let Some(status) = keeper.try_wait()? {
            let log = fs::read_to_string(state("log")).unwrap_or_default();
            bail!("the cluster did not start ({status}):\n{log}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    println!("The cluster is up after {:.0} s.", start.elapsed().as_secs_f32());
    println!("  export KUBECONFIG={}", state("kubeconfig").display());
    println!(
        "  export PATH={}:$PATH    # kubectl, helm",
        harness::tools_dir().join("bin").display()
    );
    println!("Stop it with `cargo xtask cluster down`.");
    Ok(())
}

fn down() -> Result<()> {
    let keeper = keeper().context("no cluster runs")?;
    let folder = fs::read_to_string(state("folder"))?;
    shell::quiet(Command::new("kill").args(["-9", &keeper]))?;
    while Path::new("/proc").join(&keeper).exists() {
        thread::sleep(Duration::from_millis(20));
    }
    harness::remove_control_groups(Path::new(&folder));
    fs::remove_dir_all(&folder).ok();
    Ok(fs::remove_dir_all(shell::root().join(".cluster"))?)
}

impl LoadImage {
    fn run(&self) -> Result<()> {
        ensure!(keeper().is_some(), "no cluster runs: cargo xtask cluster up");
        let (archive, name) = match &self.archive {
            Some(archive) => (archive.clone(), self.name.as_deref()),
            None => (harness::image_archive(), Some(harness::IMAGE)),
        };
        let archive = fs::canonicalize(&archive)
            .with_context(|| format!("no archive {}", archive.display()))?;
        let socket = fs::read_to_string(state("containerd"))?;
        let inside = fs::read_to_string(state("inside"))?;
        let mut ctr = Command::new("nsenter");
        ctr.args(["--mount", "--target", &inside, "ctr", "--address", &socket]);
        ctr.args(["--namespace", "k8s.io", "images", "import"]);
        ctr.args(name.iter().flat_map(|name| ["--index-name", name])).arg(archive);
        shell::run(&mut ctr)
    }
}

/// The process id of the keeper, if it lives.
fn keeper() -> Option<String> {
    let pid = fs::read_to_string(state("keeper")).ok()?;
    let command = fs::read_to_string(Path::new("/proc").join(&pid).join("cmdline")).ok()?;
    command.contains("keep").then_some(pid)
}

/// A file with something about the running cluster.
fn state(name: &str) -> PathBuf {
    shell::root().join(".cluster").join(name)
}
