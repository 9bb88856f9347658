//! Definitions that cannot be used: said in one line, with their own exit code, and never in the way of the others.

use harness::Run;
use serde_json::{Value, json};

use super::{Fleet, HEAD, document, names};

/// A `ConfigMap` `bad` with this document beside a good one: what one line says, and with which code.
fn says(bad: &str, code: i32, words: &[&str]) {
    let fleet = Fleet::new();
    fleet.define("good", &document(["shop".to_owned()]));
    fleet.define("bad", bad);
    hidden_by_nothing(&fleet, code, words);
}

fn hidden_by_nothing(fleet: &Fleet, code: i32, words: &[&str]) {
    let contains = |text: &str, run: &Run| {
        for word in words {
            assert!(text.contains(word), "`{word}` is missing\n{run}");
        }
    };
    // Alone it fails the check, where people look for it.
    let alone = fleet.renew_check("run", "bad").arg("--all").run().exit(code);
    contains(&alone.termination, &alone);
    assert_eq!(alone.termination.trim_end().lines().count(), 1, "{alone}");
    // Beside another one it is said, and the other one goes on.
    let all = fleet.renew_check("run", "bad,good").arg("--all").run().exit(0);
    contains(&all.stdout, &all);
    let due: Vec<Value> = serde_json::from_str(all.output("due")).unwrap();
    assert_eq!(names(&due), ["shop"]);
    // The report fails the run, also where nothing was due.
    let report = fleet.report("run", "good,bad", &[]).exit(code);
    let parsed: Value = serde_json::from_str(report.output("report")).unwrap();
    assert_eq!(parsed["refused"][0]["definitions"], "bad");
    assert!(report.termination.contains("definitions were not used: bad: "), "{report}");
    // Who asks for one certificate is told as well.
    fleet.renew_check("run", "good,bad").args(["--certificate", "shop"]).run().exit(code);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn an_unknown_key_is_said_with_its_place() {
    let bad = HEAD.to_owned() + "- {name: api, dnsNames: [api.example.test], keySize: 4096}\n";
    says(&bad, 11, &["configmap:bad:5:45", "keySize"]);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn of_two_config_maps_that_define_the_same_the_second_is_refused_and_both_are_named() {
    let twin = "- {name: twin, dnsNames: [shop.example.test], secretName: twin}\n";
    for (bad, said) in [
        (document(["shop".to_owned()]), "certificate `shop` is defined in"),
        (HEAD.to_owned() + twin, "a certificate with these names (`shop.example.test`) from `ca`"),
    ] {
        let fleet = Fleet::new();
        fleet.define("good", &document(["shop".to_owned()]));
        fleet.define("bad", &bad);
        let run = fleet.renew_check("run", "good,bad").arg("--all").run().exit(0);
        let due: Vec<Value> = serde_json::from_str(run.output("due")).unwrap();
        assert_eq!((names(&due), &due[0]["definitions"]), (vec!["shop"], &json!("good")));
        run.stdout_contains(said)
            .stdout_contains("configmap:good")
            .stdout_contains("configmap:bad");
        let report = fleet.report("run", "good,bad", &[]).exit(11);
        report.termination_contains("definitions were not used: bad: ");
    }
}

#[test]
#[ignore = "needs kube-apiserver"]
fn the_same_names_twice_in_one_document_are_said() {
    let twin = "- {name: twin, dnsNames: [api.example.test], secretName: twin}\n";
    says(
        &(document(["api".to_owned()]) + twin),
        11,
        &["configmap:bad:6:", "api.example.test", "twin"],
    );
}

#[test]
#[ignore = "needs kube-apiserver"]
fn an_entry_that_is_no_document_is_not_taken_for_no_certificates() {
    let fleet = Fleet::new();
    fleet.define("good", &document(["shop".to_owned()]));
    let data = json!({"dns01": document(["api".to_owned()])});
    fleet.create("configmaps", &json!({"metadata": {"name": "bad"}, "data": data}));
    hidden_by_nothing(&fleet, 11, &["ConfigMap `bad` has no entry that ends in .yaml"]);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_config_map_that_is_missing_is_21_and_one_that_is_forbidden_20() {
    let fleet = Fleet::new();
    fleet.define("good", &document(["shop".to_owned()]));
    hidden_by_nothing(&fleet, 21, &["there is no ConfigMap `bad` in this namespace"]);

    let named = ["good", "dns01-shop"];
    let rule = |kind, names: &[&str]| json!({"apiGroups": [""], "resources": [kind], "resourceNames": names, "verbs": ["get"]});
    let fleet =
        Fleet::with_rules(&json!([rule("configmaps", &named), rule("secrets", &["shop-tls"])]));
    fleet.define("good", &document(["shop".to_owned()]));
    hidden_by_nothing(&fleet, 20, &["may not get ConfigMap `bad`", "[\"bad\"]"]);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn no_name_at_all_is_a_setting_that_is_missing() {
    let fleet = Fleet::new();
    let run = fleet.renew_check("run", " ").arg("--all").run();
    run.exit(11).termination_contains("no ConfigMap with definitions is named");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_certificate_that_cannot_be_judged_hides_no_other_and_its_run_is_told_where_it_is_defined() {
    // Its journal may not be read, or its solvers have two Secrets where a pod has room for one.
    let rule = |kind, names: &[&str]| json!({"apiGroups": [""], "resources": [kind], "resourceNames": names, "verbs": ["get"]});
    let journals = ["dns01", "dns01-shop", "dns01-torn"];
    let sinks = ["shop-tls", "torn-tls"];
    let fleet = Fleet::with_rules(&json!([rule("configmaps", &journals), rule("secrets", &sinks)]));
    let solver = "- {name: other, provider: rfc2136, credentials: {secretName: other}, selector: {dnsZones: [other.test]}}\n";
    let head = HEAD
        .replace("solvers: [{", "solvers:\n- {")
        .replace("}}]\ncertificates", &format!("}}}}\n{solver}certificates"));
    let certificates = "- {name: shop, dnsNames: [shop.example.test]}
- {name: forbidden, dnsNames: [forbidden.example.test]}
- {name: torn, dnsNames: [torn.example.test, torn.other.test]}
";
    fleet.define("dns01", &(head + certificates));
    let mut due = fleet.due("run", "dns01");
    due.sort_by_key(|one| one["certificate"].to_string());
    assert_eq!(names(&due), ["forbidden", "shop", "torn"]);
    assert!(due.iter().all(|one| one["definitions"] == "dns01"));
    let report = fleet.report("run", "dns01", &due).exit(23);
    let parsed: Value = serde_json::from_str(report.output("report")).unwrap();
    let why = |at: usize| parsed["certificates"][at]["why"].as_str().unwrap().to_owned();
    assert!(why(0).contains("may not get ConfigMap `dns01-forbidden`"), "{report}");
    assert!(why(2).contains("in several Secrets: cloudflare-credentials, other"), "{report}");
}
