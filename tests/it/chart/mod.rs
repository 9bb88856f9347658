//! `charts/dns01`: what it renders, what it refuses, and that it leaves journals alone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test needs and does not get fails it"
)]

mod conform;
mod generated;
mod page;
mod plain;
mod rendered;
mod rights;
mod triggers;
mod upgrade;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use harness::tool;
use serde::Deserialize as _;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn chart() -> PathBuf {
    root().join("charts/dns01")
}

/// The chart's own values.
fn values() -> Value {
    serde_yaml::from_str(&fs::read_to_string(chart().join("values.yaml")).unwrap()).unwrap()
}

/// helm with `arguments`, whose `-f -` is `values`.
fn helm(arguments: &[&str], values: &Value) -> Output {
    let home = std::env::temp_dir().join("dns01-helm");
    let mut helm = Command::new(tool("helm"));
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        helm.env(name, &home);
    }
    helm.env_remove("KUBECONFIG").args(arguments);
    run(&mut helm, &values.to_string())
}

/// What `command` says, given `input`.
fn run(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Both ends at once: a pipe holds less than a chart's text.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

/// What helm renders of `values` for the release `dns01` in the namespace `certs`: once, for all tests.
fn text_of(values: &Value) -> String {
    static RENDERED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let known = RENDERED.lock().unwrap().get(&values.to_string()).cloned();
    known.unwrap_or_else(|| {
        let text = template(values);
        RENDERED.lock().unwrap().insert(values.to_string(), text.clone());
        text
    })
}

fn template(values: &Value) -> String {
    let chart = chart();
    let arguments =
        ["template", "dns01", chart.to_str().unwrap(), "--namespace", "certs", "-f", "-"];
    let output = helm(&arguments, values);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same, parsed.
fn render(values: &Value) -> Vec<Value> {
    documents(&text_of(values))
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|object| !object.is_null())
        .collect()
}

/// What helm says when it refuses `values`.
fn refusal(values: &Value) -> String {
    let chart = chart();
    let output = helm(&["template", "dns01", chart.to_str().unwrap(), "-f", "-"], values);
    assert!(!output.status.success(), "{values} was taken");
    String::from_utf8(output.stderr).unwrap()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    objects
        .iter()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The names of all objects of a kind.
fn names_of(objects: &[Value], kind: &str) -> BTreeSet<String> {
    let names = of_kind(objects, kind).into_iter().map(|object| text(&object["metadata"]["name"]));
    names.map(str::to_owned).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Every map in `value`, itself included.
fn maps(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(next) = open.pop() {
        match next {
            Value::Object(map) => {
                found.push(next);
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => (),
        }
    }
    found
}

/// Three certificates, two CAs, sinks in three namespaces.
fn three() -> Value {
    json!({
        "version": 1,
        "issuers": {
            "letsencrypt": {"termsOfServiceAgreed": true},
            "corp": {
                "server": "https://ca.corp.example/acme/directory", "termsOfServiceAgreed": true,
                "privateKeySecretRef": {"name": "old-account"},
                "externalAccountBinding": {"keyID": "abc", "keySecretRef": {"name": "eab", "key": "secret"}},
            },
        },
        "solvers": [{"name": "public", "provider": "cloudflare", "credentials": {"secretName": "cf-token"}}],
        "certificates": [
            {"name": "shop", "dnsNames": ["shop.example.org"], "issuer": "letsencrypt",
             "sinks": [{"secret": {"name": "shop-tls", "namespace": "web"}}, {"dir": {"path": "/etc/ssl"}}]},
            {"name": "api", "dnsNames": ["*.api.example.org"], "issuer": "letsencrypt", "secretName": "api-cert"},
            {"name": "mail", "dnsNames": ["mail.example.org"], "issuer": "corp",
             "sinks": [{"secret": {"name": "mail-tls", "namespace": "mail"}}, {"secret": {"name": "mail-tls"}}]},
        ],
    })
}

/// So many certificates of one CA.
fn many(count: usize) -> Value {
    let one = |n| json!({"name": format!("c{n}"), "dnsNames": [format!("c{n}.example.org")]});
    json!({
        "version": 1,
        "issuers": {"letsencrypt": {"termsOfServiceAgreed": true}},
        "certificates": (0..count).map(one).collect::<Vec<_>>(),
    })
}

/// Everything on.
fn everything() -> Value {
    json!({
        "config": three(),
        "global": {"imagePullSecrets": [{"name": "pull"}], "commonLabels": {"team": "edge"}, "nodeSelector": {"disk": "ssd"}},
        "image": {"pullPolicy": "IfNotPresent", "digest": format!("sha256:{}", "0a".repeat(32))},
        "argo": {"instanceID": "blue"},
        "pod": {
            "resources": {"limits": {"memory": "256Mi"}},
            "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
            "volumes": [{"name": "roots", "configMap": {"name": "roots"}}],
            "volumeMounts": [{"name": "roots", "mountPath": "/etc/roots", "readOnly": true}],
            "labels": {"tier": "certs"}, "annotations": {"note": "none"},
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"nodeAffinity": {}}, "priorityClassName": "low",
        },
        "rbac": {"targetNamespaces": ["web", "mail"]},
        "renewal": {"enabled": true},
        "events": {
            "enabled": true, "eventBusName": "bus", "httpreq": {"enabled": true},
            "calendar": {"enabled": true, "certificate": "shop"}, "resource": {"enabled": true, "namespace": "web"},
        },
        "networkPolicy": {"enabled": true, "webhookFrom": [{"namespaceSelector": {}}]},
        "extraObjects": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra", "namespace": "certs"}},
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Release.Name }}-text', namespace: certs}}",
        ],
    })
}
