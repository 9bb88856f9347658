//! The real kubectl, as its users run it.

use crate::tools::tool;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything on the cluster may take: two cores run all pods of all tests.
const PATIENCE: Duration = Duration::from_mins(7);

/// Applies without asking for the server's schema, which with Argo's definitions is so large that it takes longer than
/// the rest. Linters and kubeconform check what we ship, and one test applies it as people do.
const APPLY: [&str; 4] = ["apply", "--server-side", "--force-conflicts", "--validate=ignore"];

/// kubectl with one kubeconfig.
#[derive(Clone, Debug)]
pub struct Kubectl {
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// With this kubeconfig.
    pub fn new(kubeconfig: PathBuf) -> Self {
        Self { kubeconfig }
    }

    /// The kubeconfig: for `KUBECONFIG`.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs kubectl; what it prints, or what it says when it fails.
    pub fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Runs kubectl and panics when it fails; what it prints.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments)
            .unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")))
    }

    /// Applies manifests (YAML or JSON) on the server's side; panics when one is refused.
    #[track_caller]
    pub fn apply(&self, namespace: Option<&str>, manifests: &str) {
        self.try_apply(namespace, manifests).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Applies manifests (YAML or JSON) on the server's side; what kubectl says when one is refused.
    pub fn try_apply(&self, namespace: Option<&str>, manifests: &str) -> Result<(), String> {
        let mut command = self.command(&APPLY);
        command.args(["-f", "-"]).args(namespace.iter().flat_map(|name| ["-n", name]));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(manifests.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Applies a kustomization on the server's side; panics when one of its objects is refused.
    #[track_caller]
    pub fn apply_kustomization(&self, namespace: Option<&str>, folder: &Path) {
        let place = namespace.into_iter().flat_map(|name| ["-n", name]);
        let what = ["-k", folder.to_str().unwrap()];
        self.run(&APPLY.into_iter().chain(what).chain(place).collect::<Vec<_>>());
    }

    /// The object `what` (`kind/name`); `None` when there is none.
    pub fn get(&self, namespace: &str, what: &str) -> Option<Value> {
        let text = self.run(&["get", "-n", namespace, "--ignore-not-found", "-o", "json", what]);
        (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    /// The objects of a kind in a namespace, those with this label selector (which may be empty).
    pub fn list(&self, namespace: &str, kind: &str, selector: &str) -> Vec<Value> {
        let text = self.run(&["get", "-n", namespace, "-o", "json", kind, "-l", selector]);
        let mut list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Watches the object `what` (`kind/name`), which may be made only later, until `done` says true of it.
    ///
    /// Asks for a list of one: of an object asked for by name kubectl drops the watch's first event, and with it what has
    /// changed since it was read.
    #[track_caller]
    pub fn until(
        &self,
        namespace: Option<&str>,
        what: &str,
        mut done: impl FnMut(&Value) -> bool,
    ) -> Value {
        let (kind, name) = what.split_once('/').expect("kind/name");
        let deadline = Instant::now() + PATIENCE;
        let mut last = Value::Null;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            let mut command = Command::new("timeout");
            // `timeout 0` would wait for ever.
            command.arg((left.as_secs() + 1).to_string()).arg(tool("kubectl"));
            command.args(["get", "--watch", "-o", "json", kind]);
            command.arg(format!("--field-selector=metadata.name={name}"));
            command.args(namespace.iter().flat_map(|name| ["-n", name]));
            command.env("KUBECONFIG", &self.kubeconfig).stderr(Stdio::null());
            let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
            let stdout = BufReader::new(child.stdout.take().unwrap());
            let states = serde_json::Deserializer::from_reader(stdout);
            for state in states.into_iter::<Value>().map_while(Result::ok) {
                last = state;
                if done(&last) {
                    // `timeout` hands it on, which it could not do with KILL.
                    kill_process(Pid::from_child(&child), Signal::TERM).ok();
                    child.wait().unwrap();
                    return last;
                }
            }
            // The API server has closed the watch, or does not know the kind yet.
            child.wait().unwrap();
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("waited {PATIENCE:?} in vain for {what}: {last:#}");
    }

    /// kubectl with these arguments, to be started by the caller.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tool("kubectl"));
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        command
    }
}
