//! Builds servers and clients written in Go from the modules pinned under `tests/tools`.

use super::modules::Module;
use crate::shell;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Go that is fetched where the installed one is too old to fetch a newer one by itself.
const GO: &str = "1.26.8";

/// Kubernetes' programs take their version from their linker, and Helm the version that it takes Kubernetes for.
const KUBERNETES: &str = "-X k8s.io/component-base/version.gitVersion=v1.34.4";

/// Builds the programs of a module into `.tools/bin`.
pub(super) fn install(module: &Module) -> Result<()> {
    let (pins, bin) = (super::pins(module.folder), harness::tools_dir().join("bin"));
    super::once(module.folder, &bin.join(module.programs[0].0), &pins, || {
        fs::create_dir_all(&bin)?;
        let go = go()?;
        let folder = match module.link {
            Some((link, target)) => vendor(&go, module.folder, link, target)?,
            None => pins.clone(),
        };
        for (name, source) in module.manifests {
            copy_manifests(&go, &pins, name, source)?;
        }
        // All at once: while one links, which keeps one core, the others compile.
        let built = tempfile::tempdir_in(&bin)?;
        shell::run(
            on(&go, &folder)
                .args(["build", "-trimpath", "-ldflags", &format!("-s -w {KUBERNETES}"), "-o"])
                .arg(built.path())
                .args(module.programs.iter().map(|(_, package)| package)),
        )?;
        for (program, package) in module.programs {
            fs::rename(built.path().join(built_name(package)), bin.join(program))
                .with_context(|| format!("{package} was not built"))?;
        }
        Ok(())
    })
}

/// What Go calls the program of a package: the path's last part that is not a major version.
fn built_name(package: &str) -> &str {
    let is_version =
        |part: &&str| part.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
    package.rsplit('/').find(|part| !is_version(part)).unwrap_or(package)
}

/// Copies the manifests that a module's archive carries to `.tools/manifests`.
fn copy_manifests(go: &Path, pins: &Path, name: &str, source: &str) -> Result<()> {
    // A module that is not there yet has no folder.
    shell::run(on(go, pins).args(["mod", "download", source]))?;
    let format = ["list", "-m", "-f", "{{.Dir}}", source];
    let from = shell::output(on(go, pins).args(format))
        .with_context(|| format!("`go list -m {source}` failed"))?;
    let to = harness::tools_dir().join("manifests").join(name);
    fs::remove_dir_all(&to).ok();
    fs::create_dir_all(to.parent().unwrap_or(&to))?;
    // Files of the module cache are read-only.
    let mut copy = Command::new("cp");
    copy.args(["-R", "--no-preserve=mode"]).arg(Path::new(from.trim()).join("manifests"));
    shell::run(copy.arg(&to))
}

/// Copies a module's packages to where they can be mended: archives of modules carry no links, and what was written for
/// another version of a package than is compiled here may lack a method, which a file in the folder `_mended` adds.
fn vendor(go: &Path, module: &str, link: &str, target: &str) -> Result<PathBuf> {
    let folder = harness::tools_dir().join("vendored").join(module);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(folder.parent().unwrap_or(&folder))?;
    shell::run(Command::new("cp").arg("-R").arg(super::pins(module)).arg(&folder))?;
    shell::run(on(go, &folder).args(["mod", "vendor"]))?;
    let (mended, vendored) = (folder.join("_mended/."), folder.join("vendor"));
    if mended.exists() {
        shell::run(Command::new("cp").arg("-R").arg(&mended).arg(&vendored))?;
    }
    std::os::unix::fs::symlink(target, vendored.join(link))
        .with_context(|| format!("could not make the link {link}"))?;
    Ok(folder)
}

/// A Go command in a module's folder. A Go older than the module demands fetches the demanded one itself.
fn on(go: &Path, folder: &Path) -> Command {
    let mut command = Command::new(go);
    command
        .current_dir(folder)
        .env("CGO_ENABLED", "0")
        .env("GOTOOLCHAIN", "auto")
        .env("GOWORK", "off");
    command
}

/// The installed Go, when it is new enough (1.21) to fetch a newer one; else one that it fetches as a module.
fn go() -> Result<PathBuf> {
    let installed = shell::find("go").context("no `go` on the PATH")?;
    if minor(&installed).is_some_and(|minor| minor >= 21) {
        return Ok(installed);
    }
    let own = harness::tools_dir().join("go");
    if minor(&own.join("bin/go")).is_none() {
        fetch(&installed, &own)?;
    }
    Ok(own.join("bin/go"))
}

fn minor(go: &Path) -> Option<u32> {
    let version =
        shell::output(Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"))?;
    version.trim().strip_prefix("go1.")?.split('.').next()?.parse().ok()
}

/// Fetches a newer Go with an old one: it is served, and checked against the checksum database, like any module.
fn fetch(old: &Path, own: &Path) -> Result<()> {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => bail!("no Go is known for {other}: install Go 1.21 or newer"),
    };
    let module = format!("golang.org/toolchain@v0.0.1-go{GO}.linux-{arch}");
    shell::run(Command::new(old).args(["mod", "download", &module]))?;
    let cache = shell::output(Command::new(old).args(["env", "GOMODCACHE"])).unwrap_or_default();
    let fetched = Path::new(cache.trim()).join(&module);
    fs::remove_dir_all(own).ok();
    shell::run(Command::new("cp").arg("-R").arg(&fetched).arg(own))?;
    shell::run(Command::new("chmod").args(["-R", "u+w"]).arg(own))?;
    // Module archives carry no execute bits.
    let tools = own.join("pkg/tool").join(format!("linux_{arch}"));
    for folder in [own.join("bin"), tools] {
        for file in fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
            fs::set_permissions(file?.path(), fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}
