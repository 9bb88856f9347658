//! Name servers that refuse, are away or lag, values of others, and settings that are wrong.

use super::{ordered, says};
use crate::stage::{Stage, ZONE};
use harness::{NameServer as _, Named, Zone};
use std::time::{Duration, Instant};

const TXT: &str = "_acme-challenge.example.test";

#[test]
#[ignore = "needs named, pebble"]
fn a_wrong_key_is_20_and_with_the_right_one_the_same_order_goes_on() {
    let stage = Stage::start();
    let chain = stage.chain();
    let wrong = chain.clone().env("RFC2136_TSIG_SECRET", "YSBjYW5hcnkgdGhhdCBpcyB3cm9uZw==");
    let failed = wrong.go();
    let server = stage.named.address().to_string();
    says(
        failed.run("present"),
        20,
        &["zone `example.test`", &server, "hint: ", "exit 20 (auth refused)"],
    );
    chain.again("run-2").go().well();
    chain.delivered();
    assert_eq!((stage.pebble.orders(), stage.pebble.finalized()), (1, 1));
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn a_zone_that_the_provider_lacks_is_21() {
    let stage = Stage::start();
    let other =
        Named::builder(&stage.lab).zone(Zone::new("other.test")).key(stage.named.key().clone());
    let other = other.start();
    let chain = stage.chain().env("RFC2136_NAMESERVER", &other.resolver());
    let failed = chain.go();
    says(failed.run("present"), 21, &["`example.test`", "hint: ", "exit 21 (not found)"]);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_zone_that_refuses_updates_is_20() {
    let stage = Stage::with(|named| named.zone(Zone::new(ZONE).read_only()), |pebble| pebble);
    let failed = stage.chain().go();
    says(failed.run("present"), 20, &["REFUSED", "`example.test`", "hint: "]);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_name_server_that_is_down_is_75_and_up_again_the_step_is_simply_repeated() {
    let mut stage = Stage::start();
    let home = Named::builder(&stage.lab).start();
    let chain = stage.chain().env("RFC2136_DNS_TIMEOUT", "1");
    let (order, challenges) = ordered(&chain);
    let down = chain.present(&challenges).env("DNS01_RESOLVER", home.resolver());
    stage.named.stop();
    let address = stage.named.address().to_string();
    says(&down.run(), 75, &[&address, "exit 75 (transient)"]);
    stage.named.start();
    let present = chain.present(&challenges).run().exit(0);
    chain.wait(&challenges, present.output("published")).run().exit(0);
    chain.issue(order.output("generation")).run().exit(0);
    chain.store(order.output("generation")).run().exit(0);
    chain.cleanup().run().exit(0);
    chain.delivered();
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn two_names_under_one_txt_owner_do_not_disturb_each_other() {
    let zone = Zone::new(ZONE)
        .record("_acme-challenge.a CNAME shared")
        .record("_acme-challenge.b CNAME shared");
    let stage = Stage::with(|named| named.zone(zone), |pebble| pebble);
    let chain = stage.chain_for(&["a.example.test", "b.example.test"]);
    let done = chain.go().well();
    assert_eq!(
        done.output("present", "records").matches(r#""owner":"shared.example.test""#).count(),
        2
    );
    chain.delivered();
    assert_eq!(stage.named.update_requests(), 2);
    assert!(stage.named.txt("shared.example.test").is_empty());
    // One of the two is removed, and the other stays.
    let [first, second] = ["a", "b"].map(|letter| letter.repeat(43));
    let challenge = |value: &str| {
        format!(
            r#"[{{"domain":"a.example.test","fqdn":"_acme-challenge.a.example.test","value":"{value}"}}]"#
        )
    };
    for value in [&first, &second] {
        chain.present(&challenge(value)).run().exit(0);
    }
    let cleanup = chain.user.step("cleanup").args([
        "--provider",
        "rfc2136",
        "--resolver",
        &stage.named.resolver(),
    ]);
    cleanup.args(["--challenges", &challenge(&first)]).run().exit(0);
    assert_eq!(stage.named.txt("shared.example.test"), [second]);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_foreign_value_beside_ours_survives() {
    let stage = Stage::start();
    stage.named.add_txt(TXT, "somebody else's");
    stage.chain().go().well();
    assert_eq!(stage.named.txt(TXT), ["somebody else's"]);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_secondary_that_lags_is_80_and_named() {
    let stage = Stage::with(|named| named.secondaries(1).held(), |pebble| pebble);
    let chain = stage.chain();
    let (_, challenges) = ordered(&chain);
    let present = chain.present(&challenges).run().exit(0);
    let start = Instant::now();
    let wait = chain.wait(&challenges, present.output("published"));
    let failed = wait.args(["--timeout", "3s"]).run();
    let lagging = stage.named.secondary_addresses()[0].to_string();
    says(&failed, 80, &[&lagging, "ns2.example.test", "exit 80 (not yet)"]);
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    assert!(!failed.termination.contains(&format!("{}", stage.named.address())), "{failed}");
    // certbot-issue looks once itself, and posts nothing.
    says(&chain.issue("1").run(), 80, &[&lagging]);
    assert_eq!(stage.pebble.requests_to("/chalZ/"), 0);
    stage.named.release(0);
    chain.wait(&challenges, present.output("published")).run().exit(0);
    chain.issue("1").run().exit(0);
}

#[test]
#[ignore = "needs named, pebble"]
fn when_no_server_answers_the_failure_lists_them_all() {
    let mut stage = Stage::with(|named| named.secondaries(1), |pebble| pebble);
    let chain = stage.chain().env("DNS01_LOG", "info");
    let (_, challenges) = ordered(&chain);
    let mut waiting = chain.wait(&challenges, "").args(["--timeout", "3s"]).spawn();
    waiting.wait_for_stderr("propagation: 0 of 2 addresses agree");
    stage.named.stop();
    stage.named.stop_secondary(0);
    let (primary, secondary) = (stage.named.address(), stage.named.secondary_addresses()[0]);
    says(&waiting.wait(), 80, &[&primary.to_string(), &secondary.to_string()]);
}

#[test]
#[ignore = "needs named, pebble"]
fn what_an_earlier_step_failed_to_give_is_11() {
    let stage = Stage::start();
    let chain = stage.chain();
    says(&chain.present("").run(), 11, &["challenges"]);
    says(&chain.wait("", "").run(), 11, &["challenges"]);
    says(&chain.issue("").run(), 11, &["no generation is given", "hint: look at the `order` step"]);
    says(&chain.store("").run(), 11, &["no generation is given", "hint: look at the `order` step"]);
    // An empty list is fine: there is nothing to publish.
    chain.present("[]").run().exit(0);
    chain.wait("[]", "").run().exit(0);
}

#[test]
#[ignore = "needs named, pebble"]
fn mistakes_in_settings_are_told_all_at_once_with_the_nearest_name() {
    let stage = Stage::start();
    let challenges =
        format!(r#"[{{"domain":"{ZONE}","fqdn":"{TXT}","value":"{}"}}]"#, "a".repeat(43));
    let bare = harness::Sandbox::new(&stage.lab);
    let present = |provider: &str| {
        let step = bare.step("present").args(["--resolver", &stage.named.resolver()]);
        step.args(["--challenges", &challenges, "--provider", provider]).run()
    };
    says(&present("rfc2316"), 11, &["rfc2316", "hint: use `rfc2136`"]);
    says(&present("route53"), 11, &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    says(&present("rfc2136"), 11, &["RFC2136_NAMESERVER"]);
}
