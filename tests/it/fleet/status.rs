//! What a fleet leaves in its Workflow's status, computed from what the binary really writes and the templates declare.
#![expect(clippy::print_stdout, reason = "the figures are the point")]

use super::{Fleet, document};
use crate::templates::{list, template};
use serde_json::{Map, Value, json};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a Workflow may weigh before Argo compresses its nodes, and what it may weigh then.
const MOST: usize = 1024 * 1024;

const WORKFLOW: &str = "dns01-renew-fleet-1763700000";

/// Names as long as a certificate's can be.
fn longest(prefix: char, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("{prefix}{n:049}"))
}

#[test]
#[ignore = "needs kube-apiserver"]
fn of_two_thousand_definitions_the_status_holds_fifty_and_stays_below_a_mebibyte() {
    let fleet = Fleet::new();
    let [first, second] = ["customers-of-the-first-region", "customers-of-the-second-region"];
    fleet.define(first, &document(longest('a', 1000)));
    fleet.define(second, &document(longest('b', 1000)));
    let both = format!("{first},{second}");
    let began = Instant::now();
    let check = fleet.renew_check("run", &both).arg("--all");
    // 4,000 answers, of a server that others use too.
    let run = check.timeout(Duration::from_mins(10)).run().exit(0);
    let took = began.elapsed();
    let due: Vec<Value> = serde_json::from_str(run.output("due")).unwrap();
    assert_eq!((due.len(), run.output("later")), (50, "1950"));
    let told = fleet.report("run", &both, &due).exit(23);

    let well = Status::of(&due, told.output("report"), None);
    // The longest message that a step has, in every pod of every certificate, each tried as often as it can be.
    let failed = Status::of(&due, told.output("report"), Some(&"x".repeat(2_000)));
    let stored = compressed(&fleet, &failed.text);
    println!(
        "2,000 definitions in {took:.1?}: `due` {}, `report` {} octets; status {}; where all fail five times {}, stored {stored}",
        run.output("due").len(),
        told.output("report").len(),
        well.text.len(),
        failed.text.len(),
    );
    assert!(well.text.len() < MOST, "{} octets", well.text.len());
    assert!(stored < MOST, "{stored} octets");
}

/// As Argo stores what is larger: gzip and base64.
fn compressed(fleet: &Fleet, text: &str) -> usize {
    let file = fleet.user.home().join("status.json");
    fs::write(&file, text).unwrap();
    let packed = Command::new("gzip").arg("-c").arg(&file).output().unwrap();
    assert!(packed.status.success());
    packed.stdout.len() * 4 / 3
}

/// The status of a fleet's Workflow, with every field that Argo 4.0 fills.
struct Status {
    nodes: Map<String, Value>,
    text: String,
}

impl Status {
    /// After a run on `due` whose pods have all gone well, or have all failed with this message.
    fn of(due: &[Value], report: &str, message: Option<&str>) -> Self {
        let mut status = Self { nodes: Map::new(), text: String::new() };
        let list = Value::from(due.to_vec()).to_string();
        let outputs = json!({"due": list, "report": ""});
        status.pod(&format!("{WORKFLOW}[0].renew-check"), CHECK, &outputs, None);
        for (at, item) in due.iter().enumerate() {
            status.certificate(at, item, message);
        }
        status.pod(&format!("{WORKFLOW}[2].report"), CHECK, &json!({"report": report}), None);
        let used = [("dns01-renew-fleet", "renew-fleet"), RENEWAL, CHECK, ISSUE, CLEANUP];
        let stored: Vec<Value> =
            used.iter().map(|(object, name)| template(object, name).body.clone()).collect();
        let outputs = json!({"report": report});
        let whole = json!({"nodes": status.nodes, "storedTemplates": stored, "outputs": outputs});
        status.text = whole.to_string();
        status
    }

    /// One of the list: its steps, their group, its pod, and where that failed its cleanup.
    fn certificate(&mut self, at: usize, item: &Value, message: Option<&str>) {
        let pairs = item.as_object().unwrap().iter();
        let mut pairs: Vec<String> =
            pairs.map(|(key, value)| format!("{key}:{}", value.as_str().unwrap())).collect();
        pairs.sort();
        // Argo puts all of the item into the name, and that into the names of all nodes below.
        let own = format!("{WORKFLOW}[1].renew({at}:{})", pairs.join(","));
        let run = format!("{own}[0].run");
        self.node(&own, RENEWAL, &json!({}), None);
        self.node(&format!("{own}[0]"), ("", ""), &json!({}), None);
        self.pod(&run, ISSUE, &json!({"error": message.unwrap_or_default()}), message);
        if message.is_some() {
            self.pod(&format!("{run}.onExit"), CLEANUP, &json!({}), None);
        }
    }

    /// A pod under the node that counts its retries.
    fn pod(&mut self, name: &str, of: (&str, &str), outputs: &Value, message: Option<&str>) {
        self.node(name, of, outputs, message);
        for retry in 0..if message.is_some() { 5 } else { 1 } {
            self.node(&format!("{name}({retry})"), of, outputs, message);
        }
    }

    fn node(&mut self, name: &str, of: (&str, &str), outputs: &Value, message: Option<&str>) {
        let body = if of.0.is_empty() { &Value::Null } else { &template(of.0, of.1).body };
        let valued = |kind: &str, values: &Value| -> Vec<Value> {
            let valued = |mut parameter: Value| {
                let name = parameter["name"].as_str().unwrap().to_owned();
                let value = values[&name].as_str().unwrap_or("a value of usual length");
                parameter["value"] = value.into();
                parameter
            };
            list(&body[kind]["parameters"]).into_iter().map(valued).collect()
        };
        let id = format!("{WORKFLOW}-{:010}", self.nodes.len());
        let node = json!({
            "id": id, "name": name, "displayName": name.rsplit(']').next(), "type": "StepGroup",
            "phase": "Succeeded", "templateRef": {"name": of.0, "template": of.1},
            "templateScope": "namespaced/dns01-renew-fleet", "boundaryID": id,
            "message": message.unwrap_or("child 'dns01-renew-fleet-1763700000-1234567890' failed"),
            "startedAt": "2026-11-21T12:00:00Z", "finishedAt": "2026-11-21T12:00:00Z",
            "estimatedDuration": 30, "progress": "1/1", "taskResultSynced": true,
            "resourcesDuration": {"cpu": 10, "memory": 100}, "nodeFlag": {"retried": true},
            "hostNodeName": "node-0123456789.example.internal", "children": [id],
            "outboundNodes": [id],
            "inputs": {"parameters": valued("inputs", &json!({}))},
            "outputs": {"parameters": valued("outputs", outputs), "exitCode": "0"},
        });
        self.nodes.insert(id, node);
    }
}

const RENEWAL: (&str, &str) = ("dns01-renew-fleet", "renewal");
const CHECK: (&str, &str) = ("dns01-renew-check", "renew-check");
const ISSUE: (&str, &str) = ("dns01-certificate-onepod", "issue");
const CLEANUP: (&str, &str) = ("dns01-cleanup", "cleanup");
