//! What a failed certbot tells: the cause in one line, with the exit code that the native engine would give.

use super::{assert_tidy, processes, stage_that_waits, waiting, wanted, with_certbot};
use crate::stage::{Chain, Stage, ZONE};
use chrono::{DateTime, TimeDelta, Utc};
use harness::{NameServer as _, Named, Pebble, Reply, Run, Signal};
use std::process::Command;

/// `order`, then a certbot-issue that fails: its run.
fn fails(chain: &Chain, code: i32) -> Run {
    let order = chain.order().run().exit(0);
    let run = chain.issue(order.output("generation")).run().exit(code);
    assert_eq!(run.termination.lines().count(), 1, "{run}");
    assert!(!run.stderr.contains("Traceback") && !run.stderr.contains("letsencrypt.log"), "{run}");
    run
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_wrong_tsig_key_is_the_hooks_exit_20_in_one_line() {
    let stage = Stage::start();
    let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let chain = with_certbot(stage.chain()).env("RFC2136_TSIG_SECRET", wrong);
    let run = fails(&chain, 20);
    let run = run.termination_contains("could not add TXT `_acme-challenge.example.test`");
    run.termination_contains("; exit 20 (auth refused)").nowhere_contains(wrong);
    assert_eq!(stage.pebble.invalid(), 0, "the CA is never told to look in vain");
    assert_eq!(chain.state()["phase"], "finalizing");
    assert_tidy(&stage);
    // The right key, the same generation: done.
    let mended = chain.again("run-2").env("RFC2136_TSIG_SECRET", &stage.named.key().secret);
    mended.go().well();
    mended.delivered();
    assert_eq!((wanted(&mended), stage.pebble.issued()), (0, 1));
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_name_that_the_ca_refuses_is_22_and_ends_the_generation() {
    let stage = Stage::with(|named| named, |pebble| pebble.blocked(&[ZONE]));
    let chain = with_certbot(stage.chain());
    let run = fails(&chain, 22);
    run.termination_contains("could not get the certificate through certbot: the CA refused: ")
        .termination_contains("(rejectedIdentifier)");
    let state = chain.state();
    assert_eq!((state["phase"].as_str(), state["dead"].as_str()), (Some("dead"), Some("refused")));
    assert_eq!(stage.named.updates(ZONE), 0);
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_failed_validation_is_23_and_says_what_the_ca_saw_at_which_name() {
    let mut stage = Stage::start();
    // The CA asks servers that have never heard of the values.
    let elsewhere = Named::builder(&stage.lab).start();
    stage.pebble = Pebble::builder(&stage.lab, elsewhere.address()).start();
    let chain = with_certbot(stage.chain());
    let run = fails(&chain, 23);
    run.termination_contains("the order is invalid: `example.test`: ")
        .termination_contains("(unauthorized)");
    assert_eq!(chain.state()["dead"], "invalid");
    assert_eq!((wanted(&chain), stage.named.txt(super::OWNER).len()), (0, 0));
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_rate_limit_is_24_until_the_time_that_the_ca_names() {
    let stage = Stage::start();
    let front = stage.pebble.front(|request| {
        let body = r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}"#;
        (request.path == "/order-plz").then(|| {
            let reply = Reply::status(429).with_header("retry-after", "3600");
            reply.with_body("application/problem+json", body)
        })
    });
    let chain = with_certbot(stage.chain().at(&front.directory()));
    let run = fails(&chain, 24).termination_contains("too many (rateLimited)");
    let until: DateTime<Utc> = run.output("retry-at").parse().unwrap();
    assert!((until - Utc::now() - TimeDelta::hours(1)).abs() < TimeDelta::minutes(1), "{until}");
    chain.again("run-2").order().run().exit(24);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_ca_that_is_down_broken_or_not_trusted_is_said_so() {
    let mut stage = Stage::start();
    let front = stage.pebble.front(|request| {
        (request.path == "/order-plz")
            .then(|| Reply::status(503).with_body("text/html", "<h1>maintenance</h1>"))
    });
    let chain = with_certbot(stage.chain().at(&front.directory()));
    fails(&chain, 75).termination_contains("maintenance (status 503)");
    let chain = with_certbot(stage.chain());
    chain.order().run().exit(0);
    let distrusting = chain.clone().env("SSL_CERT_FILE", "");
    distrusting.issue("1").run().exit(11).termination_contains("certificate is not trusted");
    stage.pebble.stop();
    chain.issue("1").run().exit(75).termination_contains("certbot: ");
    assert_eq!(chain.state()["phase"], "finalizing");
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn without_a_certbot_the_step_says_how_to_get_one() {
    let stage = Stage::start();
    let chain = stage.chain().flags("order", &["--engine", "certbot"]);
    let run = fails(&chain.flags("certbot-issue", &["--provider", "rfc2136"]), 11);
    run.termination_contains("could not start `certbot`").termination_contains("--certbot PATH");
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn sigterm_ends_certbot_with_all_that_it_started() {
    let stage = stage_that_waits();
    let chain = with_certbot(stage.chain());
    let running = waiting(&stage, &chain);
    running.signal(Signal::TERM);
    running.wait().exit(84).termination_contains("exit 84 (interrupted)");
    assert_tidy(&stage);
    assert_eq!(stage.pebble.invalid(), 0);
    // What was published is listed, and cleanup removes it.
    let left = wanted(&chain);
    assert_eq!(stage.named.txt(super::OWNER).len(), left);
    assert_eq!(chain.cleanup().run().exit(0).output("removed"), left.to_string());
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_wait_in_vain_is_80_before_the_ca_looks() {
    let stage = stage_that_waits();
    let chain =
        with_certbot(stage.chain()).flags("certbot-issue", &["--propagation-timeout", "2s"]);
    let run = fails(&chain, 80);
    run.termination_contains("see `_acme-challenge.example.test` on every name server");
    assert_eq!((stage.pebble.invalid(), chain.state()["phase"].as_str()), (0, Some("finalizing")));
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_hook_that_is_killed_ends_certbot_before_the_ca_looks() {
    let stage = stage_that_waits();
    let chain = with_certbot(stage.chain());
    let running = waiting(&stage, &chain);
    let is_hook = |line: &str| line.contains("certbot-hook auth") && !line.contains("kill 0");
    let (hook, _) = processes(&stage).into_iter().find(|(_, line)| is_hook(line)).unwrap();
    kill(hook);
    running.wait().exit(75).termination_contains("it was ended by signal 15");
    assert_eq!((stage.pebble.invalid(), chain.state()["phase"].as_str()), (0, Some("finalizing")));
    assert_tidy(&stage);
}

fn kill(process: i32) {
    // The shell's own: a `kill` of its own is not on every machine.
    let killed = Command::new("sh").args(["-c", "kill -KILL $0", &process.to_string()]).status();
    assert!(killed.unwrap().success());
}
