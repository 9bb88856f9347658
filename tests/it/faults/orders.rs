//! Orders and authorizations that fail, are lost, or are finished already.

use super::{ordered, says};
use crate::stage::{Chain, Stage};
use dns01_acme::{AccountKey, Ca, CaSettings};
use dns01_core::{KeyType, PrivateKey, SecretText};
use harness::{NameServer as _, Named, Pebble, Reply};
use std::fs;
use std::time::Duration;

/// A pebble that looks for records where they never are.
fn blind(stage: &mut Stage) -> Named {
    let elsewhere = Named::builder(&stage.lab).start();
    stage.pebble = Pebble::builder(&stage.lab, elsewhere.address()).start();
    elsewhere
}

#[test]
#[ignore = "needs named, pebble"]
fn an_authorization_that_fails_is_23_and_says_which_name_and_the_cas_words() {
    let mut stage = Stage::start();
    let _elsewhere = blind(&mut stage);
    let chain = stage.chain_for(&["shop.example.test"]);
    let failed = chain.go();
    says(
        failed.run("certbot-issue"),
        23,
        &["`shop.example.test`", "TXT records for DNS challenge", "hint: ", "exit 23 (order dead)"],
    );
    assert_eq!(chain.state()["phase"], "dead");
    // A dead order is nobody's: the same run starts no other, the next is held back for a minute.
    says(&chain.issue("1").run(), 23, &["dead", "TXT records for DNS challenge"]);
    says(&chain.order().run(), 23, &["dead", "hint: start a new run"]);
    let asked = stage.pebble.requests();
    says(&chain.again("run-2").order().run(), 24, &["TXT records for DNS challenge"]);
    assert_eq!(stage.pebble.requests(), asked);
    chain.cleanup().run().exit(0);
    assert!(stage.named.txt("_acme-challenge.shop.example.test").is_empty());
}

#[test]
#[ignore = "needs named, pebble"]
fn one_command_answers_a_dead_order_with_one_new_generation_and_no_third() {
    let mut stage = Stage::start();
    let _elsewhere = blind(&mut stage);
    let chain = stage.chain();
    chain.dns01_issue().run().exit(23).stderr_contains("TXT records for DNS challenge");
    assert_eq!((stage.pebble.orders(), chain.state()["generation"].as_u64()), (2, Some(2)));
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn an_order_that_the_ca_lost_is_23_and_the_next_run_makes_another() {
    let stage = Stage::start();
    let front = stage.pebble.front(|request| {
        let gone = Reply::problem(404, "malformed", "no such order");
        request.path.starts_with("/my-order/").then_some(gone)
    });
    let chain = stage.chain().at(&front.directory());
    let failed = chain.go();
    says(failed.run("certbot-issue"), 23, &["exit 23 (order dead)"]);
    chain.cleanup().run().exit(0);
    stage.assert_zone_is_clean();
    chain.let_the_pause_pass();
    // The next run cannot ask for the dead order either: it is not asked for.
    let order = chain.again("run-2").order().run().exit(0);
    assert_eq!((order.output("action"), order.output("generation")), ("issue", "2"));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_ca_that_forgot_everything_between_two_steps_is_23_and_then_asks_for_a_new_account() {
    let mut stage = Stage::start();
    let chain = stage.chain();
    let (order, challenges) = ordered(&chain);
    chain.present(&challenges).run().exit(0);
    stage.pebble.stop();
    stage.pebble.start();
    let failed = chain.issue(order.output("generation")).run();
    says(&failed, 23, &["hint: "]);
    chain.cleanup().run().exit(0);
    chain.let_the_pause_pass();
    let next = chain.again("run-2");
    says(&next.order().run(), 20, &["accountDoesNotExist", "hint: ", "remove the stored account"]);
    fs::remove_dir_all(chain.work.join("accounts")).unwrap();
    let next = chain.again("run-3");
    next.go().well();
    next.delivered();
    stage.assert_zone_is_clean();
}

#[tokio::test]
#[ignore = "needs named, pebble"]
async fn an_order_that_somebody_else_finished_is_dead_and_never_an_integrity_error() {
    let stage = Stage::start();
    let chain = stage.chain();
    let (order, challenges) = ordered(&chain);
    let published = chain.present(&challenges).run().exit(0);
    chain.wait(&challenges, published.output("published")).run().exit(0);
    finish_with_another_key(&stage, &chain).await;
    let failed = chain.issue(order.output("generation")).run();
    says(&failed, 23, &["hint: start a new run"]);
    assert_eq!(
        (&chain.state()["phase"], &chain.state()["dead"]),
        (&"dead".into(), &"foreign".into())
    );
    assert!(!chain.live().exists());
    chain.cleanup().run().exit(0);
    stage.assert_zone_is_clean();
    chain.let_the_pause_pass();
    chain.again("run-2").go().well();
    chain.delivered();
}

/// With the account's own key, as a thief or a second journal would.
async fn finish_with_another_key(stage: &Stage, chain: &Chain) {
    let state = chain.state();
    let account = chain.work.join("accounts").join(state["spec"]["account"].as_str().unwrap());
    let file = |end: &str| {
        let mut entries = fs::read_dir(&account).unwrap().map(|entry| entry.unwrap().path());
        let found = entries.find(|path| path.to_str().unwrap().ends_with(end)).unwrap();
        fs::read_to_string(found).unwrap()
    };
    let key = PrivateKey::from_pem(&SecretText::from(file(".pem"))).unwrap();
    let record: serde_json::Value = serde_json::from_str(&file(".json")).unwrap();
    let settings = CaSettings {
        roots_pem: Some(stage.lab.ca().pem().to_owned()),
        ..CaSettings::new(stage.pebble.directory())
    };
    let ca = Ca::connect(&settings).await.unwrap();
    let account =
        ca.account(AccountKey::new(key).unwrap(), record["url"].as_str().unwrap().to_owned());
    let challenges = state["challenges"].as_array().unwrap().iter();
    let urls: Vec<_> = challenges.map(|one| one["url"].as_str().unwrap().to_owned()).collect();
    account.validate(&urls).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let order =
        account.wait_ready(state["order"]["url"].as_str().unwrap(), deadline).await.unwrap();
    let names: Vec<_> = chain.domains.iter().map(|name| name.parse().unwrap()).collect();
    let other = PrivateKey::generate(KeyType::P256).unwrap();
    let order = account.finalize(&order, &dns01_acme::csr(&names, &other).unwrap()).await.unwrap();
    account.wait_valid(order, deadline).await.unwrap();
}

#[test]
#[ignore = "needs named, pebble"]
fn names_that_the_ca_knows_as_ours_need_no_record() {
    let stage = Stage::with(|named| named, |pebble| pebble.authz_reuse(100));
    let first = stage.chain();
    first.go().well();
    let updates = stage.named.update_requests();
    let mut other = first.again("run-2");
    other.name = "other".to_owned();
    let other = other
        .flags("order", &["--key-type", "ec384"])
        .flags("renew-check", &["--key-type", "ec384"]);
    let done = other.go().well();
    assert_eq!(
        (done.output("order", "needed"), done.output("order", "challenges")),
        ("false".into(), "[]".into())
    );
    assert_eq!(done.names(), ["renew-check", "order", "certbot-issue", "store-secret", "cleanup"]);
    other.delivered();
    assert_eq!(stage.named.update_requests(), updates);
}
