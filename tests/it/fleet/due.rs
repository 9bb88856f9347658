//! What is due, in which order, and that everybody agrees on it.

use serde_json::Value;

use crate::stage::Stage;

use super::{Fleet, delivered, document, in_hours, leaf, names, numbered};

#[test]
#[ignore = "needs kube-apiserver"]
fn of_two_hundred_definitions_exactly_the_three_that_are_due_are_listed() {
    let fleet = Fleet::new();
    let all: Vec<String> = numbered("shop", 197).collect();
    let (good, soon) = (leaf(60), leaf(20));
    for name in &all {
        fleet.deliver(name, "earlier", &good);
    }
    fleet.deliver("soon", "earlier", &soon);
    fleet.journal(&delivered("lost", "earlier", &good));
    let more = ["soon", "lost", "new"].map(str::to_owned);
    fleet.define("dns01", &document(all.into_iter().chain(more)));
    let due = fleet.due("run", "dns01");
    let mut found = names(&due);
    found.sort_unstable();
    assert_eq!(found, ["lost", "new", "soon"]);
    for one in due {
        assert_eq!(one["definitions"], "dns01");
        assert_eq!(one["credentials-secret"], "cloudflare-credentials");
    }
}

#[test]
#[ignore = "needs kube-apiserver"]
fn each_is_sent_to_the_one_config_map_that_defines_it() {
    let fleet = Fleet::new();
    fleet.define("web", &document(["a".to_owned()]));
    fleet.define("mail", &document(["b".to_owned()]));
    let mut due = fleet.due("run", "web, mail");
    due.sort_by_key(|one| one["certificate"].to_string());
    let places: Vec<_> = due.iter().map(|one| &one["definitions"]).collect();
    assert_eq!(places, ["web", "mail"]);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn a_suspended_certificate_is_not_due() {
    let fleet = Fleet::new();
    let off = "- {name: off, dnsNames: [off.example.test], suspend: true}\n";
    fleet.define("dns01", &(document(["on".to_owned()]) + off));
    assert_eq!(names(&fleet.due("run", "dns01")), ["on"]);
}

#[test]
#[ignore = "needs kube-apiserver"]
fn the_most_urgent_come_first_and_the_others_next_time() {
    let fleet = Fleet::new();
    for (name, days) in [("three", 3), ("two", 2), ("held", 1)] {
        let mut state = delivered(name, "earlier", &leaf(days));
        state.retry_at = (name == "held").then(|| in_hours(1));
        fleet.journal(&state);
        fleet.sink(name, &state.delivered.unwrap().chain);
    }
    fleet.define("dns01", &document(["three", "two", "held"].map(str::to_owned)));
    let run = fleet.renew_check("run", "dns01").args(["--all", "--max-due", "2"]).run().exit(0);
    let due: Vec<Value> = serde_json::from_str(run.output("due")).unwrap();
    assert_eq!(names(&due), ["two", "three"]);
    assert_eq!(run.output("later"), "1");
    run.stdout_contains("2 of 3 certificates are due now, 1 more are due next time");
}

#[test]
#[ignore = "needs kube-apiserver"]
fn certificates_of_one_day_are_due_on_different_days() {
    let fleet = Fleet::new();
    // 31.5 of 90 days are left: between the rule's 30 and the 33 of the earliest draw.
    let leaf = leaf(32);
    let all: Vec<String> = numbered("shop", 20).collect();
    for (at, name) in all.iter().enumerate() {
        let mut state = delivered(name, "earlier", &leaf);
        let draw = if at < 10 { "0.1" } else { "0.9" };
        state.delivered.as_mut().unwrap().ari_draw = Some(draw.to_owned());
        fleet.journal(&state);
        fleet.sink(name, &leaf);
    }
    fleet.define("dns01", &document(all.iter().cloned()));
    let due = fleet.due("run", "dns01");
    let mut found = names(&due);
    found.sort_unstable();
    let mut wanted: Vec<&str> = all[10..].iter().map(String::as_str).collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

#[test]
#[ignore = "needs named, pebble"]
fn the_check_the_order_and_the_one_command_agree_on_the_day_that_was_drawn() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.dns01_issue().run().exit(0);
    let leaf = Value::from(leaf(32));
    let drawn = |draw: &str| {
        chain.edit(|state| {
            state["delivered"]["ari_draw"] = draw.into();
            state["delivered"]["chain"] = leaf.clone();
            state["issued"] = Value::Null;
        });
    };
    let check = || chain.check().run().exit(0).output("action").to_owned();
    let order = || chain.again("run-2").order().run().exit(0).output("action").to_owned();
    drawn("0.1");
    assert_eq!((check(), order()), ("none".into(), "none".into()));
    chain.dns01_issue().run().exit(0).stdout_contains("nothing to do");
    drawn("0.9");
    assert_eq!(check(), "issue");
    chain.dns01_issue().run().exit(0).stdout_contains("Certificate shop: ");
    assert_eq!(stage.pebble.issued(), 2);
    drawn("0.9");
    assert_eq!(order(), "issue");
}
