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
        "foreign-secret" => certificates[0]["secretName"] = "theirs".into(),
        "no-credentials" => {
            definitions["solvers"][0]["credentials"]["secretName"] = "misspelt".into();
        }
        other => panic!("{other}"),
    }
    definitions
}

/// What was given, as which parameters, and words of the message.
struct Case {
    what: &'static str,
    certificate: &'static str,
    definitions: &'static str,
    message: [&'static str; 2],
}

const fn case(
    what: &'static str,
    certificate: &'static str,
    definitions: &'static str,
    message: [&'static str; 2],
) -> Case {
    Case { what, certificate, definitions, message }
}

/// A name of 300 letters.
const LONG: &str = match str::from_utf8(&[b'x'; 300]) {
    Ok(name) => name,
    Err(_) => unreachable!(),
};

/// Seen by `renew-check`, or by Argo before any pod: nothing is written, and the CA is not asked.
const EARLY: [Case; 10] = [
    case(
        "a name that is not defined",
        "shop",
        "dns01",
        ["(exit code 11): renew-check: ", "`shop`"],
    ),
    case(
        "an unknown key",
        CERTIFICATE,
        "unknown-key",
        ["(exit code 11): renew-check: ", "write `dnsNames`"],
    ),
    case(
        "the same names twice",
        CERTIFICATE,
        "same-names",
        ["(exit code 11): renew-check: ", "`copy`"],
    ),
    case(
        "an unknown provider",
        CERTIFICATE,
        "unknown-provider",
        ["(exit code 11): renew-check: ", "use `rfc2136`"],
    ),
    case(
        "somebody else's Secret",
        CERTIFICATE,
        "foreign-secret",
        ["(exit code 26): renew-check: ", "secret:theirs"],
    ),
    case(
        "no such ConfigMap",
        CERTIFICATE,
        "misspelt",
        ["(exit code 21): renew-check: ", "`misspelt`"],
    ),
    case(
        "syntax of templates",
        "{{workflow.uid}}",
        "dns01",
        ["invalid label value", "{{workflow.uid}}"],
    ),
    case(
        "an expression",
        "{{=workflow.namespace}}",
        "dns01",
        ["invalid label value", "{{=workflow.namespace}}"],
    ),
    case(
        "the same as definitions",
        CERTIFICATE,
        "{{=1+1}}",
        ["(exit code 21): renew-check: ", "`2`"],
    ),
    case("300 letters", LONG, "dns01", ["invalid label value", "no more than 63 characters"]),
];

/// Seen by `present`, the first that holds credentials: an order was placed by then, which the next run goes on with.
const LATE: [Case; 1] = [case(
    "no such credentials",
    CERTIFICATE,
    "no-credentials",
    ["(exit code 11): present: ", "Secret `misspelt`"],
)];

/// The message that a user sees first: the first failed pod's, else the workflow's.
fn message(ended: &Ended) -> String {
    let nodes =
        ended.object["status"]["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
    let failed = nodes.filter(|node| node["type"] == "Pod" && node["phase"] == "Failed");
    let first = failed.min_by_key(|node| node["startedAt"].as_str().map(ToOwned::to_owned));
    let message = first.map_or(&ended.object["status"]["message"], |node| &node["message"]);
    message.as_str().unwrap_or_default().to_owned()
}

/// Submits all at once, and prints what each says.
fn submit(platform: &Platform, cases: &[Case]) {
    let start = |case: &Case| -> Workflow<'_> {
        let parameters = [("certificate", case.certificate), ("definitions", case.definitions)];
        platform.submit("dns01-certificate", &parameters)
    };
    let runs: Vec<_> = cases.iter().map(start).collect();
    let mut unclear = Vec::new();
    for (case, run) in cases.iter().zip(runs) {
        let ended = run.ended();
        let message = message(&ended);
        eprintln!("{:<27} {:<7} {message}", case.what, ended.phase());
        let is_clear = case.message.iter().all(|words| message.contains(words));
        if ended.phase() == "Succeeded" || !is_clear {
            unclear.push(format!("{}: {}", case.what, ended.table()));
        }
    }
    assert!(unclear.is_empty(), "{}", unclear.join("\n"));
}

#[test]
#[ignore = "needs the cluster"]
fn bad_input_is_refused_where_users_look_before_anything_is_written() {
    let platform = Platform::start("wrong");
    allow_any_certificate(&platform);
    platform.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "theirs"},
        "stringData": {"tls.crt": "theirs", "tls.key": "theirs"},
    }));
    for name in
        ["unknown-key", "unknown-provider", "same-names", "foreign-secret", "no-credentials"]
    {
        let text = serde_yaml::to_string(&wrong(&platform, name)).unwrap();
        platform.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"dns01.yaml": text},
        }));
    }
    let versions =
        "jsonpath={range .items[*]}{.kind}/{.metadata.name}/{.metadata.resourceVersion} {end}";
    let objects = || platform.kubectl(&["get", "configmaps,secrets", "-o", versions]);
    let before = objects();
    submit(&platform, &EARLY);
    assert_eq!((objects(), platform.pebble.requests()), (before, 0));
    // Four pods more.
    if std::env::var_os("DNS01_SOAK").is_some() {
        submit(&platform, &LATE);
        assert_eq!((platform.pebble.orders(), platform.pebble.finalized()), (1, 0));
        assert_eq!(platform.delivered(), None);
    }
    assert_eq!(platform.named.update_requests(), 0);
}
