//! Names without a definition: each refusal prints the Role that is missing, and that Role is enough. The run that
//! follows has a pod of every class, which are looked at.

use super::super::workflow::{Ended, Workflow};
use super::client::Client;
use super::grid::rendered;
use super::platform::{NAMES, Platform};
use super::pods::{assert_restricted, assert_tokens};
use super::shell;
use harness::NameServer as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
#[ignore = "needs the cluster, helm"]
fn what_is_refused_prints_the_role_that_allows_it() {
    let platform = Platform::start("adhoc");
    let roots = std::fs::read_to_string(platform.pebble.ca_file()).unwrap();
    platform.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "roots"}, "data": {"ca.pem": roots},
    }));

    // The journal, with the Roles of another certificate.
    let printed = refused(&issue(&platform), "renew-check");
    assert!(printed.contains(r#""resourceNames":["dns01-example-test"]"#), "{printed}");
    run(&platform, &printed);

    // The sink.
    let printed = refused(&issue(&platform), "renew-check");
    assert!(
        printed
            .contains(r#""resourceNames":["adhoc-tls"],"resources":["secrets"],"verbs":["get"]"#),
        "{printed}"
    );
    run(&platform, &printed);
    let check = Client::of(platform.cluster, &platform.namespace, "dns01-check");
    let sink = format!("/api/v1/namespaces/{}/secrets/adhoc-tls", platform.namespace);
    assert!(check.may("get", &sink, &Value::Null) && !check.may("patch", &sink, &Value::Null));

    // All journals of the namespace, as the chart's `journal.create: namespace` grants it. It grants no sink.
    let values = ["--set", "journal.create=namespace", "--set-json", r#"config={"version":1}"#];
    platform.cluster.kubectl().apply(None, &rendered(&platform.namespace, &values));
    let snooping = inside(&platform, ["dns01-present", "dns01-wait-propagation"]);
    let printed = refused(&issue(&platform), "store-secret");
    assert!(printed.contains(r#""verbs":["get","patch","create"]"#), "{printed}");
    platform.assert_zone_is_clean();
    assert_eq!(platform.pebble.issued(), 1);
    run(&platform, &printed);

    let again =
        [("certificate", "example-test"), ("generation", "1"), ("sink", "secret:adhoc-tls")];
    Workflow::submit(&platform, "dns01-store-secret", &again).ended().succeeded();
    assert!(platform.get("secret/adhoc-tls").is_some());

    // Where nothing of the API can be reached, a step cannot even find the cluster.
    let snooping = snooping.ended();
    for template in ["dns01-present", "dns01-wait-propagation"] {
        let message = message(&snooping, template);
        assert!(message.contains("no Kubernetes cluster is configured"), "{message}");
        assert!(message.contains("exit 11"), "{message}");
    }

    let pods = platform.cluster.kubectl().list(&platform.namespace, "pods", "");
    let seen = assert_tokens(&pods);
    eprintln!("pods by class: {seen:?}");
    let classes: BTreeSet<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        classes,
        BTreeSet::from(["check", "cleanup", "issue", "order", "present", "store", "wait"])
    );
    assert_restricted(&platform, &pods);
}

/// A run for names that nothing defines. The CA of the tests is one that no pod trusts by itself.
fn issue(platform: &Platform) -> Ended {
    let parameters = [
        ("domains", NAMES.join(",")),
        ("provider", "rfc2136".to_owned()),
        ("credentials-secret", "rfc2136".to_owned()),
        ("secret-name", "adhoc-tls".to_owned()),
        ("server", platform.pebble.directory()),
        ("agree-tos", "true".to_owned()),
        ("resolver", platform.named.resolver()),
    ];
    let parameters = parameters.map(|(name, value)| json!({"name": name, "value": value}));
    let trust = json!({
        "volumes": [{"name": "roots", "configMap": {"name": "roots"}}],
        "containers": [{
            "name": "main",
            "env": [{"name": "SSL_CERT_FILE", "value": "/roots/ca.pem"}],
            "volumeMounts": [{"name": "roots", "mountPath": "/roots"}],
        }],
    });
    let run = Workflow::create(
        platform,
        &json!({
            "workflowTemplateRef": {"name": "dns01-certificate"},
            "arguments": {"parameters": parameters},
            "podSpecPatch": trust.to_string(),
        }),
    );
    run.ended()
}

/// What the node of a refused step tells people to run.
#[track_caller]
fn refused(ended: &Ended, step: &str) -> String {
    let message = message(ended, step);
    let text =
        message.strip_suffix("; exit 20 (auth refused)").unwrap_or_else(|| panic!("{message}"));
    text.split_once("grant it: ").unwrap().1.to_owned()
}

/// What the failed pod of a step says.
#[track_caller]
fn message<'a>(ended: &'a Ended, step: &str) -> &'a str {
    let nodes = ended.object["status"]["nodes"].as_object().unwrap();
    let mut of_step = nodes.values().filter(|node| {
        node["type"] == "Pod" && node["name"].as_str().unwrap().contains(&format!(".{step}("))
    });
    let message = of_step.find_map(|node| node["message"].as_str());
    message.unwrap_or_else(|| panic!("{step} has not failed:\n{}", ended.table()))
}

/// Runs it, word for word. kubectl checks what it is given against the schema, which a busy server takes long to write: it is
/// asked for first, with more patience than kubectl's own.
#[track_caller]
fn run(platform: &Platform, command: &str) {
    platform.kubectl(&["get", "--raw=/openapi/v2", "--request-timeout=5m"]);
    let output = shell(platform.cluster, command).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Pods of these templates as they are, but for what runs in them: a step that reads from the API.
fn inside<'a>(platform: &'a Platform, templates: [&str; 2]) -> Workflow<'a> {
    let leaves = templates.map(|name| {
        let whole = platform.get(&format!("workflowtemplate/{name}")).unwrap();
        let mut leaf = whole["spec"]["templates"][0].clone();
        leaf["name"] = name.into();
        leaf["inputs"] = whole["spec"]["arguments"].clone();
        leaf["container"]["command"] = json!(["/renew-check"]);
        leaf["container"]["args"] =
            json!(["--certificate=example-org", "--config=configmap:dns01", "--journal=kube:"]);
        leaf
    });
    let both = json!({"name": "both", "steps": [templates.map(|name| json!({"name": name, "template": name, "continueOn": {"failed": true}}))]});
    let [first, second] = leaves;
    Workflow::create(platform, &json!({"entrypoint": "both", "templates": [both, first, second]}))
}
