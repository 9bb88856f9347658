//! `cargo xtask image`: the container image, without a registry and without a daemon.
//!
//! The program is built on the host; the last stage of the Dockerfile, word for word, makes the image of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell;

/// The image's name in its archive.
const NAME: &str = concat!("ghcr.io/dns01/dns01:", env!("CARGO_PKG_VERSION"));
/// The most that everything in the image may take, in octets.
const LARGEST: u64 = 12_000_000;
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Arguments of `image`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Image {
    /// Unoptimized and large, in seconds: for trying a change on the cluster
    #[arg(long)]
    dev: bool,
}

impl Image {
    pub(crate) fn run(&self) -> Result<()> {
        build(self.dev)
    }
}

fn build(dev: bool) -> Result<()> {
    for (program, package) in
        [("buildah", "buildah"), ("ld.lld", "lld"), ("musl-gcc", "musl-tools")]
    {
        ensure!(shell::find(program).is_some(), "{program} is missing: apt-get install {package}");
    }
    let folder = shell::root().join(".image");
    let context = folder.join("build");
    // Left over from an earlier image, it could hide that something is missing from this one.
    fs::remove_dir_all(&context).ok();
    fill(&context.join("rootfs"), dev)?;
    fs::write(folder.join("Dockerfile"), last_stage()?)?;
    let archive = folder.join("dns01.oci.tar");
    fs::remove_file(&archive).ok();
    shell::run(
        buildah(&folder, "build")
            .args(["--isolation=chroot", "--pull-never", "--tag", NAME])
            .arg(format!("--timestamp={}", committed()))
            .arg(format!("--build-context=build={}", context.display()))
            .arg(format!("--file={}", folder.join("Dockerfile").display()))
            .arg(&context),
    )?;
    shell::run(
        buildah(&folder, "push").arg(NAME).arg(format!("oci-archive:{}", archive.display())),
    )?;
    let (inside, packed) = (size(&context.join("rootfs"))?, fs::metadata(&archive)?.len());
    println!(
        "{}: {} in the image, {} packed",
        archive.display(),
        megabytes(inside),
        megabytes(packed)
    );
    ensure!(dev || inside <= LARGEST, "the image holds more than {}", megabytes(LARGEST));
    Ok(())
}

/// Builds the program as the image has it, static; gives its path.
pub(crate) fn program(dev: bool) -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let libraries = shell::output(
        Command::new("rustc")
            .args(["--print", "target-libdir", "--target", &target])
            .current_dir(shell::root()),
    );
    if !libraries.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
        shell::run(
            Command::new("rustup").args(["target", "add", &target]).current_dir(shell::root()),
        )?;
    }
    let mut cargo = shell::cargo();
    cargo.args(["build", "--locked", "-p", "dns01", "--target", &target]);
    if !dev {
        cargo.arg("--release").env("RUSTFLAGS", link_flags()?);
    }
    shell::run(&mut cargo)?;
    let profile = if dev { "debug" } else { "release" };
    Ok(shell::target().join(target).join(profile).join("dns01"))
}

/// Lays out what the first stage of the Dockerfile leaves in `/rootfs`.
fn fill(rootfs: &Path, dev: bool) -> Result<()> {
    let program = program(dev)?;
    shell::run(Command::new(program).arg("install").arg(format!("--to={}", rootfs.display())))?;
    let (from, to) = (Path::new("/").join(CERTIFICATES), rootfs.join(CERTIFICATES));
    fs::create_dir_all(to.parent().unwrap_or(rootfs))?;
    fs::copy(&from, &to).with_context(|| {
        format!("could not copy {}: is ca-certificates installed?", from.display())
    })?;
    let tmp = rootfs.join("tmp");
    fs::create_dir_all(&tmp)?;
    fs::set_permissions(tmp, Permissions::from_mode(0o1777))?;
    Ok(())
}

/// The flags that the Dockerfile builds with.
fn link_flags() -> Result<String> {
    let text = fs::read_to_string(shell::root().join("Dockerfile"))?;
    let flags = text.lines().find_map(|line| line.strip_prefix("ENV RUSTFLAGS="));
    Ok(flags.context("the Dockerfile sets no RUSTFLAGS")?.trim_matches('"').to_owned())
}

/// The Dockerfile from its last FROM on.
fn last_stage() -> Result<String> {
    let text = fs::read_to_string(shell::root().join("Dockerfile"))?;
    match text.rsplit_once("\nFROM ") {
        Some((_, stage)) => Ok(format!("FROM {stage}")),
        None => bail!("the Dockerfile has no second stage"),
    }
}

/// A storage of our own: whatever else buildah keeps on this machine is left alone.
fn buildah(folder: &Path, verb: &str) -> Command {
    let mut buildah = Command::new("buildah");
    buildah.arg("--root").arg(folder.join("storage")).arg("--runroot").arg(folder.join("run"));
    buildah.args(["--storage-driver=vfs", verb]);
    buildah
}

/// When the commit was made, so that the same commit gives the same image.
fn committed() -> String {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(shell::root());
    shell::output(&mut git).map_or_else(|| "0".to_owned(), |seconds| seconds.trim().to_owned())
}

fn size(folder: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}

fn megabytes(octets: u64) -> String {
    format!("{}.{} MB", octets / 1_000_000, octets / 100_000 % 10)
}
