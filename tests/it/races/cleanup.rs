//! For whom cleanup acts, and what it waits for.

use super::published;
use crate::stage::{Chain, Stage, ZONE};
use chrono::{TimeDelta, Utc};
use harness::{NameServer as _, Named, Zone};
use serde_json::Value;
use std::thread;
use std::time::{Duration, Instant};

const TXT: &str = "_acme-challenge.example.test";

/// Where each challenge of the journal stands.
fn presence(chain: &Chain) -> Vec<String> {
    let state = chain.state();
    let challenges = state["challenges"].as_array().unwrap().iter();
    challenges.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs named, pebble"]
fn the_losers_cleanup_leaves_the_winners_values_alone() {
    let stage = Stage::start();
    let loser = stage.chain();
    published(&loser);
    let winner = loser.again("run-2");
    let order = winner.order().run().exit(0);
    // The last to join owns cleanup.
    let values = stage.named.txt(TXT);
    for hook in [&[][..], &["--exit-hook"]] {
        let start = Instant::now();
        let cleanup = loser.cleanup().args(hook).run().exit(0);
        cleanup.stdout_contains("run run-2 is responsible");
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(stage.named.txt(TXT), values);
    }
    winner.present(order.output("challenges")).run().exit(0);
    winner.issue(order.output("generation")).run().exit(0);
    winner.store(order.output("generation")).run().exit(0);
    winner.cleanup().run().exit(0);
    winner.delivered();
    assert_eq!(stage.pebble.orders(), 1);
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn what_a_late_present_publishes_after_the_others_cleanup_goes_with_its_own_runs() {
    let stage = Stage::start();
    let late = stage.chain();
    let order = late.order().run().exit(0);
    late.again("run-2").go().well();
    stage.assert_zone_is_clean();
    late.present(order.output("challenges")).run().exit(0);
    assert_eq!(stage.named.txt(TXT).len(), 2);
    assert_eq!(late.cleanup().run().exit(0).output("removed"), "2");
    stage.assert_zone_is_clean();
    assert_eq!(presence(&late), ["gone", "gone"]);
}

#[test]
#[ignore = "needs named, pebble"]
fn cleanup_waits_until_the_ca_has_looked() {
    let stage = Stage::start();
    let chain = stage.chain();
    published(&chain);
    let posted = Utc::now() - TimeDelta::seconds(24);
    chain.edit(|state| state["validating_at"] = posted.to_rfc3339().into());
    let start = Instant::now();
    let waiting = chain.cleanup().spawn();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(stage.named.txt(TXT).len(), 2, "removed while the CA may look");
    assert_eq!(waiting.wait().exit(0).output("removed"), "2");
    assert!(start.elapsed() >= Duration::from_secs(5), "{:?}", start.elapsed());
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn cleanup_that_waited_leaves_to_a_run_that_joined_meanwhile() {
    let stage = Stage::start();
    let chain = stage.chain();
    published(&chain);
    let posted = Utc::now() - TimeDelta::seconds(25);
    chain.edit(|state| state["validating_at"] = posted.to_rfc3339().into());
    let waiting = chain.cleanup().spawn();
    thread::sleep(Duration::from_secs(1));
    let joined = chain.again("run-2");
    joined.order().run().exit(0);
    waiting.wait().exit(0).stdout_contains("another run is responsible");
    assert_eq!(stage.named.txt(TXT).len(), 2);
}

#[test]
#[ignore = "needs named, pebble"]
fn an_exit_hook_looks_again_once_a_stopped_present_cannot_live() {
    let stage = Stage::start();
    let chain = stage.chain();
    let order = chain.order().run().exit(0);
    let hook = chain.cleanup().arg("--exit-hook").spawn();
    thread::sleep(Duration::from_secs(4));
    chain.present(order.output("challenges")).run().exit(0);
    assert_eq!(stage.named.txt(TXT).len(), 2);
    let start = Instant::now();
    assert_eq!(hook.wait().exit(0).output("removed"), "2");
    assert!(start.elapsed() > Duration::from_secs(25), "{:?}", start.elapsed());
    stage.assert_zone_is_clean();
    assert_eq!(presence(&chain), ["gone", "gone"]);
}

#[test]
#[ignore = "needs named, pebble"]
fn cleanup_after_delivery_waits_for_nothing() {
    let stage = Stage::start();
    let chain = stage.chain();
    let order = published(&chain);
    chain.issue(order.output("generation")).run().exit(0);
    let start = Instant::now();
    let hook = chain.cleanup().arg("--exit-hook").run().exit(0);
    assert_eq!(hook.output("removed"), "2");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
#[ignore = "needs named, pebble"]
fn what_is_not_seen_gone_stays_wanted_until_a_later_generations_cleanup() {
    let stage = Stage::start();
    let chain = stage.chain();
    published(&chain);
    let locked_out = chain.clone().env("RFC2136_TSIG_SECRET", "YSBjYW5hcnkgdGhhdCBpcyB3cm9uZw==");
    locked_out.cleanup().run().exit(20).stderr_contains("the next cleanup");
    assert_eq!(presence(&chain), ["wanted", "wanted"]);
    // The generation dies, the next one has challenges of its own, and its cleanup removes all.
    let other = chain.again("run-2").flags("order", &["--key-type", "ec384"]);
    let other = other.flags("renew-check", &["--key-type", "ec384"]);
    let done = other.go().well();
    assert_eq!(done.output("order", "generation"), "2");
    assert_eq!(done.output("cleanup", "removed"), "4");
    stage.assert_zone_is_clean();
    // A hook says what is left, and never hides the run's own exit.
    published(&chain.again("run-3").flags("order", &["--force"]));
    let hook = chain.again("run-3").env("RFC2136_TSIG_SECRET", "YSBjYW5hcnkgdGhhdCBpcyB3cm9uZw==");
    hook.edit(|state| state["phase"] = "dead".into());
    let left = hook.cleanup().arg("--exit-hook").run().exit(0);
    assert_eq!(
        serde_json::from_str::<Value>(left.output("left")).unwrap().as_array().unwrap().len(),
        2
    );
}

#[test]
#[ignore = "needs named, pebble"]
fn cleanup_finds_a_value_where_the_cname_led_when_it_was_published() {
    let zone = |end: &str| Zone::new(ZONE).record(&format!("_acme-challenge CNAME {end}"));
    let stage = Stage::with(|named| named.zone(zone("old")), |pebble| pebble);
    let chain = stage.chain();
    published(&chain);
    assert_eq!(stage.named.txt("old.example.test").len(), 2);
    let moved = Named::builder(&stage.lab).zone(zone("new")).start();
    let cleanup = chain.clone().resolving_at(&moved.resolver());
    cleanup.edit(|state| state["phase"] = "dead".into());
    assert_eq!(cleanup.cleanup().run().exit(0).output("removed"), "2");
    assert!(stage.named.txt("old.example.test").is_empty());
}
