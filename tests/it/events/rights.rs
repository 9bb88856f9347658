//! Who may do what: Sensors create workflows, the watcher watches, all others have no token.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{folder, list, pairs, text};
use crate::templates::{documents, yaml_files};

fn shipped() -> Vec<Value> {
    yaml_files(&folder()).iter().flat_map(|file| documents(file)).collect()
}

/// The rules of the Role that a service account is bound to.
fn rules(account: &str) -> Vec<Value> {
    let all = shipped();
    let bound = all.iter().filter(|object| object["kind"] == "RoleBinding").filter(|binding| {
        list(&binding["subjects"]) == [json!({"kind": "ServiceAccount", "name": account})]
    });
    let roles: BTreeSet<&str> = bound.map(|binding| text(&binding["roleRef"]["name"])).collect();
    let of = all.iter().filter(|object| object["kind"] == "Role");
    of.filter(|role| roles.contains(text(&role["metadata"]["name"])))
        .flat_map(|role| list(&role["rules"]))
        .collect()
}

fn account(object: &Value) -> &str {
    text(&object["spec"]["template"]["serviceAccountName"])
}

#[test]
fn a_sensor_may_start_workflows_and_nothing_else() {
    let wanted =
        json!({"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["create"]});
    for pair in pairs() {
        assert_eq!(account(pair.sensor()), "dns01-sensor", "{}", pair.place);
    }
    assert_eq!(rules("dns01-sensor"), [wanted]);
}

#[test]
fn the_watcher_sees_only_what_it_watches() {
    let pairs = pairs();
    let source = pairs
        .iter()
        .flat_map(|pair| pair.of("EventSource"))
        .find(|source| source["spec"]["resource"].is_object())
        .unwrap();
    let watched = &source["spec"]["resource"]["certificate"];
    let wanted = json!({
        "apiGroups": [watched["group"]], "resources": [watched["resource"]], "verbs": ["list", "watch"]
    });
    assert_eq!(rules(account(source)), [wanted]);
    assert_ne!(watched["namespace"], "", "one namespace, so that a Role is enough");
}

#[test]
fn what_only_listens_has_no_token() {
    let tokenless: Vec<String> = shipped()
        .iter()
        .filter(|object| object["kind"] == "ServiceAccount")
        .filter(|account| account["automountServiceAccountToken"] == false)
        .map(|account| text(&account["metadata"]["name"]).to_owned())
        .collect();
    for pair in pairs() {
        for source in pair.of("EventSource") {
            let has_token = !tokenless.contains(&account(source).to_owned());
            let needs_it = source["spec"]["resource"].is_object();
            assert_eq!(has_token, needs_it, "{}", pair.place);
        }
    }
}

#[test]
fn no_right_is_given_to_all_of_a_cluster_and_none_to_secrets() {
    for object in shipped() {
        assert!(!text(&object["kind"]).starts_with("Cluster"), "{}", object["metadata"]);
        assert!(!object["rules"].to_string().contains("secrets"), "{}", object["metadata"]);
    }
}
