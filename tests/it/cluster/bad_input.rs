//! What users get wrong: said where they look, with the documented code, and before anything is written.

use super::failures::allow_any_certificate;
use super::platform::{CERTIFICATE, Platform};
use super::workflow::{Ended, Workflow};
use harness::NameServer as _;
use serde_json::{Value, json};

/// Definitions with one thing wrong, each in a ConfigMap of its own.
fn wrong(platform: &Platform, name: &str) -> Value {
    let mut definitions = platform.definitions();
    let certificates = definitions["certificates"].as_array_mut().unwrap();
    match name {
        "unknown-key" => certificates[0]["dnsname"] = json!(["example.test"]),
        "unknown-provider" => definitions["solvers"][0]["provider"] = "rfc2137".into(),
        "same-names" => {
            let mut second = certificates[0].clone();
            second["name"] = "copy".into();
            certificates.push(second);
        }
        "no-credentials" => {
            definitions["solvers"][0]["credentials"]["secretName"] = "misspelt".into()
        }
        other => panic!("{other}"),
    }
    definitions
}

/// What was given, as which parameters, and the code and words of the message.
struct Case {
    what: &'static str,
    certificate: String,
    definitions: &'static str,
    message: [&'static str; 3],
}

fn cases() -> Vec<Case> {
    let case = |what, certificate: &str, definitions, message| Case {
        what,
        certificate: certificate.to_owned(),
        definitions,
        message,
    };
    let long = "x".repeat(300);
    vec![
        case("a name that is not defined", "shop", "dns01", ["exit code 11", "`shop`", "dns01"]),
        case("an unknown key", CERTIFICATE, "unknown-key", ["exit code 11", "dnsname", "dnsNames"]),
        case(
            "an unknown provider",
            CERTIFICATE,
            "unknown-provider",
            ["exit code 11", "rfc2137", "rfc2136"],
        ),
        case(
            "the same names twice",
            CERTIFICATE,
            "same-names",
            ["exit code 11", "copy", CERTIFICATE],
        ),
        case("no such ConfigMap", CERTIFICATE, "misspelt", ["exit code 11", "misspelt", ""]),
        case("a template's syntax", "{{workflow.uid}}", "dns01", ["", "", ""]),
        case("an expression", "{{=workflow.namespace}}", "dns01", ["", "", ""]),
        case("template syntax as definitions", CERTIFICATE, "{{workflow.namespace}}", ["", "", ""]),
        case("300 letters", &long, "dns01", ["", "", ""]),
    ]
}

/// The message that a user sees first: the first failed pod's, else the workflow's.
fn message(ended: &Ended) -> String {
    let nodes =
        ended.object["status"]["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
    let mut failed = nodes.filter(|node| node["type"] == "Pod" && node["phase"] == "Failed");
    let message = failed.next().map_or(&ended.object["status"]["message"], |node| &node["message"]);
    message.as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs the cluster"]
fn bad_input_is_refused_where_users_look_before_anything_is_written() {
    let platform = Platform::start("wrong");
    allow_any_certificate(&platform);
    for name in ["unknown-key", "unknown-provider", "same-names", "no-credentials"] {
        let text = serde_yaml::to_string(&wrong(&platform, name)).unwrap();
        platform.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"dns01.yaml": text},
        }));
    }
    let objects = || {
        platform.kubectl(&[
            "get",
            "configmaps,secrets",
            "-o",
            "jsonpath={range .items[*]}{.kind}/{.metadata.name}/{.metadata.resourceVersion} {end}",
        ])
    };
    let before = objects();
    let cases = cases();
    let start = |case: &Case| -> Workflow<'_> {
        let parameters =
            [("certificate", case.certificate.as_str()), ("definitions", case.definitions)];
        platform.submit("dns01-certificate", &parameters)
    };
    let runs: Vec<_> = cases.iter().map(start).collect();
    for (case, run) in cases.iter().zip(runs) {
        let ended = run.ended();
        let message = message(&ended);
        eprintln!("{:<32} {} {message}", case.what, ended.phase());
        assert_ne!(ended.phase(), "Succeeded", "{}", ended.table());
        assert!(
            case.message.iter().all(|words| message.contains(words)),
            "{}: {}",
            case.what,
            ended.table()
        );
    }
    assert_eq!(
        (objects(), platform.pebble.requests(), platform.named.update_requests()),
        (before, 0, 0)
    );
}
