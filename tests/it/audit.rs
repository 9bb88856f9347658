//! What a run finds after another one has failed, been refused or lost something: it goes on, and waits for nobody.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::stage::{Stage, ZONE};

#[test]
#[ignore = "needs named, pebble"]
fn a_run_does_not_wait_for_one_that_ended_before_its_order() {
    let stage = Stage::start();
    let chain = stage.chain_for(&[ZONE]);
    // Without an agreement to the terms the account can't be made: the generation stays without an order.
    let order = chain.step("order").args(["--journal", &chain.journal(), "--domain", ZONE]);
    order.args(["--server", &stage.pebble.directory()]).run().exit(11);
    let start = Instant::now();
    chain.again("run-2").go().well();
    assert!(start.elapsed() < Duration::from_secs(45), "{:?}", start.elapsed());
    assert_eq!(stage.pebble.orders(), 1);
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn an_account_whose_record_is_lost_is_found_by_its_key() {
    let stage = Stage::start();
    let chain = stage.chain();
    let order = chain.order().run().exit(0);
    chain.present(order.output("challenges")).run().exit(0);
    let mut lost = 0;
    for account in fs::read_dir(chain.work.join("accounts")).unwrap() {
        fs::remove_file(account.unwrap().path().join("account.json")).unwrap();
        lost += 1;
    }
    assert_eq!(lost, 1);
    chain.issue(order.output("generation")).run().exit(0);
    chain.store(order.output("generation")).run().exit(0);
    chain.cleanup().run().exit(0);
    chain.delivered();
}

#[test]
#[ignore = "needs named, pebble"]
fn what_the_ca_refused_to_one_run_no_other_asks_before_its_time() {
    let stage = Stage::start();
    let chain = stage.chain();
    let order = chain.order().run().exit(0);
    let later = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    chain.edit(|state| state["retry_at"] = json!(later));
    let before = stage.pebble.requests();
    let other = chain.again("run-2");
    other.issue(order.output("generation")).run().exit(24);
    other.order().run().exit(24);
    assert_eq!(stage.pebble.requests(), before);
}
