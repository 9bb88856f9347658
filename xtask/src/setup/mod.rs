//! `cargo xtask setup`: everything that tests and demo need and a Rust toolchain does not bring. Running it again costs nothing.

mod apt;
mod certbot;
mod debian;
mod go;
mod modules;
pub(crate) mod peers;

use crate::shell;
use crate::within::namespace;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Arguments of `setup`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Setup {
    /// Only what the demo needs
    #[arg(long)]
    demo: bool,
    /// Also what only the longer tests need
    #[arg(long, conflicts_with = "demo")]
    soak: bool,
    /// What the demo needs, and the clients that the benches compare dns01 with
    #[arg(long, conflicts_with_all = ["demo", "soak"])]
    bench: bool,
}

impl Setup {
    /// What `make demo` needs: name servers and a CA.
    pub(crate) const DEMO: Self = Self { demo: true, soak: false, bench: false };
    /// What the longer tests need.
    pub(crate) const SOAK: Self = Self { demo: false, soak: true, bench: false };
    /// What the benches need: the demo's servers and the peers.
    pub(crate) const BENCH: Self = Self { demo: false, soak: false, bench: true };

    pub(crate) fn run(&self) -> Result<()> {
        self.system()?;
        self.tools()
    }

    /// What needs root: packages of the system. Ends with a look whether the machine grants what tests and demo need.
    pub(crate) fn system(&self) -> Result<()> {
        apt::install(self.demo)?;
        probe()
    }

    /// The rest, below `.tools`.
    pub(crate) fn tools(&self) -> Result<()> {
        go::install(&modules::PEBBLE)?;
        if self.bench {
            return peers::install();
        }
        if !self.demo {
            modules::TESTS.iter().try_for_each(go::install)?;
            certbot::install()?;
        }
        if self.soak {
            go::install(&modules::SOAK)?;
        }
        Ok(())
    }
}

/// Tries the private namespace, which not every machine grants.
fn probe() -> Result<()> {
    let allowed = namespace(harness::Network::Own, |inner| shell::quiet(inner.arg("true")));
    allowed.context(
        "this machine does not let you make a private network; as root it does, in a container with `--privileged`, \
         and on Ubuntu without root after `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
    )
}

/// The folder of a tool's pins in the repository.
fn pins(tool: &str) -> PathBuf {
    shell::root().join("tests/tools").join(tool)
}

/// Runs `install` unless `product` exists and was made from the same `pins`, a file or folder of the repository.
fn once(
    tool: &str,
    product: &Path,
    pins: &Path,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let wanted = read(pins).with_context(|| format!("could not read {}", pins.display()))?;
    let stamp = harness::tools_dir().join(format!("{tool}.installed"));
    if product.exists() && fs::read(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    fs::remove_file(&stamp).ok();
    install().with_context(|| format!("could not install {tool}"))?;
    fs::write(&stamp, wanted).with_context(|| format!("could not write {}", stamp.display()))
}

/// A file, or all files of a folder one after the other.
fn read(path: &Path) -> Result<Vec<u8>> {
    if !path.is_dir() {
        return Ok(fs::read(path)?);
    }
    let mut entries: Vec<_> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    let files: Vec<_> = entries.iter().map(|entry| read(entry)).collect::<Result<_>>()?;
    Ok(files.concat())
}
