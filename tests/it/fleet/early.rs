//! What would fail later anyway is said by `renew-check`, before anything is ordered, and holds up no other certificate.

use harness::Run;
use serde_json::{Value, json};

use super::{Fleet, HEAD, document, leaf, names};

/// A Secret `api-tls` with these labels and annotations, of this type.
fn secret(fleet: &Fleet, labels: &Value, annotations: &Value, kind: &str) {
    let metadata = json!({"name": "api-tls", "labels": labels, "annotations": annotations});
    let data = if kind == "Opaque" { json!({}) } else { json!({"tls.crt": "", "tls.key": ""}) };
    fleet.create("secrets", &json!({"metadata": metadata, "type": kind, "data": data}));
}

/// What the check of `api` says, with these flags besides.
fn check(fleet: &Fleet, flags: &[&str]) -> Run {
    fleet.renew_check("run", "dns01").args(["--certificate", "api"]).args(flags).run()
}

/// `shop` and `api` are due, and the report says of `api` alone what is wrong with it.
fn alone_is_reported(fleet: &Fleet, why: &str) {
    let mut due = fleet.due("run", "dns01");
    due.sort_by_key(|one| one["certificate"].to_string());
    assert_eq!(names(&due), ["api", "shop"]);
    let report = fleet.report("run", "dns01", &due).exit(23);
    let parsed: Value = serde_json::from_str(report.output("report")).unwrap();
    let [api, shop] = [0, 1].map(|at| parsed["certificates"][at]["why"].as_str().unwrap());
    assert!(api.contains(why) && !shop.contains(why), "{report}");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_secret_of_somebody_else_is_refused_before_an_order() {
    let tls = "kubernetes.io/tls";
    let cert_manager = json!({"cert-manager.io/certificate-name": "api"});
    for (labels, annotations, kind, says) in [
        (json!({}), json!({}), tls, ["belongs to somebody else", "or give --take-over"]),
        (
            json!({"dns01.dev/certificate": "other"}),
            json!({}),
            tls,
            ["it holds the certificate `other`", "or give --take-over"],
        ),
        (
            json!({}),
            cert_manager,
            tls,
            ["belongs to cert-manager's Certificate `api`", "delete the Certificate `api` first"],
        ),
        (json!({}), json!({}), "Opaque", ["it has the type `Opaque`", "delete Secret"]),
    ] {
        let fleet = Fleet::new();
        fleet.define("dns01", &document(["shop", "api"].map(str::to_owned)));
        secret(&fleet, &labels, &annotations, kind);
        let run = check(&fleet, &[]).exit(26).termination_contains("to secret:api-tls");
        says.iter().fold(run, |run, words| run.termination_contains(words));
        alone_is_reported(&fleet, says[0]);
        // What cannot become ours is not taken over either.
        let run = check(&fleet, &["--take-over"]);
        match kind {
            "Opaque" => drop(run.exit(26)),
            _ => assert_eq!(run.exit(0).output("action"), "issue"),
        }
    }
}

#[test]
#[ignore = "needs kube-apiserver"]
fn the_secret_of_the_certificate_itself_and_one_that_may_not_be_read_stop_nothing() {
    let fleet = Fleet::new();
    fleet.define("dns01", &document(["api".to_owned()]));
    fleet.sink("api", &leaf(10));
    assert_eq!(check(&fleet, &[]).exit(0).output("action"), "issue");

    let rule = |kind, names: &[&str]| json!({"apiGroups": [""], "resources": [kind], "resourceNames": names, "verbs": ["get"]});
    let rules = json!([rule("configmaps", &["dns01", "dns01-api"]), rule("secrets", &["api-tls"])]);
    let fleet = Fleet::with_rules(&rules);
    let sinks = "sinks: [{secret: {name: api-tls}}, {secret: {name: elsewhere}}]";
    let certificate = format!("- {{name: api, dnsNames: [api.example.test], {sinks}}}\n");
    fleet.define("dns01", &(HEAD.to_owned() + &certificate));
    let run = check(&fleet, &[]).exit(0);
    assert_eq!(run.output("action"), "issue");
    run.stderr_contains("secret:elsewhere cannot be read");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_provider_that_nothing_is_called_is_refused_where_it_would_be_used() {
    let solver = "solvers: [{name: mistyped, provider: rfc2137, selector: {dnsZones: [api.example.test]}}, {name: dns, provider: DNS_NSUPDATE}]";
    let head = HEAD.lines().map(|line| if line.starts_with("solvers") { solver } else { line });
    let certificates = "- {name: shop, dnsNames: [shop.example.test], renewBefore: 720h}
- {name: api, dnsNames: [api.example.test], renewBefore: 720h}
";
    let fleet = Fleet::new();
    let head = head.collect::<Vec<_>>().join("\n");
    fleet.define("dns01", &format!("{head}\n{certificates}"));
    let words = ["solver `mistyped` in `configmap:dns01`", "no provider is called `rfc2137`"];
    let run = check(&fleet, &[]).exit(11).termination_contains("use `rfc2136`");
    words.iter().fold(run, |run, words| run.termination_contains(words));
    alone_is_reported(&fleet, words[1]);
    // Also of a certificate that is not due: it would be found on the day of its renewal.
    fleet.deliver("api", "earlier", &leaf(60));
    check(&fleet, &[]).exit(11);
    // A provider that is named by hand is used instead, if there is one.
    assert_eq!(check(&fleet, &["--provider", "rfc2136"]).exit(0).output("action"), "none");
    let run = check(&fleet, &["--provider", "cloudfare"]).exit(11);
    run.termination_contains("no provider is called `cloudfare`")
        .termination_contains("`cloudflare`");
}
