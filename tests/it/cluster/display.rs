//! What Argo's UI shows of a run, and a controller that only looks after Workflows with its label.

use super::platform::{CERTIFICATE, OWNER, Platform};
use super::workflow::Workflow;
use harness::{NameServer as _, TeamController};
use serde_json::{Value, json};

/// The label that a controller with an `instanceID` wants to see.
const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";
const TEAM: &str = "team-a";

/// Starts `dns01-certificate`, labelled for a team's controller.
fn start<'a>(platform: &'a Platform, name: &str, team: &str) -> Workflow<'a> {
    let parameters = [("certificate", CERTIFICATE), ("resolver", &platform.named.resolver())]
        .map(|(name, value)| json!({"name": name, "value": value}));
    platform.apply(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name, "labels": {INSTANCE: team}},
        "spec": {"workflowTemplateRef": {"name": "dns01-certificate"}, "arguments": {"parameters": parameters}},
    }));
    Workflow::existing(platform, name)
}

fn nodes(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values())
}

#[test]
#[ignore = "needs the cluster"]
fn a_team_with_its_own_controller_sees_how_far_it_is_and_what_came_out() {
    let platform = Platform::with("team", |named| named.secondaries(1).held(), |pebble| pebble);
    let run = start(&platform, "for-the-team", TEAM);
    // Argo's first controller takes what has no label, and leaves the other alone all the while.
    let other = platform.submit("dns01-renew-check", &[("certificate", CERTIFICATE)]);
    other.ended().succeeded();
    assert_eq!(platform.get("workflow/for-the-team").unwrap()["status"], Value::Null);

    let controller =
        TeamController::start(platform.cluster, &platform.lab, &platform.namespace, TEAM);
    // One of two servers shows it: progress of the one node that waits.
    let waiting = run.until(|object| {
        nodes(object).any(|node| {
            node["templateRef"]["template"] == "wait-propagation" && node["progress"] == "1/2"
        })
    });
    assert_eq!(waiting["metadata"]["labels"]["dns01.dev/certificate"], CERTIFICATE);
    assert_eq!(platform.named.secondary_txt(0, OWNER), Vec::<String>::new());
    // Everything that was made for it carries the label, or its controller would not see it.
    for kind in ["pods", "workflowtaskresults"] {
        let run = format!("workflows.argoproj.io/workflow={}", run.name);
        let objects = platform.cluster.kubectl().list(&platform.namespace, kind, &run);
        assert!(!objects.is_empty(), "no {kind}");
        for object in objects {
            assert_eq!(object["metadata"]["labels"][INSTANCE], TEAM, "{object:#}");
        }
    }
    platform.named.release(0);
    let ended = run.ended().succeeded();
    eprintln!("{}", ended.table());
    assert!(!controller.log().contains(&other.name), "{}", controller.log());

    for output in ["result", "not-after", "serial", "sinks", "next-check"] {
        eprintln!("{output}: {:?}", ended.output(output));
        assert!(ended.output(output).is_some_and(|value| !value.is_empty()), "{output}");
    }
    // A renamed node isn't found by a hook's expression, so every node is called as its step is.
    for node in nodes(&ended.object) {
        let [name, shown] = ["name", "displayName"].map(|key| node[key].as_str().unwrap());
        assert!(name.ends_with(shown), "{name} is shown as {shown}");
    }
}
