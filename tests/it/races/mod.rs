//! The rules of the journal about time: two runs at once, late steps, signals, and what cleanup waits for.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows why"
)]

mod cleanup;
mod signals;

use crate::stage::{Chain, Stage};
use harness::{NameServer as _, Run};
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Order and records of a run that then stopped.
fn published(chain: &Chain) -> Run {
    let order = chain.order().run().exit(0);
    chain.present(order.output("challenges")).run().exit(0);
    order
}

/// A run as a workflow makes it: on failure its exit hook follows.
fn whole(chain: &Chain) -> i32 {
    let done = chain.go();
    if ![0, 26, 80, 24].contains(&done.last().code) {
        println!("{}", done.last());
    }
    if done.last().code != 0 {
        chain.cleanup().arg("--exit-hook").run().exit(0);
    }
    done.last().code
}

#[test]
#[ignore = "needs named, pebble"]
fn two_runs_at_once_end_with_one_certificate_and_a_clean_zone() {
    let stage = Stage::start();
    thread::scope(|scope| {
        for round in 0..8 {
            let stage = &stage;
            scope.spawn(move || two_at_once(stage, round));
        }
    });
    let generations = stage.pebble.finalized();
    assert!(generations <= 8, "{generations} orders finalized for 8 generations");
}

fn two_at_once(stage: &Stage, round: usize) {
    let domain = format!("r{round}.example.test");
    let first = stage.chain_for(&[&domain, &format!("*.{domain}")]);
    let runs = [first.again("run-a"), first.again("run-b")];
    // Each round begins at another distance.
    let later = Duration::from_millis(40 * round as u64);
    let codes = thread::scope(|scope| {
        let second = scope.spawn(|| {
            thread::sleep(later);
            whole(&runs[1])
        });
        [whole(&runs[0]), second.join().unwrap()]
    });
    assert!(codes.contains(&0), "round {round}: neither run ended well: {codes:?}");
    let fair = codes.iter().all(|code| [0, 26, 80, 24].contains(code));
    assert!(fair, "round {round}: {codes:?}");
    first.delivered();
    assert_eq!(first.state()["generation"], 1, "round {round}");
    let left = stage.named.txt(&format!("_acme-challenge.{domain}"));
    assert!(left.is_empty(), "round {round}: {left:?}");
}

#[test]
#[ignore = "needs named, pebble"]
fn a_late_step_of_an_older_generation_changes_nothing() {
    let stage = Stage::start();
    let first = stage.chain();
    first.go().well();
    let second = first.again("run-2");
    second.order().arg("--force").run().exit(0);
    let (state, live) = (second.state(), first.delivered_files());
    for late in [first.issue("1"), first.store("1")] {
        late.run().exit(26).termination_contains("superseded by generation 2");
    }
    assert_eq!((second.state(), first.delivered_files()), (state, live));
}

#[test]
#[ignore = "needs named, pebble"]
fn force_counts_once_per_run() {
    let stage = Stage::start();
    let first = stage.chain();
    first.go().well();
    let forced =
        first.again("run-2").flags("renew-check", &["--force"]).flags("order", &["--force"]);
    forced.go().well();
    let again = forced.order().run().exit(0);
    assert_eq!((again.output("action"), again.output("generation")), ("none", "2"));
    assert_eq!(stage.pebble.issued(), 2);
}

/// A generation whose order was placed by a step that died before it could store the order's URL.
fn died_between_order_and_url(chain: &Chain) {
    chain.order().env("DNS01_FAIL_POINT", "order::placed").run().exit(137);
    let state = chain.state();
    assert_eq!((&state["phase"], &state["order"]), (&"new".into(), &Value::Null));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_run_that_meets_new_without_an_order_waits_for_the_other_one() {
    let stage = Stage::start();
    let chain = stage.chain();
    died_between_order_and_url(&chain);
    let second = chain.again("run-2").order().spawn();
    thread::sleep(Duration::from_secs(2));
    assert_eq!((stage.pebble.orders(), chain.state()["run"].as_str().unwrap()), (1, "run-1"));
    chain.order().run().exit(0);
    let start = Instant::now();
    assert_eq!(second.wait().exit(0).output("generation"), "1");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!((stage.pebble.orders(), chain.state()["run"].as_str().unwrap()), (2, "run-2"));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_run_that_meets_new_of_a_dead_one_goes_on_itself_after_a_minute() {
    let stage = Stage::start();
    let chain = stage.chain();
    died_between_order_and_url(&chain);
    let second = chain.again("run-2");
    let start = Instant::now();
    second.go().well();
    assert!(start.elapsed() > Duration::from_secs(59), "{:?}", start.elapsed());
    second.delivered();
    assert_eq!((stage.pebble.orders(), stage.pebble.finalized()), (2, 1));
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn a_lost_journal_is_not_due_while_its_sink_is_good() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.go().well();
    fs::remove_dir_all(chain.work.join("journal")).unwrap();
    let check = chain.again("run-2").check().run().exit(0);
    assert_eq!(check.output("action"), "none");
    check.stdout_contains("no journal knows it");
}

#[test]
#[ignore = "needs named, pebble, strace"]
fn present_and_wait_open_no_journal() {
    let stage = Stage::start();
    let chain = stage.chain().env("DNS01_DIR", "/nowhere/dns01");
    let order = chain.order().run().exit(0);
    let challenges = order.output("challenges");
    let work = chain.work.to_str().unwrap();
    for step in [chain.present(challenges), chain.wait(challenges, "")] {
        let (run, trace) = step.trace_text();
        run.exit(0);
        let opened: Vec<_> = trace.lines().filter(|line| line.contains("open")).collect();
        assert!(opened.len() > 3, "nothing was traced");
        let inside = |line: &&&str| line.contains(work) || line.contains("/nowhere");
        assert_eq!(opened.iter().filter(inside).count(), 0, "{opened:#?}");
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn every_sink_is_tried_and_recorded_and_one_failure_is_no_delivery() {
    let stage = Stage::start();
    let (chain, full) = (stage.chain(), stage.lab.folder("full"));
    stage.lab.make_read_only(&full);
    let good = stage.lab.folder("good").join("tls");
    let order = published(&chain);
    chain.issue(order.output("generation")).run().exit(0);
    let sinks = format!("dir:{},dir:{}", full.join("tls").display(), good.display());
    let failed = chain.store("1").args(["--sink", &sinks]).run().exit(30);
    crate::stage::pair_in(&good).unwrap();
    let state = chain.state();
    assert_eq!(
        (state["phase"].as_str(), state["sinks"].as_array().unwrap().len()),
        (Some("issued"), 2)
    );
    assert!(state["sinks"][0]["error"].is_string() && state["sinks"][1]["error"].is_null());
    assert!(failed.output("sinks").contains(r#""state":"failed""#));
}
