//! The private namespace in which every test runs: own loopback, own processes, own mounts.

use crate::lab::ROOT;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Whose network a namespace has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// One of its own, with nothing but loopback.
    Own,
    /// The machine's, on which a cluster of the user's reaches the servers of the tests.
    Machines,
}

/// What the first process of the namespace does. It stays (as the namespace's reaper) and runs the command as a child.
const SCRIPT: &str = r#"mount -t tmpfs tmpfs "$1" && ip link set lo up || exit; shift; "$@""#;

/// A command that runs the arguments added to it in a new process, mount and (unless told otherwise) network namespace, as
/// root there.
///
/// `folder`, an existing one, is where labs live: a memory file system inside, empty outside. When the command ends or its
/// caller dies, every process in the namespace dies and nothing is left behind but, if a [`crate::Cluster`] ran there,
/// empty control groups, which [`remove_control_groups`] removes.
pub fn private_namespace(folder: &Path, network: Network) -> Command {
    // unshare kills its child when it dies itself; setpriv makes it die with its caller.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    if network == Network::Own {
        command.arg("--net");
    }
    command.args([
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        SCRIPT,
        "sh",
    ]);
    command.arg(folder).env(ROOT, folder).env("TMPDIR", folder);
    command
}

/// The control group below which all pods of a namespace live: named as its folder, which no other has.
pub(crate) fn control_group() -> PathBuf {
    let folder = std::env::var_os(ROOT).unwrap_or_default();
    Path::new("/").join(Path::new(&folder).file_name().unwrap_or_default())
}

/// Removes the control groups of a namespace that has ended; `folder` is the one it had.
pub fn remove_control_groups(folder: &Path) {
    let (Some(name), Ok(hierarchies)) = (folder.file_name(), fs::read_dir("/sys/fs/cgroup")) else {
        return;
    };
    let mut groups: Vec<_> =
        hierarchies.flatten().map(|hierarchy| hierarchy.path().join(name)).collect();
    groups.push(Path::new("/sys/fs/cgroup").join(name));
    for group in groups.iter().filter(|group| group.is_dir()) {
        // A killed process leaves its group a moment after it was killed.
        for _ in 0..100 {
            remove_below(group);
            if !group.exists() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn remove_below(group: &Path) {
    for inner in fs::read_dir(group).into_iter().flatten().flatten() {
        if inner.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_below(&inner.path());
        }
    }
    fs::remove_dir(group).ok();
}
