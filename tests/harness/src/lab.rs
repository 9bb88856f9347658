//! A test's own corner of the machine: a folder and a /24, of 127.0.0.0/8 or where pods reach it.

use crate::pki::TestCa;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// The environment variable with which [`crate::private_namespace`] names the folder that labs live in.
pub(crate) const ROOT: &str = "DNS01_LAB";

/// Networks handed out by this process. 127.0.x.x is left alone.
static NETWORKS: AtomicU32 = AtomicU32::new(0);
static NODE_NETWORKS: AtomicU32 = AtomicU32::new(0);

/// A folder and a network of its own; a clone is another handle to the same lab.
#[derive(Clone, Debug)]
pub struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: TempDir,
    network: [u8; 3],
    hosts: AtomicU8,
    names: AtomicU32,
    ca: OnceLock<TestCa>,
}

impl Lab {
    /// A new lab. Panics outside the private namespace, where port 53 and the loopback network are not ours.
    pub fn new() -> Self {
        // A process id in the sum keeps two test binaries in one namespace apart.
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed) + std::process::id() * 251;
        let octet = |number| u8::try_from(1 + number % 254).unwrap();
        Self::of_network([127, octet(number / 254), octet(number)])
    }

    /// A new lab whose servers the pods of [`crate::Cluster`] reach too.
    pub fn on_node() -> Self {
        // 198.18.0.0/24 has the pods, 198.18.255.0/24 the node (RFC 2544's networks, which lead nowhere).
        let number = NODE_NETWORKS.fetch_add(1, Ordering::Relaxed) + std::process::id() * 17;
        Self::of_network([198, 18, u8::try_from(1 + number % 254).unwrap()])
    }

    fn of_network(network: [u8; 3]) -> Self {
        let root = std::env::var_os(ROOT)
            .expect("this test needs its private namespace: run `cargo xtask test`");
        let folder = tempfile::Builder::new().prefix("lab-").tempdir_in(root).unwrap();
        Self(Arc::new(Inner {
            folder,
            network,
            hosts: AtomicU8::new(0),
            names: AtomicU32::new(0),
            ca: OnceLock::new(),
        }))
    }

    /// The lab's folder; it lives as long as the last handle.
    pub fn path(&self) -> &Path {
        self.0.folder.path()
    }

    /// A new, empty folder whose name starts with `name`.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path =
            self.path().join(format!("{name}-{}", self.0.names.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&path).unwrap();
        path
    }

    /// A new, empty folder on a file system of its own with room for `kib` KiB: for a full disk.
    pub fn small_disk(&self, kib: u32) -> PathBuf {
        let path = self.folder("disk");
        mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"], &path);
        path
    }

    /// Makes an existing folder read-only for everybody, root included (a write gets EROFS).
    pub fn make_read_only(&self, folder: &Path) {
        mount(&["--bind", folder.to_str().unwrap()], folder);
        mount(&["-o", "remount,bind,ro"], folder);
    }

    /// The next free address of the lab's network. The interface has it already: `named` skips one that it lacks.
    pub fn address(&self) -> IpAddr {
        let host = 1 + self.0.hosts.fetch_add(1, Ordering::Relaxed);
        let [a, b, c] = self.0.network;
        let address = Ipv4Addr::new(a, b, c, host);
        let prefix = if address.is_loopback() { 8 } else { 32 };
        let mut ip = Command::new("ip");
        ip.args(["addr", "add", &format!("{address}/{prefix}"), "dev", "lo"]);
        assert!(ip.status().unwrap().success(), "`ip addr add {address}/{prefix} dev lo` failed");
        address.into()
    }

    /// The lab's certificate authority for its HTTPS servers; never the one that pebble issues from.
    pub fn ca(&self) -> &TestCa {
        self.0.ca.get_or_init(|| TestCa::new(&self.folder("ca")))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The network may be the machine's own.
        let [a, b, c] = self.network;
        for host in 1..=self.hosts.load(Ordering::Relaxed) {
            let address = format!("{}/32", Ipv4Addr::new(a, b, c, host));
            if a != 127 {
                Command::new("ip").args(["addr", "del", &address, "dev", "lo"]).status().ok();
            }
        }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

fn mount(options: &[&str], target: &Path) {
    let status = Command::new("mount").args(options).arg(target).status().unwrap();
    assert!(status.success(), "`mount {}` on `{}` failed", options.join(" "), target.display());
}
