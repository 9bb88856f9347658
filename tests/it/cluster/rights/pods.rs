//! The pods of a run: who holds a token, and whether all of a pod is within Pod Security `restricted`.

use super::platform::Platform;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the kubelet puts a token.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Asserts what the contract says of tokens about every pod of the namespace; the classes that it has seen.
pub(super) fn assert_tokens(pods: &[Value]) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for pod in pods {
        let spec = &pod["spec"];
        let class = spec["serviceAccountName"].as_str().unwrap().trim_start_matches("dns01-");
        *seen.entry(class.to_owned()).or_default() += 1;
        for container in containers(spec) {
            let held = token_of(spec, container);
            let expected = match (class, container["name"].as_str().unwrap()) {
                ("present" | "wait", "init" | "wait") => {
                    Some("dns01-executor.service-account-token")
                }
                ("present" | "wait", _) => None,
                _ => Some("its own"),
            };
            assert_eq!(held, expected, "{} in a pod of `{class}`: {spec:#}", container["name"]);
        }
    }
    seen
}

/// Asserts that each pod would be admitted again without a warning, and that none would if it asked for more.
pub(super) fn assert_restricted(platform: &Platform, pods: &[Value]) {
    for pod in pods {
        for container in containers(&pod["spec"]) {
            let own = &container["securityContext"];
            assert_eq!(own["allowPrivilegeEscalation"], false, "{container:#}");
            assert_eq!(own["capabilities"], json!({"drop": ["ALL"]}), "{container:#}");
        }
        let of_all = &pod["spec"]["securityContext"];
        assert_eq!(of_all["runAsNonRoot"], true, "{of_all}");
        assert_eq!(of_all["seccompProfile"]["type"], "RuntimeDefault", "{of_all}");
    }
    let mut again: Vec<Value> = pods.iter().map(anew).collect();
    let said = dry_run(platform, &again).unwrap();
    assert!(said.is_empty(), "{said}");
    for (number, pod) in again.iter_mut().enumerate() {
        let count = pod["spec"]["containers"].as_array().unwrap().len();
        pod["spec"]["containers"][number % count]["securityContext"]["allowPrivilegeEscalation"] =
            true.into();
    }
    let refused = dry_run(platform, &again).unwrap_err();
    let violations = refused.matches("violates PodSecurity \"restricted:latest\"").count();
    assert_eq!(violations, again.len(), "{refused}");
}

/// What kubectl warns of when these are created, without creating them; what it says when one is refused.
fn dry_run(platform: &Platform, pods: &[Value]) -> Result<String, String> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": pods});
    let file = platform.lab.folder("pods").join("pods.json");
    std::fs::write(&file, list.to_string()).unwrap();
    let arguments = ["create", "--dry-run=server", "-n", &platform.namespace, "-f"];
    let output = platform.cluster.kubectl().command(&arguments).arg(file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// The pod as it would be created a second time.
fn anew(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let name = format!("again-{}", pod["metadata"]["name"].as_str().unwrap());
    pod["metadata"] = json!({"name": name, "annotations": pod["metadata"]["annotations"]});
    for assigned in ["nodeName", "priority"] {
        pod["spec"].as_object_mut().unwrap().remove(assigned);
    }
    pod.as_object_mut().unwrap().remove("status");
    pod
}

/// Argo's and ours, the first ones included.
fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(|key| spec[key].as_array().into_iter().flatten())
}

/// Whose token a container can read: the name of a Secret, or `its own`.
fn token_of<'a>(spec: &'a Value, container: &Value) -> Option<&'a str> {
    let mounts = container["volumeMounts"].as_array().into_iter().flatten();
    let mut held = mounts.filter_map(|mount| {
        let volumes = spec["volumes"].as_array().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let is_projected = volume["projected"]["sources"].as_array().is_some_and(|sources| {
            sources.iter().any(|one| one.get("serviceAccountToken").is_some())
        });
        let secret = volume["secret"]["secretName"].as_str();
        let token = secret.filter(|name| name.ends_with(".service-account-token"));
        let found = token.or(is_projected.then_some("its own"));
        assert_eq!(found.is_some(), mount["mountPath"] == TOKEN, "{mount} of {volume}");
        found
    });
    held.next()
}
