//! A CA that is away, overloaded, or refuses.

use super::says;
use crate::stage::Stage;
use chrono::{DateTime, TimeDelta, Utc};
use harness::{Pebble, Reply, Request};
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs named, pebble"]
fn a_ca_that_is_down_is_75() {
    let mut stage = Stage::start();
    stage.pebble.stop();
    let chain = stage.chain().env("DNS01_RETRY_BUDGET", "1s");
    let directory = stage.pebble.directory();
    says(chain.go().run("order"), 75, &[&directory, "exit 75 (transient)"]);
    stage.pebble.start();
    chain.go().well();
    chain.delivered();
}

#[test]
#[ignore = "needs named, pebble"]
fn a_ca_that_answers_500_or_html_is_75_and_the_page_is_not_repeated() {
    let stage = Stage::start();
    let page = "<html><head><title>502 Bad Gateway</title></head><body><b>nginx</b></body></html>";
    for (reply, words) in [
        (Reply::problem(500, "serverInternal", "the database is away"), "the database is away"),
        (Reply::status(502).with_body("text/html", page), "502"),
    ] {
        let front = stage
            .pebble
            .front(move |request| (request.path == "/order-plz").then(|| reply.clone()));
        let chain = stage.chain().at(&front.directory()).env("DNS01_RETRY_BUDGET", "1s");
        let failed = chain.order().run();
        says(&failed, 75, &[words, "place an order"]);
        failed.nowhere_contains("<b>");
        // What the CA could not do is no refusal: nobody is held back.
        assert!(chain.state()["retry_at"].is_null());
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn a_ca_that_rejects_ninety_of_a_hundred_nonces_still_issues() {
    println!("nonces rejected   requests   by steps   certificate");
    for percent in [0, 20, 50, 90] {
        let stage = Stage::with(|named| named, |pebble| pebble.nonce_reject(percent));
        let chain = stage.chain();
        chain.go().well();
        let serial = chain.delivered();
        println!("{percent:>14} %   {:>8}   7          {serial}", stage.pebble.requests());
        assert_eq!(stage.pebble.finalized(), 1);
        stage.assert_zone_is_clean();
    }
}

/// A front that answers the first `count` new orders with 429 and this Retry-After.
fn limited(
    pebble: &Pebble,
    count: usize,
    wait: impl Fn() -> String + Send + Sync + 'static,
) -> harness::Front {
    let seen = std::sync::atomic::AtomicUsize::new(0);
    pebble.front(move |request: &Request| {
        let first = request.path == "/order-plz"
            && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < count;
        let slow = Reply::problem(429, "rateLimited", "too many new orders recently");
        first.then(|| slow.with_header("retry-after", &wait()))
    })
}

fn http_date(ahead: TimeDelta) -> String {
    (Utc::now() + ahead).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[test]
#[ignore = "needs named, pebble"]
fn a_short_retry_after_is_waited_for_in_the_process() {
    let stage = Stage::start();
    for date in [false, true] {
        let wait = move || if date { http_date(TimeDelta::seconds(3)) } else { "2".to_owned() };
        let front = limited(&stage.pebble, 1, wait);
        let start = Instant::now();
        stage.chain().at(&front.directory()).order().run().exit(0);
        assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn a_long_retry_after_is_24_with_the_time_and_the_next_run_asks_nothing() {
    let stage = Stage::start();
    for date in [false, true] {
        let wait = move || if date { http_date(TimeDelta::hours(1)) } else { "3600".to_owned() };
        let front = limited(&stage.pebble, 1, wait);
        let chain = stage.chain().at(&front.directory());
        let failed = chain.order().run();
        says(&failed, 24, &["too many new orders recently", "exit 24 (rate limited)"]);
        let until = DateTime::parse_from_rfc3339(failed.output("retry-at")).unwrap();
        let left = until.signed_duration_since(Utc::now());
        assert!(left > TimeDelta::minutes(58) && left <= TimeDelta::hours(1), "{left}");
        let asked = front.requests().len();
        let next = chain.again("run-2").go();
        says(
            next.run("order"),
            24,
            &["not asked again until", "too many new orders recently", "hint: "],
        );
        assert_eq!(next.output("order", "retry-at"), failed.output("retry-at"));
        assert_eq!(front.requests().len(), asked, "no request to the CA");
        chain.let_the_pause_pass();
        chain.again("run-3").go().well();
        chain.delivered();
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn a_name_that_the_ca_rejects_is_22_and_named() {
    let stage = Stage::with(|named| named, |pebble| pebble.blocked(&["bad.example.test"]));
    let chain = stage.chain_for(&["good.example.test", "bad.example.test"]);
    let failed = chain.go();
    says(
        failed.run("order"),
        22,
        &["bad.example.test", "rejectedIdentifier", "exit 22 (CA rejected)"],
    );
    assert_eq!(chain.state()["phase"], "dead");
    let asked = stage.pebble.requests();
    says(
        chain.again("run-2").go().run("order"),
        24,
        &["not asked again until", "bad.example.test"],
    );
    assert_eq!(stage.pebble.requests(), asked, "no request to the CA");
}
