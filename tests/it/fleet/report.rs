//! The report, from journals and sinks as the pods have left them.

use dns01_store::journal::{Act, Extra, Phase, SinkRecord, State};
use harness::Run;
use serde_json::{Value, json};

use super::{Fleet, begun, delivered, document, in_hours, leaf, numbered};

/// What the report says of `shop` after its journal and its Secret were left like this: result and reason.
fn told(state: Option<&State>, sink: Option<&str>) -> (String, String, Run) {
    let fleet = Fleet::new();
    fleet.define("dns01", &document(["shop".to_owned()]));
    if let Some(state) = state {
        fleet.journal(state);
    }
    if let Some(leaf) = sink {
        fleet.sink("shop", leaf);
    }
    let run =
        fleet.report("run", "dns01", &[json!({"certificate": "shop", "definitions": "dns01"})]);
    let report: Value = serde_json::from_str(run.output("report")).unwrap();
    let shop = &report["certificates"][0];
    assert_eq!(shop["certificate"], "shop", "{run}");
    let text = |key: &str| shop[key].as_str().unwrap().to_owned();
    (text("result"), text("why"), run)
}

fn failed(state: Option<&State>, sink: Option<&str>, why: &str) {
    let (result, said, run) = told(state, sink);
    assert_eq!(result, "failed", "{run}");
    assert!(said.contains(why), "expected `{why}`\n{run}");
    let run = run.exit(23).termination_contains("certificate `shop` failed: ");
    run.termination_contains(why).stdout_contains("shop  failed");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn what_this_run_has_delivered_is_delivered_until_its_end() {
    let leaf = leaf(60);
    let state = delivered("shop", "run", &leaf);
    let end = state.delivered.as_ref().unwrap().not_after;
    let (result, why, run) = told(Some(&state), Some(&leaf));
    assert_eq!((result.as_str(), why.as_str()), ("delivered", ""), "{run}");
    let end = end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    run.exit(0).stdout_contains(&end).stdout_contains("1 well, 0 failed");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn what_another_run_has_delivered_meanwhile_is_no_failure_and_not_this_ones() {
    let leaf = leaf(60);
    let (result, why, run) = told(Some(&delivered("shop", "other", &leaf)), Some(&leaf));
    assert_eq!((result.as_str(), why.as_str()), ("current", "delivered, unchanged and not due"));
    run.exit(0);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_pod_that_died_before_it_wrote_anything_is_told_as_that() {
    failed(None, None, "this run's pod ended before it wrote a journal");
    let old = leaf(10);
    let state = delivered("shop", "earlier", &old);
    failed(Some(&state), Some(&old), "this run left nothing in the journal");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_refusal_of_the_ca_is_told_in_its_words() {
    let mut state = begun("shop", "run");
    state.attempt(in_hours(0), "run", Act::Validate);
    let attempt = state.attempts.last_mut().unwrap();
    (attempt.code, attempt.why) = (Some(23), Some("no TXT record was found".to_owned()));
    state.phase = Phase::Dead;
    failed(Some(&state), None, "could not have the challenges validated: no TXT record was found");
    // The next run is held back: it says until when, and why.
    (state.run, state.retry_at) = ("earlier".to_owned(), Some(in_hours(1)));
    state.attempts[0].run = "earlier".to_owned();
    failed(
        Some(&state),
        None,
        "the CA refused before (no TXT record was found) and is not asked again until 20",
    );
}

#[test]
#[ignore = "needs kube-apiserver"]
fn what_a_journal_says_stays_one_short_line() {
    let mut state = begun("shop", "run");
    state.attempt(in_hours(0), "run", Act::Order);
    let attempt = state.attempts.last_mut().unwrap();
    let words = format!("\u{1b}[31mfirst\nsecond {}", "é".repeat(2_000));
    (attempt.code, attempt.why) = (Some(22), Some(words));
    let (_, why, run) = told(Some(&state), None);
    assert!(why.starts_with("could not place the order:  [31mfirst second é"), "{why}");
    assert_eq!(why.chars().count(), 301, "{why}");
    assert!(why.ends_with('…') && !run.stdout.contains('\u{1b}'), "{run}");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_pod_that_died_under_way_is_told_with_its_phase_or_what_it_asked_for() {
    let mut state = begun("shop", "run");
    state.attempt(in_hours(0), "run", Act::Order);
    failed(Some(&state), None, "this run's pod ended while it asked the CA to place the order");
    state.attempts[0].code = Some(0);
    state.phase = Phase::Ordered;
    failed(Some(&state), None, "this run's pod ended in phase `ordered`; its node says why");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_sink_that_refused_is_told_with_its_name_and_one_that_lacks_it_is_no_success() {
    let leaf = leaf(60);
    let mut state = delivered("shop", "run", &leaf);
    failed(Some(&state), None, "this run's pod ended in phase `delivered`");
    let error = Some("the Secret belongs to cert-manager".to_owned());
    let (id, at, extra) = ("secret:shop-tls".to_owned(), in_hours(0), Extra::new());
    state.sinks = vec![SinkRecord { id, fingerprint: None, at, error, extra }];
    failed(Some(&state), None, "secret:shop-tls: the Secret belongs to cert-manager");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn the_message_names_as_many_as_fit_and_counts_the_others() {
    let fleet = Fleet::new();
    let all: Vec<String> = numbered("a-name-as-long-as-names-of-customers-are", 60).collect();
    fleet.define("dns01", &document(all));
    let due = fleet.renew_check("run", "dns01").args(["--all", "--max-due", "60"]).run().exit(0);
    let list = due.output("due").to_owned();
    let report = fleet.renew_check("run", "dns01").args(["--report", &list, "--later", "14"]).run();
    let report = report.exit(23).termination_contains("60 of 60 certificates failed: a-name-as-");
    assert!(report.termination.len() <= 2_000, "{}", report.termination.len());
    assert!(report.termination.contains(" … and ") && report.termination.contains(" more; hint: "));
    report.stdout_contains("0 well, 60 failed; 14 more are due and follow next time");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_list_that_is_none_and_a_run_without_an_id_are_refused() {
    let fleet = Fleet::new();
    fleet.define("dns01", &document(["shop".to_owned()]));
    let bad = fleet.renew_check("run", "dns01").args(["--report", "{{steps.lost}}"]).run();
    bad.exit(12).termination_contains("--report is not the `due` output");
    fleet.renew_check("", "dns01").args(["--report", "[]"]).run().exit(11);
}
