//! A step's template is complete in itself, restricted, and gives out what its binary writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{IMAGE, Leaf, OUTPUTS, leaves, list, objects, text};

#[test]
fn outputs_are_those_of_the_binary_each_with_its_default() {
    for leaf in leaves() {
        let wanted: Vec<Value> = leaf
            .step
            .outputs()
            .iter()
            .map(|output| {
                let path = format!("{OUTPUTS}/{}", output.name);
                json!({"name": output.name, "valueFrom": {"path": path, "default": output.default}})
            })
            .collect();
        let outputs = list(&leaf.template.body["outputs"]["parameters"]);
        assert_eq!(outputs, wanted, "{}/{}", leaf.template.object, leaf.template.name);
        assert!(leaf.template.body["outputs"]["artifacts"].is_null(), "nothing else leaves a pod");
    }
}

#[test]
fn the_image_is_named_once_and_of_this_version() {
    let mut others = BTreeSet::new();
    for leaf in leaves() {
        for container in containers(&leaf) {
            let image = text(&container["image"]);
            if image != IMAGE {
                others.insert(image.to_owned());
            }
            assert!(!image.ends_with(":latest") && image.contains(':'), "{image}");
        }
    }
    let certbot = format!("docker.io/certbot/certbot:v{}", certbot_version());
    assert_eq!(others, BTreeSet::from([certbot]), "the certbot that the tests run");
    let kustomization = &super::documents(&super::folder().join("kustomization.yaml"))[0];
    let image = &kustomization["images"][0];
    assert_eq!(format!("{}:{}", text(&image["name"]), text(&image["newTag"])), IMAGE);
}

fn certbot_version() -> String {
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/certbot/requirements.txt");
    let pins = fs::read_to_string(pins).unwrap();
    pins.lines().find_map(|line| line.strip_prefix("certbot==")).unwrap().to_owned()
}

/// The main container, and what runs before it.
fn containers(leaf: &Leaf) -> Vec<Value> {
    let mut all = list(&leaf.template.body["initContainers"]);
    all.push(leaf.template.body["container"].clone());
    all
}

#[test]
fn every_pod_passes_pod_security_restricted() {
    for leaf in leaves() {
        let (at, body) = (&leaf.template.object, &leaf.template.body);
        let pod = &body["securityContext"];
        assert_eq!(
            (&pod["runAsNonRoot"], &pod["runAsUser"], &pod["seccompProfile"]["type"]),
            (&json!(true), &json!(65532), &json!("RuntimeDefault")),
            "{at}"
        );
        for container in containers(&leaf) {
            assert_restricted(&container["securityContext"], at);
            assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{at}");
            for bound in ["requests", "limits"] {
                for what in ["cpu", "memory"] {
                    assert!(
                        container["resources"][bound][what].is_string(),
                        "{at}: {bound} {what}"
                    );
                }
            }
        }
        // Argo's own containers take theirs from here alone, when they are reached by a templateRef.
        let patch: Value = serde_yaml::from_str(text(&body["podSpecPatch"])).unwrap();
        for (kind, name) in [("initContainers", "init"), ("containers", "wait")] {
            assert_eq!(patch[kind][0]["name"], name, "{at}");
            assert_restricted(&patch[kind][0]["securityContext"], at);
        }
    }
}

fn assert_restricted(context: &Value, at: &str) {
    assert_eq!(context["allowPrivilegeEscalation"], false, "{at}");
    assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}), "{at}");
}

#[test]
fn a_template_brings_all_it_needs() {
    for leaf in leaves() {
        let (at, body) = (&leaf.template.object, &leaf.template.body);
        let volumes: BTreeSet<&str> = body["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|volume| text(&volume["name"]))
            .collect();
        let mut used = BTreeSet::new();
        for container in &containers(&leaf) {
            for mount in list(&container["volumeMounts"]) {
                let name = text(&mount["name"]).to_owned();
                assert!(volumes.contains(&*name), "{at}: {name}");
                used.insert(name);
            }
        }
        assert_eq!(used.len(), volumes.len(), "{at}: a volume that nobody mounts");
        for key in ["serviceAccountName", "activeDeadlineSeconds"] {
            assert!(!body[key].is_null(), "{at}: {key}");
        }
        assert!(!leaf.template.text().contains("workflow.parameters"), "{at}");
    }
    for object in objects() {
        for key in [
            "volumes",
            "volumeClaimTemplates",
            "serviceAccountName",
            "hooks",
            "onExit",
            "synchronization",
        ] {
            let name = &object["metadata"]["name"];
            assert!(
                object["spec"][key].is_null(),
                "{name}: a templateRef leaves spec.{key} behind"
            );
        }
    }
}

#[test]
fn a_volume_always_names_something_and_may_be_absent() {
    for leaf in leaves() {
        for volume in list(&leaf.template.body["volumes"]) {
            let (source, parameter) = match text(&volume["name"]) {
                "credentials" => (&volume["secret"], "credentials-secret"),
                "definitions" => (&volume["configMap"], "definitions"),
                _ => continue,
            };
            assert_eq!(source["optional"], true, "{}", leaf.template.object);
            let name = source.get("secretName").or(source.get("name")).unwrap();
            let named = |value: &str| {
                let given = [(parameter.to_owned(), value.to_owned())].into();
                super::render::render(text(name), &given)
            };
            assert_eq!((named(""), named("shop")), ("dns01-none".into(), "shop".into()));
        }
    }
}

/// The crates of this workspace that a step's library links.
fn rooms(step: &str) -> String {
    let manifest =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../steps/{step}/Cargo.toml"));
    fs::read_to_string(manifest).unwrap()
}

#[test]
fn credentials_and_tokens_go_only_to_steps_that_can_use_them() {
    for leaf in leaves().iter().filter(|leaf| leaf.step.name != "issue") {
        let (at, body, rooms) = (&leaf.template.object, &leaf.template.body, rooms(leaf.step.name));
        let mounts = body["container"]["volumeMounts"].to_string();
        if !rooms.contains("dns01-providers") {
            assert!(!mounts.contains("credentials"), "{at}");
        }
        let has_token = body.get("automountServiceAccountToken").is_none();
        assert_eq!(has_token, rooms.contains("dns01-store"), "{at}");
        if !has_token {
            assert_eq!(body["automountServiceAccountToken"], false, "{at}");
            assert_eq!(body["executor"]["serviceAccountName"], "dns01-executor", "{at}");
        }
    }
}

#[test]
fn a_step_gives_up_by_itself_before_it_is_killed() {
    for leaf in leaves() {
        let deadline = leaf.template.body["activeDeadlineSeconds"].as_u64().unwrap();
        let command = leaf.step.command();
        let timeout = command.get_arguments().find(|arg| arg.get_long() == Some("timeout"));
        let own =
            timeout.and_then(|arg| arg.get_default_values().first()?.to_str()).unwrap_or("0m");
        let minutes: u64 = own.trim_end_matches('m').parse().unwrap();
        assert!(minutes * 60 < deadline, "{}: {own} of {deadline} s", leaf.template.object);
    }
}
