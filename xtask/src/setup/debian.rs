//! Packages of Debian, unpacked below `.tools` and never installed: the system's own packages and lists stay as they are.

use crate::shell;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Unpacks the newest `package` of a suite to `.tools/FOLDER`, unless `product` is there already.
pub(super) fn unpack(package: &str, suite: &str, folder: &str, product: &Path) -> Result<()> {
    if product.is_file() {
        return Ok(());
    }
    ensure!(Path::new(KEYRING).is_file(), "{package} comes from Debian, whose keys are not here");
    let mirror = mirror().context("this system's apt knows no mirror of Debian")?;
    let root = tempfile::tempdir()?;
    for folder in ["lists/partial", "cache/archives/partial", "unpacked"] {
        fs::create_dir_all(root.path().join(folder))?;
    }
    fs::write(root.path().join("status"), "")?;
    fs::write(
        root.path().join("sources.list"),
        format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"),
    )?;
    shell::run(&mut apt(root.path(), &["update"]))?;
    shell::run(&mut apt(root.path(), &["download", package]))?;
    let archive = fs::read_dir(root.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded nothing")?;
    let to = harness::tools_dir().join(folder);
    fs::remove_dir_all(&to).ok();
    fs::create_dir_all(&to)?;
    shell::run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&to))?;
    // `acme.sh_3.1.5-1_all.deb`: the version is told nowhere in the package's files.
    let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::write(to.join("version"), name.split('_').nth(1).unwrap_or_default())?;
    ensure!(product.is_file(), "{package} brought no {}", product.display());
    Ok(())
}

/// An apt with its own root.
fn apt(root: &Path, arguments: &[&str]) -> Command {
    let mut apt = Command::new("apt-get");
    let own = [
        ("Dir::State", ""),
        ("Dir::State::status", "status"),
        ("Dir::State::lists", "lists"),
        ("Dir::Cache", "cache"),
        ("Dir::Etc::sourcelist", "sources.list"),
    ];
    for (option, file) in own {
        apt.arg("-o").arg(format!("{option}={}", root.join(file).display()));
    }
    apt.args(["-qq", "-o", "Dir::Etc::sourceparts=/dev/null", "-o", "Acquire::Languages=none"]);
    // The user that apt would fetch as may not write to this folder.
    apt.args(["-o", "APT::Sandbox::User=root"]).args(arguments).current_dir(root);
    apt
}

/// Where this system gets Debian from.
fn mirror() -> Option<String> {
    let mut list = Command::new("apt-get");
    list.args(["indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)"]);
    let known = shell::output(&mut list)?;
    known.lines().find_map(|line| {
        let mut words = line.strip_prefix("Debian ")?.split(' ');
        let (codename, uri) = (words.next()?, words.next()?);
        // Those of updates and security carry nothing else.
        (!codename.contains('-')).then(|| uri.to_owned())
    })
}
