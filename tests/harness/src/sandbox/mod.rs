//! Runs this project's binaries as a user would: clean environment, own home, own outputs, everything recorded.

mod invocation;
mod run;
mod strace;

pub use invocation::{Invocation, Running};
pub use run::Run;
pub use strace::SyscallPoint;

use crate::lab::Lab;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A user's surroundings: a home and what every command started in it sees.
#[derive(Clone, Debug)]
pub struct Sandbox {
    lab: Lab,
    home: PathBuf,
    env: Vec<(OsString, OsString)>,
    /// Shell commands that change what the command sees of the system; it then gets a mount namespace of its own.
    mounts: Vec<String>,
}

impl Sandbox {
    /// A new home. Commands get `PATH`, `HOME`, `TMPDIR` and no other variable.
    pub fn new(lab: &Lab) -> Self {
        let home = lab.folder("home");
        let env = [
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".into()),
            ("HOME", home.clone().into_os_string()),
            ("TMPDIR", lab.path().into()),
        ];
        let env = env.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { lab: lab.clone(), home, env, mounts: vec![] }
    }

    /// The folder of the built binaries: a test executable lies in its `deps`.
    pub fn binaries() -> PathBuf {
        std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned()
    }

    /// The home, which is also the working directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Sets a variable for every command.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets several variables, e.g. [`crate::NameServer::rfc2136`].
    pub fn envs(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The commands see an `/etc/hosts` with these names (and localhost) and nothing else.
    pub fn hosts<N: AsRef<str>>(mut self, hosts: &[(N, IpAddr)]) -> Self {
        let mut text = "127.0.0.1 localhost\n".to_owned();
        for (name, address) in hosts {
            writeln!(text, "{address} {}", name.as_ref()).unwrap();
        }
        self.mount("hosts", &text, "/etc/hosts");
        self
    }

    /// The commands see an `/etc/resolv.conf` with this one name server.
    pub fn resolv_conf(mut self, server: IpAddr) -> Self {
        self.mount(
            "resolv",
            &format!("nameserver {server}\noptions timeout:1 attempts:1\n"),
            "/etc/resolv.conf",
        );
        self
    }

    /// The commands see a pod's service account: `folder` (token, `ca.crt`, namespace) at its usual place under `/var/run`.
    pub fn service_account(mut self, folder: &Path) -> Self {
        let parent = "/run/secrets/kubernetes.io";
        self.mounts.push(format!(
            "mount -t tmpfs tmpfs /run && mkdir -p {parent} && ln -s '{}' {parent}/serviceaccount",
            folder.display()
        ));
        self
    }

    /// The step binary `name` (`present`), with `--outputs` set to a fresh folder.
    pub fn step(&self, name: &str) -> Invocation {
        Invocation::new(self, binary(name)).with_outputs_flag()
    }

    /// The multicall binary `dns01`, with `DNS01_OUTPUTS` set to a fresh folder.
    pub fn dns01(&self) -> Invocation {
        Invocation::new(self, binary("dns01"))
    }

    /// Any other program: a shell script, certbot.
    pub fn program(&self, path: impl Into<PathBuf>) -> Invocation {
        Invocation::new(self, path.into())
    }

    fn mount(&mut self, name: &str, text: &str, target: &str) {
        let file = self.lab.folder(name).join(name);
        fs::write(&file, text).unwrap();
        self.mounts.push(format!("mount --bind '{}' {target}", file.display()));
    }
}

fn binary(name: &str) -> PathBuf {
    let path = Sandbox::binaries().join(name);
    assert!(path.is_file(), "`{}` is not built: run `cargo xtask test`", path.display());
    path
}
