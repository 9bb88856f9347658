//! What the values change in what is rendered.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{everything, find, maps, names_of, of_kind, render, text, text_of, three};

const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";

/// Values of a key anywhere in `objects`.
fn all_of(objects: &[Value], key: &str) -> Vec<Value> {
    objects.iter().flat_map(maps).filter_map(|map| map.get(key).cloned()).collect()
}

/// The containers of our own images, and the templates that they are in.
fn pods(objects: &[Value]) -> Vec<&Value> {
    let all = objects.iter().flat_map(maps);
    all.filter(|map| map["container"].get("image").is_some()).collect()
}

#[test]
#[ignore = "needs helm"]
fn every_object_has_its_namespace_and_labels() {
    for mut values in [json!({}), json!({"config": three()}), everything()] {
        values["extraObjects"] = json!([]);
        for object in render(&values) {
            let metadata = &object["metadata"];
            let name = &metadata["name"];
            assert!(
                ["certs", "web", "mail"].iter().any(|known| metadata["namespace"] == *known),
                "{name}: {}",
                metadata["namespace"]
            );
            let labels = &metadata["labels"];
            assert_eq!(labels["app.kubernetes.io/instance"], "dns01", "{name}");
            assert_eq!(labels["app.kubernetes.io/managed-by"], "Helm", "{name}");
            let wanted = values["global"]["commonLabels"]["team"].clone();
            assert_eq!(labels.get("team").cloned().unwrap_or_default(), wanted, "{name}");
        }
    }
}

#[test]
#[ignore = "needs helm"]
fn a_namespace_of_its_own_holds_everything() {
    let mut values = everything();
    values["namespaceOverride"] = "elsewhere".into();
    values["rbac"] = json!({});
    values["events"]["resource"]["namespace"] = "".into();
    values["extraObjects"] = json!([]);
    for object in render(&values) {
        assert_eq!(object["metadata"]["namespace"], "elsewhere", "{}", object["metadata"]["name"]);
    }
}

#[test]
#[ignore = "needs helm"]
fn an_instance_id_is_on_all_that_a_controller_looks_at() {
    let rendered = render(&everything());
    let mut workflows = 0;
    for object in &rendered {
        if object["metadata"]["name"] != "extra" && object["metadata"]["name"] != "dns01-text" {
            assert_eq!(object["metadata"]["labels"][INSTANCE], "blue", "{}", object["metadata"]);
        }
        for workflow in maps(&object["spec"]).iter().filter(|map| map["kind"] == "Workflow") {
            workflows += 1;
            assert_eq!(workflow["metadata"]["labels"][INSTANCE], "blue", "made by a Sensor");
            assert_eq!(workflow["metadata"]["labels"]["team"], "edge");
        }
    }
    assert_eq!(workflows, 5, "one for each trigger");
    assert!(!text_of(&json!({})).contains(INSTANCE));
}

#[test]
#[ignore = "needs helm"]
fn an_image_is_named_by_tag_or_pinned_by_digest() {
    let ours = |values: &Value| -> BTreeSet<String> {
        let images = all_of(&render(values), "image").into_iter();
        images
            .map(|image| image.as_str().unwrap().to_owned())
            .filter(|image| !image.contains("/certbot:"))
            .collect()
    };
    let version = env!("CARGO_PKG_VERSION");
    let expect = |image: &str| BTreeSet::from([image.to_owned()]);
    assert_eq!(ours(&json!({})), expect(&format!("ghcr.io/dns01/dns01:{version}")));
    let mirrored = json!({"image": {"repository": "registry.example/dns01", "tag": "1.2.3"}});
    assert_eq!(ours(&mirrored), expect("registry.example/dns01:1.2.3"));
    let pinned = format!("ghcr.io/dns01/dns01@sha256:{}", "0a".repeat(32));
    assert_eq!(ours(&everything()), expect(&pinned));
}

#[test]
#[ignore = "needs helm"]
fn what_is_said_of_pods_reaches_every_pod() {
    let rendered = render(&everything());
    let pods = pods(&rendered);
    assert!(pods.len() >= 9, "the steps, and two composites with a pod of their own");
    for pod in pods {
        let name = &pod["name"];
        assert_eq!(pod["nodeSelector"], json!({"disk": "ssd"}), "{name}");
        assert_eq!(pod["priorityClassName"], "low", "{name}");
        assert_eq!(pod["tolerations"], json!([{"operator": "Exists"}]), "{name}");
        assert_eq!(pod["affinity"], json!({"nodeAffinity": {}}), "{name}");
        assert_eq!(pod["metadata"]["labels"], json!({"tier": "certs", "team": "edge"}), "{name}");
        assert_eq!(pod["metadata"]["annotations"], json!({"note": "none"}), "{name}");
        let has = |list: &Value, entry: &str| {
            list.as_array().unwrap().iter().any(|one| one["name"] == entry)
        };
        assert!(has(&pod["volumes"], "roots") && has(&pod["volumes"], "outputs"), "{name}");
        let container = &pod["container"];
        assert!(has(&container["volumeMounts"], "roots"), "{name}");
        assert!(has(&container["env"], "HTTPS_PROXY"), "{name}");
        assert!(has(&container["env"], "DNS01_LOG_FORMAT"), "{name}: and its own");
        assert_eq!(container["resources"], json!({"limits": {"memory": "256Mi"}}), "{name}");
    }
}

#[test]
#[ignore = "needs helm"]
fn the_configuration_is_passed_on_word_for_word() {
    let text = "# mine\nversion: 1\ncertificates:\n- {name: shop, dnsNames: [\"*.example.org\"]}\n";
    let rendered = render(&json!({"config": text}));
    assert_eq!(find(&rendered, "ConfigMap", "dns01")["data"]["dns01.yaml"], text);

    let rendered = render(&json!({"config": three()}));
    let written = find(&rendered, "ConfigMap", "dns01")["data"]["dns01.yaml"].as_str().unwrap();
    assert_eq!(serde_yaml::from_str::<Value>(written).unwrap(), three());
}

#[test]
#[ignore = "needs helm"]
fn config_maps_of_ones_own_are_where_definitions_are_looked_for() {
    let rendered = render(&json!({"existingConfigMaps": ["a", "b"]}));
    assert!(of_kind(&rendered, "ConfigMap").is_empty());
    let lists = all_of(&rendered, "parameters");
    let parameters = lists.iter().filter_map(Value::as_array).flatten();
    let defaults: BTreeSet<&str> = parameters
        .filter(|one| one["name"] == "definitions")
        .filter_map(|one| one["value"].as_str())
        .filter(|value| !value.contains("{{"))
        .collect();
    assert_eq!(defaults, BTreeSet::from(["", "a,b"]));
}

#[test]
#[ignore = "needs helm"]
fn under_another_name_every_reference_is_followed() {
    let mut values = everything();
    values["fullnameOverride"] = "acme".into();
    let rendered = render(&values);
    let [templates, accounts, sources] =
        ["WorkflowTemplate", "ServiceAccount", "EventSource"].map(|kind| names_of(&rendered, kind));
    for key in ["templateRef", "workflowTemplateRef"] {
        let found = all_of(&rendered, key);
        assert!(!found.is_empty(), "{key}");
        for reference in found {
            assert!(templates.contains(text(&reference["name"])), "{reference}");
        }
    }
    for (key, known) in [("serviceAccountName", &accounts), ("eventSourceName", &sources)] {
        for name in all_of(&rendered, key) {
            assert!(known.contains(text(&name)), "{key}: {name}");
        }
    }
    for service in of_kind(&rendered, "Service") {
        assert!(sources.contains(text(&service["spec"]["selector"]["eventsource-name"])));
    }
    for name in templates.iter().chain(&accounts).chain(&sources) {
        assert!(name.starts_with("acme-"), "{name}");
    }
}

#[test]
#[ignore = "needs helm"]
fn an_account_of_ones_own_is_used_and_bound() {
    let values =
        json!({"serviceAccounts": {"order": {"create": false, "name": "mine"}}, "config": three()});
    let rendered = render(&values);
    let template = &find(&rendered, "WorkflowTemplate", "dns01-order")["spec"]["templates"][0];
    assert_eq!(template["serviceAccountName"], "mine");
    assert_eq!(find(&rendered, "RoleBinding", "dns01-order")["subjects"][0]["name"], "mine");
    assert!(!names_of(&rendered, "ServiceAccount").contains("dns01-order"));
}

#[test]
#[ignore = "needs helm"]
fn further_objects_come_as_mapping_or_as_text() {
    let rendered = render(&everything());
    find(&rendered, "ConfigMap", "extra");
    find(&rendered, "ConfigMap", "dns01-text");
}

#[test]
#[ignore = "needs helm"]
fn what_is_off_leaves_nothing_behind() {
    let values = json!({"templates": {"enabled": false}, "rbac": {"create": false}});
    let rendered = render(&values);
    let kinds: BTreeSet<_> = rendered.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    // Roles by other hands need the accounts all the same.
    assert_eq!(kinds, BTreeSet::from(["Secret", "ServiceAccount"]));
}
