//! The plain YAML arrives as it was, but for what the values change.

use std::fs;

use serde_json::{Value, json};

use super::{chart, documents, everything, find, maps, of_kind, render, values};

/// Every object of the copy.
fn plain() -> Vec<Value> {
    let mut all = Vec::new();
    for folder in ["workflow-templates", "cron", "network-policy", "event-sources"] {
        let Ok(entries) = fs::read_dir(chart().join("files").join(folder)) else { continue };
        for entry in entries {
            all.extend(documents(&fs::read_to_string(entry.unwrap().path()).unwrap()));
        }
    }
    all
}

const EMBEDDED: [&str; 6] =
    ["WorkflowTemplate", "CronWorkflow", "EventSource", "Sensor", "Service", "NetworkPolicy"];

#[test]
#[ignore = "needs helm"]
fn with_default_values_each_object_is_what_kubectl_would_apply() {
    let mut all_on = values();
    for part in ["renewal", "events", "networkPolicy"] {
        all_on[part]["enabled"] = true.into();
    }
    for pair in ["httpreq", "calendar", "resource"] {
        all_on["events"][pair]["enabled"] = true.into();
    }
    all_on["events"]["calendar"]["certificate"] = "example-org".into();
    all_on["events"]["resource"]["namespace"] = "dns01".into();
    let rendered = render(&all_on);
    let mut seen = 0;
    for mut object in plain() {
        let kind = object["kind"].as_str().unwrap().to_owned();
        if !EMBEDDED.contains(&kind.as_str()) {
            continue;
        }
        seen += 1;
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let made = find(&rendered, &kind, &name);
        assert_eq!(made["metadata"]["annotations"], object["metadata"]["annotations"], "{name}");
        if ["EventSource", "Sensor"].contains(&kind.as_str()) {
            object["spec"]["eventBusName"] = "default".into();
        }
        if object["spec"]["calendar"].is_object() {
            object["spec"]["calendar"]["certificate"]["exclusionDates"] = json!([]);
        }
        assert_eq!(made["spec"], object["spec"], "{kind} {name}");
    }
    assert_eq!(
        seen,
        EMBEDDED.iter().map(|kind| of_kind(&rendered, kind).len()).sum::<usize>(),
        "nothing is rendered that is not plain YAML"
    );
}

#[test]
#[ignore = "needs helm"]
fn numbers_texts_and_anchors_arrive_as_they_were() {
    let rendered = render(&everything());
    let template = find(&rendered, "WorkflowTemplate", "dns01-present");
    let spec = &template["spec"];
    assert_eq!(
        spec["arguments"]["parameters"], spec["templates"][0]["inputs"]["parameters"],
        "the anchored list"
    );
    let modes: Vec<_> = maps(spec).into_iter().filter_map(|map| map.get("defaultMode")).collect();
    assert_eq!(modes, [&json!(288)]);
    let patch = spec["templates"][0]["podSpecPatch"].as_str().unwrap();
    let patch: Value = serde_yaml::from_str(patch).unwrap();
    assert_eq!(patch["containers"][0]["name"], "wait", "what the plain file patches");
    assert_eq!(patch["imagePullSecrets"], json!([{"name": "pull"}]));
}
