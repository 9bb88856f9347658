//! The commands of `docs/how-to/events.md`, as they stand there.

use super::pairs::Events;
use super::platform::{CERTIFICATE, path};
use harness::tools_dir;
use std::fs;
use std::process::Command;

/// Runs the `sh` block under a heading (`: ` and a text before it, where there are several); what it prints.
#[track_caller]
pub(super) fn run(events: &mut Events, place: &str) -> String {
    let page = fs::read_to_string(path("docs/how-to/events.md")).unwrap();
    let mut rest = page.as_str();
    for text in place.split(": ") {
        rest = rest.split_once(text).unwrap_or_else(|| panic!("the page has no `{text}`")).1;
    }
    let block = rest.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    // Its images are in no registry that the tests' cluster reaches, and the namespace has a bus.
    let lines = block.lines().filter(|line| !line.contains("event-sources/eventbus"));
    let mut script = lines.collect::<Vec<_>>().join("\n");
    script = script.replace("-n dns01 ", &format!("-n {} ", events.platform.namespace));
    if script.contains("dns01-webhook.dns01:12000") {
        // Only pods know the names of Services.
        script =
            script.replace("dns01-webhook.dns01:12000", &events.address("webhook").to_string());
    }
    script = script.replace("shop", CERTIFICATE);
    let search =
        format!("{}:{}", tools_dir().join("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &script]).current_dir(path("")).env("PATH", search);
    shell.env("KUBECONFIG", events.platform.cluster.kubectl().kubeconfig()).env("NO_PROXY", "*");
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{script}\n{said}");
    said
}

/// What a refusal in a Sensor's log says, in a line that people read.
pub(super) fn shortened(line: &str) -> String {
    let Some((_, refused)) = line.split_once("Data '") else {
        return line.chars().take(200).collect();
    };
    let data: String = refused.split("'] ").next().unwrap().chars().take(90).collect();
    let why =
        refused.rsplit("error calling fail: ").next().unwrap().trim_end().trim_end_matches(')');
    format!("{data}: {why}")
}
