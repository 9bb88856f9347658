//! The image as a container runtime runs it: its own root file system, read-only, under a number that has no name.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Invocation, Lab, NameServer as _, Named, Pebble, Sandbox};
use serde_json::{Value, json};

/// The root file system becomes read-only but for `/tmp`, as a pod with `readOnlyRootFilesystem` and an emptyDir sees it.
/// $1 is the image's content, $2 the folder for `/tmp`, the rest the command.
const CONTAINER: &str = r#"
root=$1; tmp=$2; shift 2
mount --bind "$root" "$root" && mount --bind "$tmp" "$root/tmp" && mount -o remount,bind,ro "$root" &&
exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$root" "$@""#;

/// The image, unpacked.
struct Image {
    root: PathBuf,
    config: Value,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Image {
    fn unpack(lab: &Lab) -> Self {
        let archive = repository().join(".image/dns01.oci.tar");
        assert!(archive.is_file(), "there is no image: run `cargo xtask image`");
        let (layout, root) = (lab.folder("oci"), lab.folder("root"));
        tar(&["-xf"], &archive, &layout);
        let blob =
            |digest: &Value| layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"));
        let manifest = read(&blob(&read(&layout.join("index.json"))["manifests"][0]["digest"]));
        for layer in manifest["layers"].as_array().unwrap() {
            tar(&["--same-owner", "-xzf"], &blob(&layer["digest"]), &root);
        }
        let config = read(&blob(&manifest["config"]["digest"]))["config"].clone();
        Self { root, config }
    }

    /// The image's program with its arguments, in surroundings as a pod's.
    fn run(&self, user: &Sandbox, tmp: &Path, command: &[&str]) -> Invocation {
        user.program("unshare")
            .args(["--mount", "sh", "-c", CONTAINER, "sh"])
            .args([&self.root, tmp])
            .args(command)
            .env("DNS01_OUTPUTS", "/tmp/outputs")
            .env("DNS01_TERMINATION_LOG", "/tmp/termination")
    }
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn tar(how: &[&str], archive: &Path, to: &Path) {
    let done = Command::new("tar").args(how).arg(archive).arg("-C").arg(to).status().unwrap();
    assert!(done.success(), "could not unpack {}", archive.display());
}

/// A folder that only the image's user may use.
fn owned(lab: &Lab) -> PathBuf {
    let folder = lab.folder("tmp");
    std::os::unix::fs::chown(&folder, Some(65532), Some(65532)).unwrap();
    folder
}

#[test]
fn the_dockerfile_pins_the_toolchain_and_says_the_version() {
    let text = fs::read_to_string(repository().join("Dockerfile")).unwrap();
    let toolchain = fs::read_to_string(repository().join("rust-toolchain.toml")).unwrap();
    let channel = toolchain.split('"').nth(1).unwrap();
    assert!(
        text.contains(&format!("ARG BUILDER=docker.io/library/rust:{channel}-alpine")),
        "{channel}"
    );
    let label = concat!("org.opencontainers.image.version=\"", env!("CARGO_PKG_VERSION"), '"');
    assert!(text.contains(label), "{label}");
    let (_, last) = text.rsplit_once("\nFROM ").unwrap();
    assert!(last.starts_with("scratch\n") && last.contains("\nUSER 65532:65532\n"));
    // What is built in is what is checked in: `cargo xtask image` takes this stage as it stands.
    assert!(!last.contains("\nRUN "), "nothing can run in an empty image");
}

mod built {
    use super::*;

    #[test]
    #[ignore = "needs named, pebble, the image (cargo xtask image)"]
    fn a_certificate_is_issued_in_the_image_without_a_name_and_on_a_read_only_root() {
        let lab = Lab::new();
        let image = Image::unpack(&lab);
        let named = Named::builder(&lab).start();
        let pebble = Pebble::builder(&lab, named.address()).start();
        let tmp = owned(&lab);
        fs::copy(pebble.ca_file(), tmp.join("ca.pem")).unwrap();
        fs::set_permissions(
            tmp.join("ca.pem"),
            std::os::unix::fs::PermissionsExt::from_mode(0o644),
        )
        .unwrap();
        let user = Sandbox::new(&lab).envs(named.rfc2136()).env("SSL_CERT_FILE", "/tmp/ca.pem");
        let (directory, resolver) = (pebble.directory(), named.resolver());
        let issue = ["/dns01", "issue", "-d", "example.test", "-d", "*.example.test"];
        let with = ["--provider", "rfc2136", "--agree-tos", "--server", &directory];
        let at = ["--resolver", &resolver, "--dir", "/tmp/dns01"];
        let command = [issue.as_slice(), &with, &at].concat();
        image.run(&user, &tmp, &command).run().exit(0);
        let chain = tmp.join("dns01/live/example-test/fullchain.pem");
        assert!(fs::read_to_string(chain).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!((pebble.issued(), named.txt("_acme-challenge.example.test")), (1, vec![]));
        // The root is indeed read-only: what `/tmp` took, nothing else takes.
        let elsewhere = ["--resolver", &resolver, "--dir", "/elsewhere"];
        let command = [issue.as_slice(), &with, &elsewhere].concat();
        image.run(&user, &tmp, &command).run().exit(30).stderr_contains("Read-only file system");
    }

    #[test]
    #[ignore = "needs the image (cargo xtask image)"]
    fn the_image_holds_a_link_per_step_and_no_user_but_a_number() {
        let lab = Lab::new();
        let image = Image::unpack(&lab);
        assert_eq!(
            (&image.config["User"], &image.config["Entrypoint"]),
            (&json!("65532:65532"), &json!(["/dns01"]))
        );
        let (user, tmp) = (Sandbox::new(&lab), owned(&lab));
        for step in dns01::STEPS {
            assert_eq!(fs::read_link(image.root.join(step.name)).unwrap(), Path::new("dns01"));
            let said =
                image.run(&user, &tmp, &[&format!("/{}", step.name), "--version"]).run().exit(0);
            assert_eq!(said.stdout.trim(), format!("{} {}", step.name, env!("CARGO_PKG_VERSION")));
        }
        let mut top: Vec<String> = fs::read_dir(&image.root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !dns01::STEPS.iter().any(|step| step.name == name))
            .collect();
        top.sort();
        assert_eq!(top, ["dns01", "etc", "tmp"], "nothing else is in the image");
    }
}
