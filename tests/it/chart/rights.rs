//! Roles follow from the definitions: by name, and for each class what the journal's contract grants it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{everything, find, many, names_of, of_kind, render, text, three};

/// What a Role grants: verbs by `resource/name`, `*` for all names.
fn granted(role: &Value) -> BTreeMap<String, String> {
    let mut rights = BTreeMap::new();
    for rule in role["rules"].as_array().unwrap() {
        let texts = |key: &str| -> Vec<String> {
            let list = rule[key].as_array().cloned().unwrap_or_default();
            list.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let mut names = texts("resourceNames");
        if names.is_empty() {
            names.push("*".to_owned());
        }
        for resource in texts("resources") {
            for name in &names {
                rights.insert(format!("{resource}/{name}"), texts("verbs").join(" "));
            }
        }
    }
    rights
}

fn expected(rights: &[(&str, &str)]) -> BTreeMap<String, String> {
    let each = rights.iter().flat_map(|(objects, verbs)| {
        objects.split(' ').map(|object| (object.to_owned(), (*verbs).to_owned()))
    });
    each.collect()
}

const STATE: &str = "configmaps/dns01-shop configmaps/dns01-api configmaps/dns01-mail";
const KEYS: &str = "secrets/dns01-shop-key secrets/dns01-api-key secrets/dns01-mail-key";
const ACCOUNTS: &str = "secrets/dns01-account-corp secrets/dns01-account-letsencrypt secrets/dns01-account-letsencrypt-staging";
const ADOPTED: &str = "secrets/eab secrets/old-account";
const SINKS: &str = "secrets/api-cert secrets/mail-tls";
const WRITE: &str = "get create patch";

#[test]
#[ignore = "needs helm"]
fn each_class_may_do_what_the_journal_grants_it_for_these_certificates() {
    let rendered = render(&json!({"config": three(), "rbac": {"targetNamespaces": ["web"]}}));
    let here = |name: &str| {
        let roles = of_kind(&rendered, "Role").into_iter();
        let mut roles = roles.filter(|one| one["metadata"]["namespace"] == "certs");
        roles.find(|one| one["metadata"]["name"] == name).map(granted).unwrap_or_default()
    };
    for (class, rights) in [
        ("order", vec![(STATE, WRITE), (KEYS, WRITE), (ACCOUNTS, WRITE), (ADOPTED, "get")]),
        ("present", vec![]),
        ("wait", vec![]),
        ("issue", vec![(STATE, "get patch"), (KEYS, "get"), (ACCOUNTS, "get")]),
        ("store", vec![(STATE, "get patch"), (KEYS, "get"), (SINKS, WRITE)]),
        ("cleanup", vec![(STATE, "get patch")]),
        ("check", vec![(STATE, "get"), ("configmaps/dns01", "get"), (SINKS, "get")]),
        (
            "onepod",
            vec![
                (STATE, WRITE),
                (KEYS, WRITE),
                (ACCOUNTS, WRITE),
                (ADOPTED, "get"),
                (SINKS, WRITE),
            ],
        ),
        ("executor", vec![("workflowtaskresults/*", "create patch")]),
    ] {
        assert_eq!(here(&format!("dns01-{class}")), expected(&rights), "{class}");
    }
}

#[test]
#[ignore = "needs helm"]
fn a_sink_elsewhere_gets_a_role_there_if_that_namespace_is_allowed() {
    let rendered = render(&json!({"config": three(), "rbac": {"targetNamespaces": ["web"]}}));
    let roles = of_kind(&rendered, "Role").into_iter();
    let roles = roles.filter(|one| one["metadata"]["namespace"] != "certs");
    let found: Vec<_> = roles
        .map(|one| {
            let (name, namespace) = (&one["metadata"]["name"], &one["metadata"]["namespace"]);
            let binding = of_kind(&rendered, "RoleBinding").into_iter().find(|other| {
                other["metadata"]["name"] == *name && other["metadata"]["namespace"] == *namespace
            });
            let subject = binding.unwrap()["subjects"][0].clone();
            assert_eq!((&subject["name"], &subject["namespace"]), (name, &json!("certs")));
            (name.as_str().unwrap(), namespace.as_str().unwrap(), granted(one))
        })
        .collect();
    let shop = |verbs| expected(&[("secrets/shop-tls", verbs)]);
    assert_eq!(
        found,
        [
            ("dns01-check", "web", shop("get")),
            ("dns01-onepod", "web", shop(WRITE)),
            ("dns01-store", "web", shop(WRITE)),
        ],
        "and none in `mail`, which nobody has allowed"
    );
}

#[test]
#[ignore = "needs helm"]
fn nothing_lists_secrets_and_nothing_is_a_wildcard() {
    let sets = [
        json!({}),
        everything(),
        json!({"config": three(), "journal": {"create": "namespace"}}),
        json!({"existingConfigMaps": ["a"], "rbac": {"targetNamespaces": ["web"]}}),
        json!({"config": many(501)}),
    ];
    for values in sets {
        let rendered = render(&values);
        assert!(of_kind(&rendered, "ClusterRole").is_empty());
        for role in of_kind(&rendered, "Role") {
            assert!(!role["rules"].to_string().contains('*'), "{role}");
            for rule in role["rules"].as_array().unwrap() {
                let verbs: BTreeSet<_> = rule["verbs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|verb| verb.as_str().unwrap())
                    .collect();
                let of_ingresses = rule["resources"] == json!(["ingresses"]);
                let read: BTreeSet<_> = BTreeSet::from(["list", "watch"]);
                assert!(of_ingresses || verbs.is_disjoint(&read), "{rule}");
                let known = BTreeSet::from(["get", "create", "patch", "list", "watch"]);
                assert!(verbs.is_subset(&known), "{rule}");
            }
        }
    }
}

#[test]
#[ignore = "needs helm"]
fn five_hundred_certificates_are_listed_and_more_are_not() {
    let journals = |rendered: &[Value]| {
        let secrets = of_kind(rendered, "Secret").into_iter();
        secrets
            .filter(|one| one["metadata"]["labels"].get("dns01.dev/certificate").is_some())
            .count()
    };
    let rendered = render(&json!({"config": many(500)}));
    assert_eq!(journals(&rendered), 500);
    assert_eq!(granted(find(&rendered, "Role", "dns01-cleanup")).len(), 500);

    let rendered = render(&json!({"config": many(600)}));
    assert_eq!(journals(&rendered), 0);
    let all = expected(&[("configmaps/*", "get patch")]);
    assert_eq!(granted(find(&rendered, "Role", "dns01-cleanup")), all);
    let store = granted(find(&rendered, "Role", "dns01-store"));
    assert_eq!(store["secrets/c599-tls"], WRITE, "sinks are listed all the same");
}

#[test]
#[ignore = "needs helm"]
fn journal_objects_have_no_content_and_are_kept() {
    let rendered = render(&json!({"config": three()}));
    let mut names = BTreeSet::new();
    for object in &rendered {
        let labels = &object["metadata"]["labels"];
        let [of, account] =
            ["certificate", "account"].map(|key| labels.get(format!("dns01.dev/{key}")));
        if of.or(account).is_none() {
            continue;
        }
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations["helm.sh/resource-policy"], "keep");
        assert_eq!(annotations["argocd.argoproj.io/sync-options"], "Prune=false,Delete=false");
        for content in ["data", "stringData", "binaryData", "immutable"] {
            assert!(object.get(content).is_none(), "{object}");
        }
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        names.insert(format!("{kind}s/{}", object["metadata"]["name"].as_str().unwrap()));
    }
    let wanted =
        format!("{STATE} {KEYS} secrets/dns01-account-corp secrets/dns01-account-letsencrypt");
    assert_eq!(names, wanted.split(' ').map(str::to_owned).collect());
}

#[test]
#[ignore = "needs helm"]
fn no_secret_is_in_the_chart() {
    for object in of_kind(&render(&everything()), "Secret") {
        assert!(object.get("data").or(object.get("stringData")).is_none(), "{object}");
    }
}

#[test]
#[ignore = "needs helm"]
fn every_account_that_is_bound_exists_and_three_have_no_token() {
    let rendered = render(&everything());
    let names = names_of(&rendered, "ServiceAccount");
    for binding in of_kind(&rendered, "RoleBinding") {
        for subject in binding["subjects"].as_array().unwrap() {
            assert!(names.contains(text(&subject["name"])), "{subject}");
        }
        assert_eq!(binding["roleRef"]["name"], binding["metadata"]["name"]);
    }
    let without: BTreeSet<_> = of_kind(&rendered, "ServiceAccount")
        .into_iter()
        .filter(|one| one["automountServiceAccountToken"] == false)
        .map(|one| text(&one["metadata"]["name"]))
        .collect();
    assert_eq!(without, BTreeSet::from(["dns01-event-source", "dns01-present", "dns01-wait"]));
}
