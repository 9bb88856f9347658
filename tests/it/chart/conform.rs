//! What is rendered, against the schemas of a real API server and of Argo's own definitions, and by Argo's own linters.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{KubeApi, Lab, tool, tools_dir};
use serde_json::{Map, Value, json};

use super::{everything, maps, render, run, three};
use crate::templates::{documents, yaml_files};

/// Writes one schema for each kind that the chart may render.
fn write_schemas(folder: &Path) {
    let write = |kind: &str, schema: &Value| {
        let file = folder.join(format!("{}.json", kind.to_lowercase()));
        fs::write(file, schema.to_string()).unwrap();
    };
    for group in ["api/v1", "apis/rbac.authorization.k8s.io/v1", "apis/networking.k8s.io/v1"] {
        let api = KubeApi::shared().get(&format!("/openapi/v3/{group}")).unwrap();
        let schemas = &api["components"]["schemas"];
        for (name, schema) in schemas.as_object().unwrap() {
            for kind in schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
                let reference = format!("#/components/schemas/{name}");
                let used = json!({"schemas": used(schemas, name)});
                let mut whole = json!({"$ref": reference, "components": used});
                forbid_more(&mut whole);
                write(kind["kind"].as_str().unwrap(), &whole);
            }
        }
    }
    for crds in ["argo-workflows/base/crds/full", "argo-events/base/crds"] {
        for file in yaml_files(&tools_dir().join("manifests").join(crds)) {
            for crd in documents(&file) {
                let Some(versions) = crd["spec"]["versions"].as_array() else { continue };
                let mut schema = versions[0]["schema"]["openAPIV3Schema"].clone();
                forbid_more(&mut schema);
                write(crd["spec"]["names"]["kind"].as_str().unwrap(), &schema);
            }
        }
    }
}

/// The schema `name` and those that it refers to: with all of them kubeconform takes a second for each kind.
fn used(schemas: &Value, name: &str) -> Map<String, Value> {
    let (mut found, mut open) = (Map::new(), vec![name]);
    while let Some(name) = open.pop() {
        if found.insert(name.to_owned(), schemas[name].clone()).is_none() {
            let references =
                maps(&schemas[name]).into_iter().filter_map(|map| map["$ref"].as_str());
            open.extend(references.filter_map(|reference| reference.rsplit('/').next()));
        }
    }
    found
}

/// Lets an object have the fields that its schema lists, and no other.
fn forbid_more(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(forbid_more);
            let is_open = map.get("x-kubernetes-preserve-unknown-fields").is_some();
            if map.get("properties").is_some_and(Value::is_object) && !is_open {
                map.entry("additionalProperties").or_insert(false.into());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(forbid_more),
        _ => (),
    }
}

/// What kubeconform says of `objects`; `Err` where it refuses one.
fn conform(schemas: &Path, objects: &[Value]) -> Result<(), String> {
    let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
    let location = schemas.join("{{.ResourceKind}}.json");
    let mut kubeconform = Command::new(tool("kubeconform"));
    kubeconform.args(["-strict", "-schema-location", location.to_str().unwrap()]);
    let output = run(&mut kubeconform, &texts.join("\n---\n"));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// The sets of values that between them render every kind.
fn sets() -> [Value; 4] {
    let mut dag = everything();
    dag["renewal"] = json!({"enabled": true, "mode": "dag", "suspend": true, "timezone": ""});
    [json!({}), json!({"config": three()}), everything(), dag]
}

#[test]
#[ignore = "needs helm, kubeconform, kube-apiserver"]
fn every_object_is_what_its_kind_allows() {
    let lab = Lab::new();
    let schemas = lab.folder("schemas");
    write_schemas(&schemas);
    for values in sets() {
        conform(&schemas, &render(&values)).unwrap_or_else(|said| panic!("{values}: {said}"));
    }
    let all = render(&everything());
    // Or this test sees nothing. Argo Events leaves `spec` open: its own linter looks at that, below.
    for (kind, path) in [
        ("WorkflowTemplate", "/spec/templates/0/container"),
        ("CronWorkflow", "/spec"),
        ("Service", "/spec"),
        ("NetworkPolicy", "/spec"),
        ("Role", "/rules/0"),
    ] {
        let mut object = all.iter().find(|object| object["kind"] == kind).unwrap().clone();
        object.pointer_mut(path).unwrap()["typo"] = true.into();
        let said = conform(&schemas, &[object]).expect_err(kind);
        assert!(said.contains("typo"), "{kind}: {said}");
    }
}

#[test]
#[ignore = "needs helm, argo-lint, argo-events"]
fn argos_own_linters_are_content_with_what_is_rendered() {
    let lab = Lab::new();
    for values in sets() {
        let folder = lab.folder("rendered");
        for (number, object) in render(&values).iter().enumerate() {
            let kind = object["kind"].as_str().unwrap();
            if ["WorkflowTemplate", "CronWorkflow", "EventSource", "Sensor"].contains(&kind) {
                let text = serde_yaml::to_string(object).unwrap();
                fs::write(folder.join(format!("{number:02}-{kind}.yaml")), text).unwrap();
            }
        }
        let files = yaml_files(&folder);
        for (program, arguments) in [("argo-lint", &[][..]), ("argo-events", &["lint", "--strict"])]
        {
            let output = run(Command::new(tool(program)).args(arguments).args(&files), "");
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(output.status.success(), "{program}: {said}");
        }
    }
}
