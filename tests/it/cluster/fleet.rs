//! All certificates that are due, in one run and by the clock.

use super::platform::Platform;
use super::workflow::{Ended, Workflow};
use serde_json::{Value, json};

/// Four certificates: two can be had, the provider of one does not exist, one is suspended.
fn fleet() -> (Platform, Value) {
    let platform = Platform::start("fleet");
    let objects = json!([{"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "create", "patch"]}]);
    let metadata = json!({"name": "any-certificate"});
    let classes = ["check", "onepod", "cleanup", "order", "issue", "store"];
    let subjects =
        classes.map(|class| json!({"kind": "ServiceAccount", "name": format!("dns01-{class}")}));
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    platform.apply(
        &json!({"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": objects}),
    );
    platform.apply(&json!({
        "apiVersion": version, "kind": "RoleBinding", "metadata": metadata, "subjects": subjects,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": metadata["name"]},
    }));
    let mut definitions = platform.definitions();
    let nowhere = json!({"name": "nowhere", "provider": "nosuch", "selector": {"dnsZones": ["bad.example.test"]}, "credentials": {"secretName": "rfc2136"}});
    definitions["solvers"].as_array_mut().unwrap().push(nowhere);
    definitions["certificates"] = json!([
        {"name": "api", "dnsNames": ["api.example.test"]},
        {"name": "shop", "dnsNames": ["shop.example.test"]},
        {"name": "broken", "dnsNames": ["x.bad.example.test"]},
        {"name": "off", "dnsNames": ["off.example.test"], "suspend": true},
    ]);
    platform.define(&definitions);
    (platform, definitions)
}

/// What the report says of each certificate.
fn results(run: &Ended) -> Vec<(String, String)> {
    let nodes = run.object["status"]["nodes"].as_object().unwrap();
    let outputs = nodes.values().filter_map(|node| node["outputs"]["parameters"].as_array());
    let report = outputs.flatten().find(|output| {
        output["name"] == "report" && output["value"].as_str().is_some_and(|text| !text.is_empty())
    });
    let text = report.unwrap_or_else(|| panic!("no report:\n{}", run.table()))["value"].as_str();
    let report: Value = serde_json::from_str(text.unwrap()).unwrap();
    let rows = report["certificates"].as_array().unwrap_or_else(|| panic!("{report}"));
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| ["certificate", "result"].map(|key| row[key].as_str().unwrap().to_owned()))
        .map(|[certificate, result]| (certificate, result))
        .collect();
    rows.sort();
    rows
}

#[test]
#[ignore = "needs the cluster"]
fn a_fleet_renews_what_is_due_goes_on_after_a_failure_and_reports_on_each() {
    let (platform, mut definitions) = fleet();
    let named = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        rows.iter().map(|(name, result)| ((*name).to_owned(), (*result).to_owned())).collect()
    };
    let first = platform.submit("dns01-renew-fleet", &[]).ended();
    eprintln!("{}", first.table());
    assert_eq!(first.phase(), "Failed");
    let (_, message) = first.node("report");
    assert!(message.contains("exit code 23") && message.contains("broken"), "{message}");
    let all = [("api", "delivered"), ("broken", "failed"), ("shop", "delivered")];
    assert_eq!((results(&first), platform.pebble.issued()), (named(&all), 2));
    assert!(platform.get("secret/api-tls").is_some() && platform.get("secret/off-tls").is_none());

    // Mended, and with a pod per phase: only what is still due runs.
    definitions["certificates"][2]["dnsNames"] = json!(["x.example.test"]);
    platform.define(&definitions);
    let second = platform.submit("dns01-renew-fleet", &[("mode", "dag")]).ended().succeeded();
    assert_eq!(
        (results(&second), platform.pebble.issued()),
        (named(&[("broken", "delivered")]), 3)
    );

    // By the clock, soon; nothing is due.
    let cron = super::platform::path("workflow-templates/cron");
    // As people do it, with the server's own look at every field.
    let templates = super::platform::path("workflow-templates");
    for folder in [&templates, &cron] {
        platform.kubectl(&["apply", "--server-side", "-k", folder.to_str().unwrap()]);
    }
    let every_minute = json!({"spec": {"schedules": ["* * * * *"]}}).to_string();
    platform.kubectl(&[
        "patch",
        "cronworkflow/dns01-renew-fleet",
        "--type=merge",
        "-p",
        &every_minute,
    ]);
    let cron = platform.cluster.kubectl().until(
        Some(&platform.namespace),
        "cronworkflow/dns01-renew-fleet",
        |cron| cron["status"]["active"][0]["name"].is_string(),
    );
    let name = cron["status"]["active"][0]["name"].as_str().unwrap();
    let third = Workflow::existing(&platform, name).ended();
    assert_eq!(third.phase(), "Succeeded", "{}", third.table());
    assert_eq!(platform.pebble.issued(), 3);
}
