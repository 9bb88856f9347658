//! Packages of Debian and Ubuntu. As root they are installed; otherwise, or elsewhere, what is missing is listed.

use crate::shell;
use anyhow::{Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// A program, the package that brings it on Debian 12 and Ubuntu, and what it is for.
struct Need {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
    demo: bool,
}

const NEEDS: [Need; 22] = [
    need("named", "bind9", "the name server of most tests", true),
    need("rndc", "bind9-utils", "controls named", true),
    need("dig", "bind9-dnsutils", "asks name servers", true),
    need("nsupdate", "bind9-dnsutils", "changes zones as somebody else", true),
    need("ip", "iproute2", "addresses in the private network", true),
    need("unshare", "util-linux", "private namespaces", true),
    need("mount", "mount", "private files", true),
    need("openssl", "openssl", "a second opinion on certificates", true),
    need("python3", "python3", "runs certbot", true),
    need("go", "golang-go", "builds the CA and the API server of the tests", true),
    need("knotd", "knot", "the second name server", false),
    need("strace", "strace", "kills steps at chosen system calls", false),
    need("musl-gcc", "musl-tools", "static binaries", false),
    need("ld.lld", "lld", "small binaries", false),
    need("buildah", "buildah", "makes the image", false),
    need("lego", "lego", "an ACME client that leaves its DNS part to us", false),
    need("containerd", "containerd", "runs the pods of the tests' cluster", false),
    need("runc", "runc", "starts their containers", false),
    need("nft", "nftables", "the cluster's services", false),
    need("conntrack", "conntrack", "forgets connections to services that are gone", false),
    need("busybox", "busybox-static", "what a pod's first container sleeps with", false),
    need("/usr/lib/cni/ptp", "containernetworking-plugins", "the pods' network", false),
];

const fn need(
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
    demo: bool,
) -> Need {
    Need { program, package, purpose, demo }
}

/// Makes sure that every program is there.
pub(super) fn install(demo: bool) -> Result<()> {
    let mut missing: Vec<_> = NEEDS
        .iter()
        .filter(|need| (need.demo || !demo) && shell::find(need.program).is_none())
        .collect();
    // Debian splits venv from Python; only trying tells.
    let venv = need("python3 -m venv", "python3-venv", "certbot's own environment", false);
    if !demo
        && shell::output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_none()
    {
        missing.push(&venv);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    packages.dedup();
    if shell::find("apt-get").is_none() || !is_root() {
        let list: Vec<_> = missing
            .iter()
            .map(|need| {
                format!("  {:<16} {} (package {})", need.program, need.purpose, need.package)
            })
            .collect();
        let how = if shell::find("apt-get").is_some() {
            format!("sudo apt-get install -y --no-install-recommends {}", packages.join(" "))
        } else {
            "install them with your distribution's package manager; the names above are Debian's"
                .to_owned()
        };
        bail!("these programs are missing:\n{}\nhow to get them:\n  {how}", list.join("\n"));
    }
    let _quiet = NoServices::new()?;
    shell::run(apt().arg("update"))?;
    shell::run(apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(["-qq", "-o", "Dpkg::Use-Pty=0"]).env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

fn is_root() -> bool {
    shell::output(Command::new("id").arg("-u")).is_some_and(|uid| uid.trim() == "0")
}

/// While this lives, freshly installed packages start no service: the tests start their own name servers.
struct NoServices {
    ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn new() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            fs::remove_file(POLICY).ok();
        }
    }
}
