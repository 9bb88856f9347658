//! Who runs when: the DAGs played through with every node failing in turn, by Argo's rules for `depends` and `when`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::render::holds;
use super::super::{list, template, text};
use super::references::parents;

/// What `order` says.
#[derive(Clone, Copy, Debug)]
struct Order {
    action: &'static str,
    needed: &'static str,
}

const ISSUE: Order = Order { action: "issue", needed: "true" };

/// Plays the DAG of `object`: the phase of every task, when `failing` ends in `phase`.
fn play(object: &str, order: Order, failing: Option<(&str, &str)>) -> BTreeMap<String, String> {
    let mut phases: BTreeMap<String, String> = BTreeMap::new();
    for task in list(&template(object, "flow").body["dag"]["tasks"]) {
        let name = text(&task["name"]);
        let phase = if !may_start(&task, &phases) {
            "Omitted"
        } else if !is_wanted(&task, order) {
            "Skipped"
        } else if let Some((_, phase)) = failing.filter(|(who, _)| *who == name) {
            phase
        } else {
            "Succeeded"
        };
        phases.insert(name.to_owned(), phase.to_owned());
    }
    phases
}

/// `depends`: a bare name means succeeded or skipped.
fn may_start(task: &Value, phases: &BTreeMap<String, String>) -> bool {
    let Some(depends) = task["depends"].as_str() else { return true };
    let spaced = depends.replace('(', "( ").replace(')', " )");
    let words = spaced.split_whitespace().map(|word| match word.split_once('.') {
        _ if ["(", ")", "&&", "||"].contains(&word) => word.to_owned(),
        Some((who, phase)) => (phases[who] == phase).to_string(),
        None => ["Succeeded", "Skipped"].contains(&&*phases[word]).to_string(),
    });
    holds(&words.collect::<Vec<_>>().join(" "), &json!({}))
}

fn is_wanted(task: &Value, order: Order) -> bool {
    let Some(when) = task["when"].as_str() else { return true };
    let when = when
        .replace("{{tasks.order.outputs.parameters.action}}", order.action)
        .replace("{{tasks.order.outputs.parameters.needed}}", order.needed);
    holds(&when, &json!({}))
}

/// The names of the tasks that ran, in order of the file.
fn ran(object: &str, order: Order, failing: Option<(&str, &str)>) -> Vec<String> {
    let phases = play(object, order, failing);
    let tasks = list(&template(object, "flow").body["dag"]["tasks"]);
    let names = tasks.iter().map(|task| text(&task["name"]).to_owned());
    names.filter(|name| !["Omitted", "Skipped"].contains(&&*phases[name])).collect()
}

/// The DAG's own end: that of its leaves, where one that did not run inherits from what it waits for, failures first.
fn succeeds(object: &str, phases: &BTreeMap<String, String>) -> bool {
    let tasks = list(&template(object, "flow").body["dag"]["tasks"]);
    let mut failed: BTreeMap<&str, bool> = BTreeMap::new();
    for task in &tasks {
        let name = text(&task["name"]);
        let inherited = || parents(task).iter().any(|parent| failed[&**parent]);
        let did_not_run = ["Skipped", "Omitted"].contains(&&*phases[name]);
        let own = if did_not_run { inherited() } else { phases[name] != "Succeeded" };
        failed.insert(name, own);
    }
    let is_leaf = |name: &str| !tasks.iter().any(|task| parents(task).contains(name));
    !failed.iter().any(|(name, failed)| *failed && is_leaf(name))
}

#[test]
fn everything_runs_when_a_certificate_is_issued() {
    let all = ["order", "present", "wait-propagation", "issue", "store-secret", "cleanup"];
    assert_eq!(ran("dns01-certificate", ISSUE, None), all);
    let certbot = Order { needed: "false", ..ISSUE };
    let all = ["order", "issue", "store-secret", "cleanup"];
    assert_eq!(ran("dns01-certificate-certbot", certbot, None), all);
}

#[test]
fn valid_authorizations_skip_present_and_wait_only() {
    let order = Order { action: "issue", needed: "false" };
    let some = ["order", "issue", "store-secret", "cleanup"];
    assert_eq!(ran("dns01-certificate", order, None), some);
}

#[test]
fn a_delivery_is_store_secret_and_cleanup_and_nothing_due_is_nothing() {
    for object in ["dns01-certificate", "dns01-certificate-certbot"] {
        let none = |action| Order { action, needed: "false" };
        assert_eq!(
            ran(object, none("deliver"), None),
            ["order", "store-secret", "cleanup"],
            "{object}"
        );
        assert_eq!(ran(object, none("none"), None), ["order"], "{object}");
        assert!(succeeds(object, &play(object, none("none"), None)), "{object}");
    }
}

#[test]
fn lost_outputs_run_into_a_step_that_refuses_them() {
    let lost = Order { action: "", needed: "" };
    assert!(ran("dns01-certificate", lost, None).contains(&"present".to_owned()));
    assert!(ran("dns01-certificate-certbot", lost, None).contains(&"issue".to_owned()));
}

#[test]
fn cleanup_runs_whatever_failed_after_something_was_published() {
    for phase in ["Failed", "Errored"] {
        for failing in ["present", "wait-propagation", "issue", "store-secret"] {
            let ran = ran("dns01-certificate", ISSUE, Some((failing, phase)));
            assert!(ran.contains(&"cleanup".to_owned()), "{failing} {phase}: {ran:?}");
        }
        let ran = ran("dns01-certificate-certbot", ISSUE, Some(("issue", phase)));
        assert!(ran.contains(&"cleanup".to_owned()), "certbot, issue {phase}: {ran:?}");
    }
}

#[test]
fn nothing_goes_on_after_a_failure_but_cleanup() {
    let tasks = ["order", "present", "wait-propagation", "issue", "store-secret"];
    for (at, failing) in tasks.iter().enumerate() {
        let ran = ran("dns01-certificate", ISSUE, Some((failing, "Failed")));
        let others: Vec<&String> = ran.iter().filter(|name| *name != "cleanup").collect();
        assert_eq!(others, tasks[..=at].iter().collect::<Vec<_>>(), "{failing}");
    }
}

#[test]
fn every_failure_fails_the_run_so_that_the_hook_fires() {
    for object in ["dns01-certificate", "dns01-certificate-certbot"] {
        assert!(succeeds(object, &play(object, ISSUE, None)), "{object}");
        for task in list(&template(object, "flow").body["dag"]["tasks"]) {
            for phase in ["Failed", "Errored"] {
                let phases = play(object, ISSUE, Some((text(&task["name"]), phase)));
                assert!(!succeeds(object, &phases), "{object}: {} {phase}", task["name"]);
            }
        }
    }
}

#[test]
fn a_failed_leaf_does_not_stop_the_other() {
    for object in ["dns01-certificate", "dns01-certificate-certbot"] {
        assert_eq!(template(object, "flow").body["dag"]["failFast"], false, "{object}");
    }
}
