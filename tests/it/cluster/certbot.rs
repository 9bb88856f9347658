//! `dns01-certificate-certbot`: a real certbot in the pod of `issue`, driven by our binary out of our image.
//!
//! A cluster of the user's pulls certbot's own image. Ours has no registry, so it gets one of the same name, put together
//! from the certbot that `cargo xtask setup` installed, its Python and the libraries of both: 130 MB, hence in `make soak` only.

use super::platform::{CERTIFICATE, Platform, path};
use harness::{Cluster, Lab, certbot};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// certbot runs hooks by it.
const SHELL: &str = "/bin/sh";

/// What the command prints; panics when it fails.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The image that the template names for certbot.
fn image() -> String {
    let template =
        fs::read_to_string(path("workflow-templates/dns01-certificate-certbot.yaml")).unwrap();
    let template: Value = serde_yaml::from_str(&template).unwrap();
    let mut leaves = template["spec"]["templates"].as_array().unwrap().iter();
    let leaf = leaves.find(|leaf| !leaf["container"].is_null()).unwrap();
    leaf["container"]["image"].as_str().unwrap().to_owned()
}

/// The folders and files without which certbot does not start.
fn contents(venv: &Path) -> BTreeSet<String> {
    let python = venv.join("bin/python3");
    let python = python.to_str().unwrap();
    let stdlib =
        run(python, &["-c", "import sysconfig; print(sysconfig.get_path('stdlib'), end='')"]);
    let found = run("find", &[&stdlib, venv.to_str().unwrap(), "-name", "*.so"]);
    let programs: Vec<_> = found.lines().chain([python, SHELL]).collect();
    let libraries = run("ldd", &programs);
    let libraries =
        libraries.split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':'));
    let folders = [stdlib.as_str(), venv.to_str().unwrap(), SHELL];
    libraries
        .filter(|library| !library.starts_with(folders[1]))
        .chain(folders)
        .map(ToOwned::to_owned)
        .collect()
}

/// An archive as `docker save` writes it, of one layer.
fn archive(folder: &Path, name: &str) -> PathBuf {
    let venv = certbot();
    let venv = venv.ancestors().nth(2).unwrap();
    // Its programs name the place where they lie.
    let hidden = venv.starts_with("/tmp");
    assert!(!hidden, "{}: pods have a /tmp of their own: clone to elsewhere", venv.display());
    let layer = folder.join("layer.tar");
    let mut tar = Command::new("tar");
    // Links are followed: the interpreter's and the libraries' names stand for files elsewhere.
    tar.args([
        "--create",
        "--dereference",
        "--absolute-names",
        "--owner=0",
        "--group=0",
        "--mode=a+rX",
    ]);
    tar.args([
        "--exclude=test",
        "--exclude=tests",
        "--exclude=config-*",
        "--exclude=pip",
        "--transform=s,^/,,",
    ]);
    let made = tar.arg("--file").arg(&layer).args(contents(venv)).status().unwrap();
    assert!(made.success(), "tar: {made}");
    let digest = run("sha256sum", &[layer.to_str().unwrap()])[..64].to_owned();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
        "config": {"Env": [format!("PATH={}/bin", venv.display())]},
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let manifest = json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    let archive = folder.join("certbot.tar");
    let parts = ["config.json", "layer.tar", "manifest.json"];
    let file = archive.to_str().unwrap();
    run("tar", &[&["-C", folder.to_str().unwrap(), "-cf", file][..], &parts].concat());
    archive
}

/// Gives a cluster of ours certbot's image.
pub(crate) fn provide_image(cluster: &Cluster) {
    if std::env::var_os("DNS01_E2E_KUBECONFIG").is_none() {
        let lab = Lab::on_node();
        let archive = archive(&lab.folder("certbot-image"), &image());
        let socket = cluster.containerd();
        let ctr =
            ["--address", socket.to_str().unwrap(), "--namespace", "k8s.io", "images", "import"];
        run("ctr", &[&ctr[..], &[archive.to_str().unwrap()]].concat());
    }
}

#[test]
#[ignore = "needs the cluster, certbot"]
fn certbot_issues_in_its_own_image_with_our_hooks() {
    provide_image(Cluster::shared());
    let platform = Platform::start("certbot");
    let run = platform.submit("dns01-certificate-certbot", &[("certificate", CERTIFICATE)]);
    let run = run.ended().succeeded();
    eprintln!("{}", run.table());
    assert_eq!((run.output("result"), platform.pebble.issued()), (Some("issue"), 1));
    assert!(platform.delivered().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    platform.assert_zone_is_clean();
}
