//! Servers and clients written in Go, built from the modules pinned under `tests/tools`.

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

/// A Go module under `tests/tools` and the programs that are built from it.
pub(super) struct Module {
    folder: &'static str,
    /// Name below `.tools/bin`, and package.
    programs: &'static [(&'static str, &'static str)],
    /// A link of the module's repository that its archive lacks: where it lies below `vendor`, and what it points to.
    link: Option<(&'static str, &'static str)>,
    /// The module whose `manifests` the tests install.
    manifests: Option<&'static str>,
}

pub(super) const PEBBLE: Module = module(
    "pebble",
    &[
        ("pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble"),
        ("pebble-challtestsrv", "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv"),
    ],
);
/// A peer of the benches. Its checksums are those that its own release carries: Go's database lacks some of them.
pub(super) const LEGO: Module = module("lego", &[("lego", "github.com/go-acme/lego/v5")]);
/// What every test run needs besides.
pub(super) const TESTS: [Module; 6] = [
    module("etcd", &[("etcd", "go.etcd.io/etcd/server/v3")]),
    module(
        "kubernetes",
        &[
            ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
            ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
            ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
            ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
            // Of the same Kubernetes: by itself it would compile most of another one, for minutes.
            ("helm", "helm.sh/helm/v4/cmd/helm"),
        ],
    ),
    Module {
        link: Some((
            "github.com/argoproj/argo-workflows/v4/workflow/executor/osspecific/signal_linux.go",
            "signal_darwin.go",
        )),
        manifests: Some("github.com/argoproj/argo-workflows/v4"),
        ..module(
            "argo-workflows",
            &[
                (
                    "workflow-controller",
                    "github.com/argoproj/argo-workflows/v4/cmd/workflow-controller",
                ),
                ("argoexec", "github.com/argoproj/argo-workflows/v4/cmd/argoexec"),
                ("argo-lint", "dns01.invalid/tools/argo-workflows/lint"),
                ("argo-retry", "dns01.invalid/tools/argo-workflows/retry"),
            ],
        )
    },
    Module {
        manifests: Some("github.com/argoproj/argo-events"),
        ..module("argo-events", &[("argo-events", "github.com/argoproj/argo-events/cmd")])
    },
    module("nats", &[("nats-server", "github.com/nats-io/nats-server/v2")]),
    module("kubeconform", &[("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform")]),
];
/// The older Argo of the longer tests.
pub(super) const SOAK: Module = Module {
    link: Some((
        "github.com/argoproj/argo-workflows/v3/workflow/executor/osspecific/signal_linux.go",
        "signal_darwin.go",
    )),
    manifests: Some("github.com/argoproj/argo-workflows/v3"),
    ..module(
        "argo-workflows-3.7",
        &[
            (
                "workflow-controller-3.7",
                "github.com/argoproj/argo-workflows/v3/cmd/workflow-controller",
            ),
            ("argoexec-3.7", "github.com/argoproj/argo-workflows/v3/cmd/argoexec"),
        ],
    )
};

const fn module(folder: &'static str, programs: &'static [(&'static str, &'static str)]) -> Module {
    Module { folder, programs, link: None, manifests: None }
}

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
        if let Some(source) = module.manifests {
            copy_manifests(&go, module.folder, source)?;
        }
        for (program, package) in module.programs {
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

/// Copies the manifests that a module's archive carries to `.tools/manifests`.
fn copy_manifests(go: &Path, module: &str, source: &str) -> Result<()> {
    // A module that is not there yet has no folder.
    shell::run(on(go, &super::pins(module)).args(["mod", "download", source]))?;
    let format = ["list", "-m", "-f", "{{.Dir}}", source];
    let from = shell::output(on(go, &super::pins(module)).args(format))
        .with_context(|| format!("`go list -m {source}` failed"))?;
    let to = harness::tools_dir().join("manifests").join(module);
    fs::remove_dir_all(&to).ok();
    fs::create_dir_all(to.parent().unwrap_or(&to))?;
    // Files of the module cache are read-only.
    let mut copy = Command::new("cp");
    copy.args(["-R", "--no-preserve=mode"]).arg(Path::new(from.trim()).join("manifests"));
    shell::run(copy.arg(&to))
}

/// Copies a module's packages to where they can be mended: archives of modules carry no links.
fn vendor(go: &Path, module: &str, link: &str, target: &str) -> Result<PathBuf> {
    let folder = harness::tools_dir().join("vendored").join(module);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(folder.parent().unwrap_or(&folder))?;
    shell::run(Command::new("cp").arg("-R").arg(super::pins(module)).arg(&folder))?;
    shell::run(on(go, &folder).args(["mod", "vendor"]))?;
    std::os::unix::fs::symlink(target, folder.join("vendor").join(link))
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
