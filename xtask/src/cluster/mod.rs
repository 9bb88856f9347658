//! `cargo xtask cluster`: the cluster of the tests, kept running for people.
//!
//! It lives in a private namespace. A process outside of it, the keeper, holds it and forwards a port of this machine's
//! loopback to its API server; when the keeper dies, all of it is gone.

mod forward;
mod keeper;

use crate::{image, setup, shell};
use anyhow::{Context as _, Result, bail};
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
    /// Where it is written down; another place for another cluster
    #[arg(long, default_value = ".cluster", global = true)]
    at: PathBuf,
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
        let place = Place(std::path::absolute(shell::root().join(&self.at))?);
        match &self.verb {
            Verb::Up => place.up(),
            Verb::Down => place.down(),
            Verb::Kubeconfig => {
                place.running()?;
                println!("{}", place.file("kubeconfig").display());
                Ok(())
            }
            Verb::LoadImage(image) => place.load_image(image),
            Verb::Keep => keeper::keep(&place),
            Verb::Serve => keeper::serve(),
        }
    }
}

/// The folder with what is known of a running cluster.
struct Place(PathBuf);

impl Place {
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> Result<String> {
        let file = self.file(name);
        fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))
    }

    /// The process id of the keeper, which lives.
    fn running(&self) -> Result<String> {
        let alive = |pid: &String| {
            let command = Path::new("/proc").join(pid).join("cmdline");
            fs::read_to_string(command).is_ok_and(|command| command.contains("keep"))
        };
        let keeper = self.read("keeper").ok().filter(alive);
        keeper.context("no cluster runs: start it with `cargo xtask cluster up`")
    }

    fn up(&self) -> Result<()> {
        let kubeconfig = self.file("kubeconfig");
        if self.running().is_ok() {
            bail!("a cluster runs already; its kubeconfig is {}", kubeconfig.display());
        }
        setup::Setup::default().run()?;
        if !harness::image_archive().is_file() {
            image::Image::default().run()?;
        }
        let start = Instant::now();
        fs::remove_dir_all(&self.0).ok();
        fs::create_dir_all(&self.0)?;
        let log = File::create(self.file("log"))?;
        let mut keeper = Command::new(std::env::current_exe()?);
        keeper.args(["cluster", "keep", "--at"]).arg(&self.0).stdin(Stdio::null());
        keeper.stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut keeper = keeper.spawn().context("could not start the cluster's keeper")?;
        while !kubeconfig.exists() {
            if let Some(status) = keeper.try_wait()? {
                bail!("the cluster did not start ({status}):\n{}", self.read("log")?);
            }
            thread::sleep(Duration::from_millis(50));
        }
        let bin = harness::tools_dir().join("bin");
        println!("The cluster is up after {:.0} s.", start.elapsed().as_secs_f32());
        println!("  export KUBECONFIG={}", kubeconfig.display());
        println!("  export PATH={}:$PATH    # kubectl, helm", bin.display());
        println!("Stop it with `cargo xtask cluster down`.");
        Ok(())
    }

    fn down(&self) -> Result<()> {
        let keeper = self.running()?;
        let folder = PathBuf::from(self.read("folder")?);
        shell::quiet(Command::new("kill").args(["-9", &keeper]))?;
        // The namespace's first process goes when all others have gone.
        let inside = Path::new("/proc").join(self.read("inside")?);
        while inside.exists() {
            thread::sleep(Duration::from_millis(20));
        }
        harness::remove_control_groups(&folder);
        fs::remove_dir_all(&folder).ok();
        Ok(fs::remove_dir_all(&self.0)?)
    }

    fn load_image(&self, image: &LoadImage) -> Result<()> {
        self.running()?;
        let (archive, name) = match &image.archive {
            Some(archive) => (archive.clone(), image.name.as_deref()),
            None => (harness::image_archive(), Some(harness::IMAGE)),
        };
        let archive = fs::canonicalize(&archive)
            .with_context(|| format!("no archive {}", archive.display()))?;
        let (socket, inside) = (self.read("containerd")?, self.read("inside")?);
        let mut ctr = Command::new("nsenter");
        ctr.args(["--mount", "--target", &inside, "ctr", "--address", &socket]);
        ctr.args(["--namespace", "k8s.io", "images", "import"]);
        ctr.args(name.iter().flat_map(|name| ["--index-name", name])).arg(archive);
        shell::run(&mut ctr)
    }
}
