//! Servers written in Go, built from the modules pinned under `tests/tools`.

use crate::shell;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Go that is fetched where none is installed, and the SHA-256 of its archive per architecture.
const GO: &str = "1.26.8";
const ARCHIVES: [(&str, &str); 2] = [
    ("amd64", "30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7"),
    ("arm64", "02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99"),
];

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
        for (package, program) in packages.split_whitespace().zip(programs) {
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

/// The installed Go, when it is new enough (1.21) to fetch a newer one; else one of our own.
fn go() -> Result<PathBuf> {
    let own = harness::tools_dir().join("go");
    let installed = shell::find("go").filter(|go| minor(go).is_some_and(|minor| minor >= 21));
    let found = installed.or_else(|| Some(own.join("bin/go")).filter(|go| minor(go).is_some()));
    found.map_or_else(|| fetch(&own), Ok)
}

fn minor(go: &Path) -> Option<u32> {
    let version =
        shell::output(Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"))?;
    version.trim().strip_prefix("go1.")?.split('.').next()?.parse().ok()
}

/// Fetches Go itself, which the module proxy serves as a module.
fn fetch(own: &Path) -> Result<PathBuf> {
    let (arch, sum) = match std::env::consts::ARCH {
        "x86_64" => ARCHIVES[0],
        "aarch64" => ARCHIVES[1],
        other => bail!("no Go is known for {other}: install Go 1.21 or newer"),
    };
    let proxies = std::env::var("GOPROXY").unwrap_or_default();
    let proxy = proxies
        .split([',', '|'])
        .find(|proxy| proxy.starts_with("http"))
        .unwrap_or("https://proxy.golang.org")
        .to_owned();
    let (name, parent) = (format!("v0.0.1-go{GO}.linux-{arch}"), own.with_file_name("go-download"));
    let archive = parent.join("go.zip");
    fs::create_dir_all(&parent)?;
    let url = format!("{}/golang.org/toolchain/@v/{name}.zip", proxy.trim_end_matches('/'));
    shell::run(Command::new("curl").args(["-fsSL", "--retry", "3", "-o"]).arg(&archive).arg(url))?;
    let found = shell::output(Command::new("sha256sum").arg(&archive)).unwrap_or_default();
    if !found.starts_with(sum) {
        bail!("the archive of Go {GO} is not the expected one: {found}");
    }
    shell::run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(&parent))?;
    fs::rename(parent.join(format!("golang.org/toolchain@{name}")), own)?;
    fs::remove_dir_all(&parent)?;
    // Module archives carry no execute bits.
    let tools = own.join("pkg/tool").join(format!("linux_{arch}"));
    for folder in [own.join("bin"), tools] {
        for file in fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
            fs::set_permissions(file?.path(), fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(own.join("bin/go"))
}
