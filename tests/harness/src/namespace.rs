//! The private namespace in which every test runs: own loopback, own processes, own mounts.

use crate::lab::ROOT;
use std::path::Path;
use std::process::Command;

/// What the first process of the namespace does. It stays (as the namespace's reaper) and runs the command as a child.
const SCRIPT: &str = r#"mount -t tmpfs tmpfs "$1" && ip link set lo up || exit; shift; "$@""#;

/// A command that runs the arguments added to it in a new network, process and mount namespace, as root there.
///
/// `folder`, an existing one, is where labs live: a memory file system inside, empty outside. When the command ends or its
/// caller dies, every process in the namespace dies and nothing is left behind.
pub fn private_namespace(folder: &Path) -> Command {
    // unshare kills its child when it dies itself; setpriv makes it die with its caller.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args([
        "--mount",
        "--net",
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
