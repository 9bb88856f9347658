//! Images without a registry: archives that containerd imports.

use super::argo::Release;
use super::node::ctr;
use crate::tools::{repository, tool, tools_dir};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// The image under test, as the templates name it: what `cargo xtask image` has made.
pub const IMAGE: &str = concat!("ghcr.io/dns01/dns01:", env!("CARGO_PKG_VERSION"));
/// Argo Events: controller, event sources and sensors are one program.
pub(super) const ARGO_EVENTS: &str = "quay.io/argoproj/argo-events:v1.9.11";

/// Imports everything that the cluster's pods run.
pub(super) fn import_all(folder: &Path) {
    // busybox is what it is called.
    let sleep = ["/bin/busybox", "sleep", "infinity"].map(ToOwned::to_owned);
    of_program(folder, "dns01.invalid/pause:1", &tool("busybox"), "/bin/busybox", &sleep, "65535");
    let release = Release::chosen();
    of_program(
        folder,
        release.executor,
        &release.program("argoexec"),
        "/bin/argoexec",
        &["argoexec".to_owned()],
        "8737",
    );
    let archive = image_archive();
    assert!(archive.is_file(), "there is no image: run `cargo xtask image`");
    import(folder, &archive, Some(IMAGE));
}

/// The archive that `cargo xtask image` makes.
pub fn image_archive() -> PathBuf {
    repository().join(".image/dns01.oci.tar")
}

/// Makes and imports an image that holds one static program.
pub(super) fn of_program(
    folder: &Path,
    name: &str,
    program: &Path,
    at: &str,
    entrypoint: &[String],
    user: &str,
) {
    let mut layer = Builder::new(Vec::new());
    append(&mut layer, EntryType::Directory, "tmp", 0o1777, &[]);
    append(
        &mut layer,
        EntryType::Regular,
        at.trim_start_matches('/'),
        0o755,
        &fs::read(program).unwrap(),
    );
    let layer = layer.into_inner().unwrap();
    let digest = |bytes: &[u8]| format!("{:x}", Sha256::digest(bytes));
    let layer_digest = digest(&layer);
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, "os": "linux",
        "config": {"Entrypoint": entrypoint, "User": user, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_digest}")]},
    })
    .to_string();
    let config_file = format!("{}.json", digest(config.as_bytes()));
    let manifest = json!([{"Config": config_file, "RepoTags": [name], "Layers": [format!("{layer_digest}.tar")]}]);
    let mut archive = Builder::new(Vec::new());
    for (file, bytes) in [
        (config_file.as_str(), config.as_bytes()),
        (&format!("{layer_digest}.tar"), &layer),
        ("manifest.json", manifest.to_string().as_bytes()),
    ] {
        append(&mut archive, EntryType::Regular, file, 0o644, bytes);
    }
    let file = folder.join("image.tar").with_added_extension(&layer_digest);
    fs::write(&file, archive.into_inner().unwrap()).unwrap();
    import(folder, &file, None);
    fs::remove_file(file).unwrap();
}

fn append(archive: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, mode: u32, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, path, bytes).unwrap();
}

/// Imports an archive: docker's brings its name, an OCI one needs it.
fn import(folder: &Path, archive: &Path, name: Option<&str>) {
    let mut ctr = ctr(folder);
    ctr.args(["images", "import"]).args(name.iter().flat_map(|name| ["--index-name", name]));
    let output = ctr.arg(archive).output().unwrap();
    assert!(
        output.status.success(),
        "could not import {}: {}",
        archive.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The manifests that `cargo xtask setup` took from a Go module.
pub(super) fn manifests(module: &str) -> PathBuf {
    tools_dir().join("manifests").join(module)
}
