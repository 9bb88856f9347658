//! The accounts beside the templates: each class of step may do what the journal's contract grants it, by name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{documents, folder, leaves, list, text, yaml_files};

/// The objects of the certificate that the plain files are for.
const STATE: &str = "configmaps/dns01-example-org";
const KEY: &str = "secrets/dns01-example-org-key";
const ACCOUNT: &str = "secrets/dns01-account-letsencrypt";
const SINK: &str = "secrets/example-org-tls";
const DEFINITIONS: &str = "configmaps/dns01";

/// What each class may do with what: `journal.md`'s table of steps. Nothing is a class without a token.
const RIGHTS: [(&str, &[(&str, &str)]); 8] = [
    (
        "order",
        &[(STATE, "get create patch"), (KEY, "get create patch"), (ACCOUNT, "get create patch")],
    ),
    ("present", &[]),
    ("wait", &[]),
    ("issue", &[(STATE, "get patch"), (KEY, "get"), (ACCOUNT, "get")]),
    ("store", &[(STATE, "get patch"), (KEY, "get"), (SINK, "get create patch")]),
    ("cleanup", &[(STATE, "get patch")]),
    ("check", &[(STATE, "get"), (DEFINITIONS, "get"), (SINK, "get")]),
    (
        "onepod",
        &[
            (STATE, "get create patch"),
            (KEY, "get create patch"),
            (ACCOUNT, "get create patch"),
            (SINK, "get create patch"),
        ],
    ),
];

fn objects(kind: &str) -> BTreeMap<String, Value> {
    let files = yaml_files(&folder().join("rbac"));
    let all = files.iter().flat_map(|file| documents(file)).filter(|object| object["kind"] == kind);
    all.map(|object| (text(&object["metadata"]["name"]).to_owned(), object)).collect()
}

/// What a Role grants: verbs by `resource/name`.
fn granted(role: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut rights: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in list(&role["rules"]) {
        let names = list(&rule["resourceNames"]);
        assert!(!names.is_empty(), "{} grants more than by name: {rule}", role["metadata"]["name"]);
        for resource in list(&rule["resources"]) {
            for name in &names {
                let verbs = list(&rule["verbs"]);
                let verbs = verbs.iter().map(|verb| text(verb).to_owned());
                let object = format!("{}/{}", text(&resource), text(name));
                rights.entry(object).or_default().extend(verbs);
            }
        }
    }
    rights
}

#[test]
fn every_class_may_do_what_the_journal_grants_it_and_no_more() {
    let roles = objects("Role");
    for (class, rights) in RIGHTS {
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (object, verbs) in rights {
            let verbs: BTreeSet<String> = verbs.split(' ').map(str::to_owned).collect();
            if *object == ACCOUNT {
                wanted.insert(format!("{object}-staging"), verbs.clone());
            }
            wanted.insert((*object).to_owned(), verbs);
        }
        let role = roles.get(&format!("dns01-{class}"));
        assert_eq!(role.map(granted).unwrap_or_default(), wanted, "{class}");
    }
    assert_eq!(roles.len(), RIGHTS.iter().filter(|(_, rights)| !rights.is_empty()).count() + 1);
}

#[test]
fn every_pod_runs_under_an_account_that_exists() {
    let known: BTreeSet<String> = objects("ServiceAccount").into_keys().collect();
    let mut used: BTreeSet<String> = BTreeSet::from(["dns01-executor".to_owned()]);
    used.extend(
        leaves().iter().map(|leaf| text(&leaf.template.body["serviceAccountName"]).to_owned()),
    );
    assert_eq!(known, used);
}

#[test]
fn every_account_with_a_token_may_report_to_argo() {
    let binding = &objects("RoleBinding")["dns01-executor"];
    let bound: BTreeSet<String> =
        list(&binding["subjects"]).iter().map(|one| text(&one["name"]).to_owned()).collect();
    let mut needed = BTreeSet::from(["dns01-executor".to_owned()]);
    for leaf in leaves() {
        let body = &leaf.template.body;
        if body.get("automountServiceAccountToken").is_none() {
            needed.insert(text(&body["serviceAccountName"]).to_owned());
        }
    }
    assert_eq!(bound, needed);
    let rules = list(&objects("Role")["dns01-executor"]["rules"]);
    assert_eq!(
        rules,
        [
            serde_json::json!({"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]})
        ]
    );
    let token = &objects("Secret")["dns01-executor.service-account-token"];
    assert_eq!(token["type"], "kubernetes.io/service-account-token");
    let of = &token["metadata"]["annotations"]["kubernetes.io/service-account.name"];
    assert_eq!(*of, "dns01-executor", "the name that Argo looks for");
}

#[test]
fn every_role_is_bound_to_its_own_account() {
    for (name, binding) in objects("RoleBinding") {
        assert_eq!(binding["roleRef"]["name"], *name);
        let subjects = list(&binding["subjects"]);
        assert!(name == "dns01-executor" || subjects.len() == 1, "{name}");
        assert!(subjects.iter().any(|one| one["name"] == *name), "{name}");
    }
}
