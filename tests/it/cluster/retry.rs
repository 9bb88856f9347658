//! `argo retry` on a composite: what Argo runs again, and that it ends well or as before.

use super::platform::Platform;
use super::workflow::{Ended, Workflow};
use harness::tool;
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Does to a failed Workflow what `argo retry` does.
pub(crate) fn retry(platform: &Platform, failed: &Ended) -> Ended {
    let tool =
        Command::new(tool("argo-retry")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut tool = tool.unwrap();
    tool.stdin.take().unwrap().write_all(failed.object.to_string().as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let (workflow, pods): (Value, Option<Vec<String>>) =
        serde_json::from_slice(&output.stdout).unwrap();
    for pod in pods.unwrap_or_default() {
        platform.kubectl(&["delete", "pod", "--ignore-not-found", &pod]);
    }
    let file = platform.lab.folder("retry").join("workflow.json");
    std::fs::write(&file, workflow.to_string()).unwrap();
    platform.kubectl(&["replace", "-f", file.to_str().unwrap()]);
    let name = workflow["metadata"]["name"].as_str().unwrap();
    Workflow::existing(platform, name).ended()
}
