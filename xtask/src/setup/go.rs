//! Servers written in Go, built from the modules pinned under `tests/tools`.

use crate::shell;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Go that is fetched where the installed one is too old to fetch a newer one by itself.
const GO: &str = "1.26.8";

/// kube-apiserver takes its version from its linker.
const KUBERNETES: &str = "-X k8s.io/component-base/version.gitVersion=v1.34.4";

/// Builds the `tool` packages of `tests/tools/MODULE` into `.tools/bin`, under the names `programs`.
pub(super) fn install(module: &str, programs: &[&str]) -> Result<()> {
    let (folder, bin) = (super::pins(module), harness::tools_dir().join("bin"));
    super::once(module, &bin.join(programs[0]), &folder.join("go.mod"), || {
        fs::create_dir_all(&bin)?;
        let go = go()?;
        let packages =
            shell::output(on(&go, &folder).args(["list", "-f", "{{.ImportPath}}", "tool"]))
                .context("`go list tool` failed")?;
        let packages: Vec<&str> = packages.split_whitespace().collect();
        for program in programs {
            // A package is called as its program, but for the only one of a module, which may be its root.
            let named = packages.iter().find(|package| package.rsplit('/').next() == Some(program));
            let package = named.or(packages.first()).context("no tool in go.mod")?;
            let flags = format!("-s -w {KUBERNETES}");
            shell::run(
                on(&go, &folder)
                    .args(["build", "-trimpath", "-ldflags", &flags, "-o"])
                    .arg(bin.join(program))
                    .arg(package),
            )?;
        }
        Ok(())
    })
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
