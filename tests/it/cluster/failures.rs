//! Each phase of `dns01-certificate` made to fail by what makes it fail in real life.

use super::platform::Platform;
use super::retry::retry;
use super::workflow::{Ended, Workflow};
use harness::{NameServer as _, Named, Pebble, PebbleBuilder, Zone};
use serde_json::{Value, json};

/// A node, why it fails, the certificate that makes it, the exit code, and what its message says.
const CASES: [(&str, &str, &str, u8, [&str; 2]); 5] = [
    ("order", "the CA refuses the name", "refused", 22, ["refused.example.test", "policy"]),
    (
        "present",
        "wrong TSIG key",
        "stranger",
        20,
        ["_acme-challenge.stranger.example.test", "TSIG"],
    ),
    (
        "wait-propagation",
        "a secondary is not told",
        "late",
        80,
        ["_acme-challenge.late.test", "1 of 2"],
    ),
    ("issue", "the CA sees no record", "unseen", 23, ["unseen.example.test", "start a new run"]),
    (
        "store-secret",
        "the Secret is somebody else's",
        "taken",
        26,
        ["secret:taken-tls", "somebody else"],
    ),
];

/// What the chart's `journal: {create: namespace}` adds: rights for any certificate of the namespace.
pub(crate) fn allow_any_certificate(platform: &Platform) {
    let subjects: Vec<_> = ["check", "order", "issue", "store", "cleanup", "onepod"]
        .map(|class| json!({"kind": "ServiceAccount", "name": format!("dns01-{class}")}))
        .into();
    let (group, name) = ("rbac.authorization.k8s.io", "any-certificate");
    let verbs = ["get", "create", "patch"];
    platform.apply(&json!({
        "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": verbs}],
    }));
    platform.apply(&json!({
        "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name}, "subjects": subjects,
    }));
}

/// The name that a certificate is for.
fn domain(certificate: &str) -> String {
    if certificate == "late" {
        "late.test".to_owned()
    } else {
        format!("{certificate}.example.test")
    }
}

/// The definitions of all cases: what fails is the name, the solver, the CA or the sink.
fn definitions(platform: &Platform, unseeing: &Pebble) -> Value {
    let mut definitions = platform.definitions();
    let mut other = definitions["issuers"]["letsencrypt"].clone();
    other["server"] = unseeing.directory().into();
    definitions["issuers"]["unseeing"] = other;
    for name in ["stranger", "late"] {
        let zone = if name == "late" { "late.test" } else { "stranger.example.test" };
        let solver = json!({
            "name": name, "selector": {"dnsZones": [zone]}, "provider": "rfc2136", "credentials": {"secretName": name},
        });
        definitions["solvers"].as_array_mut().unwrap().push(solver);
    }
    let certificates = CASES.map(|(_, _, name, ..)| {
        let domain = domain(name);
        let issuer = if name == "unseen" { "unseeing" } else { "letsencrypt" };
        json!({"name": name, "dnsNames": [domain], "issuer": issuer})
    });
    definitions["certificates"] = certificates.to_vec().into();
    definitions
}

/// The parameters that the exit hook got.
fn hook(ended: &Ended) -> Value {
    let mut nodes = ended.object["status"]["nodes"].as_object().unwrap().values();
    let hook = nodes.find(|node| node["name"].as_str().unwrap().ends_with("run.onExit"));
    let hook = hook.unwrap_or_else(|| panic!("no exit hook:\n{}", ended.table()));
    assert_eq!(hook["phase"], "Succeeded", "{}", ended.table());
    let inputs = hook["inputs"]["parameters"].as_array().unwrap();
    inputs
        .iter()
        .map(|input| (input["name"].as_str().unwrap().to_owned(), input["value"].clone()))
        .collect()
}

/// A name server with a secondary that is not told, and a CA that validates where nobody answers; and what is wrong besides.
fn prepare(platform: &Platform) -> (Named, Pebble) {
    allow_any_certificate(platform);
    let late = Named::builder(&platform.lab).zone(Zone::new("late.test")).secondaries(1).held();
    let late = late.start();
    let unseeing = Pebble::builder(&platform.lab, platform.lab.address()).start();
    let mut stranger = platform.credentials("stranger");
    stranger["stringData"]["RFC2136_TSIG_SECRET"] =
        "bm90IHRoZSBrZXkgdGhhdCBpdCBrbm93cywgYnV0IG9uZQ==".into();
    let mut its_own = platform.credentials("late");
    its_own["stringData"] = late.rfc2136().into_iter().collect();
    for object in [&stranger, &its_own] {
        platform.apply(object);
    }
    platform.define(&definitions(platform, &unseeing));
    // Argo would try five times, 5 to 40 s apart, for what is retryable (80); once more is enough here.
    let impatient =
        r#"[{"op":"replace","path":"/spec/templates/0/retryStrategy/limit","value":1}]"#;
    let template = ["patch", "workflowtemplate", "dns01-wait-propagation"];
    platform.kubectl(&[&template[..], &["--type=json", "-p", impatient]].concat());
    (late, unseeing)
}

/// Somebody makes the Secret that a run delivers to, once `renew-check` has seen that it is free.
fn take(platform: &Platform, run: &Workflow<'_>) {
    run.until_node("renew-check", "Succeeded");
    platform.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "taken-tls"},
        "stringData": {"tls.crt": "theirs", "tls.key": "theirs"},
    }));
}

#[test]
#[ignore = "needs the cluster"]
fn each_phase_fails_with_our_line_and_the_hook_that_knows_only_the_name_clears_the_zone() {
    let blocked = |pebble: PebbleBuilder| pebble.blocked(&["refused.example.test"]);
    let platform = Platform::with("fails", |named| named, blocked);
    let (late, unseeing) = prepare(&platform);
    let resolver = [platform.named.resolver(), late.resolver()];
    let start = |name: &'static str| -> Workflow<'_> {
        let resolver = &resolver[usize::from(name == "late")];
        let parameters = [("certificate", name), ("timeout", "3s"), ("resolver", resolver)];
        Workflow::submit(&platform, "dns01-certificate", &parameters)
    };
    let runs = CASES.map(|case| (case, start(case.2)));
    let taken = runs.iter().find(|(case, _)| case.2 == "taken");
    if let Some((_, run)) = taken {
        take(&platform, run);
    }
    let mut failed = Vec::new();
    for ((node, cause, name, code, says), run) in runs {
        let ended = run.ended();
        let (phase, message) = ended.node(node);
        eprintln!("{node:<17} {cause:<30} {} {message}", ended.phase());
        assert_eq!((ended.phase(), phase.as_str()), ("Failed", "Failed"), "{}", ended.table());
        let prefix = format!("main: Error (exit code {code}): ");
        let line = message.strip_prefix(&prefix).unwrap_or_else(|| panic!("{}", ended.table()));
        assert!(!line.contains('\n') && says.iter().all(|text| line.contains(text)), "{line}");
        let hook = hook(&ended);
        let credentials = if ["stranger", "late"].contains(&name) { name } else { "rfc2136" };
        assert_eq!(
            (&hook["credentials-secret"], &hook["definitions"]),
            (&json!(credentials), &json!("dns01"))
        );
        let domain = domain(name);
        let server = if name == "late" { &late } else { &platform.named };
        assert!(server.txt(&format!("_acme-challenge.{domain}")).is_empty(), "{}", ended.table());
        failed.push(ended);
    }
    let taken = platform.get("secret/taken-tls").unwrap();
    assert_eq!(
        (&taken["data"]["tls.crt"], taken["metadata"]["labels"].is_null()),
        (&json!("dGhlaXJz"), true)
    );
    retried(&platform, &unseeing, &failed);
}

/// `argo retry` goes on where nothing has been cleaned up behind the failure, and else ends as before.
fn retried(platform: &Platform, unseeing: &Pebble, failed: &[Ended]) {
    let [.., unseen, taken] = failed else { panic!("{} runs", failed.len()) };
    let asked = unseeing.requests();
    let again = retry(platform, unseen);
    assert_eq!((again.phase(), again.node("issue")), ("Failed", unseen.node("issue")));
    assert_eq!((again.pods(), unseeing.requests()), (unseen.pods(), asked));
    platform.kubectl(&["delete", "secret", "taken-tls"]);
    let again = retry(platform, taken).succeeded();
    assert_eq!((again.node("store-secret").0.as_str(), platform.pebble.issued()), ("Succeeded", 1));
    assert!(platform.get("secret/taken-tls").is_some(), "{}", again.table());
}
