//! certbot in the flow: what it does when all goes well, or when it is killed.

use super::{
    OWNER, assert_tidy, command_lines, private_folders, stage_that_waits, waiting, wanted,
    with_certbot,
};
use crate::stage::{Stage, ZONE, pair_in};
use harness::{NameServer as _, Reply, Sandbox, Signal, certbot, wait_until};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

#[test]
#[ignore = "needs certbot, named, pebble"]
fn steps_chained_by_hand_issue_through_certbot() {
    let stage = Stage::with(|named| named.secondaries(1), |pebble| pebble);
    let work = stage.lab.folder("work");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("chain.sh");
    let script = stage.user.program("/bin/bash").arg(script);
    let script = script.env("DNS01_BIN", Sandbox::binaries()).env("WORK", &work).env("NAME", ZONE);
    let script = script.env("ENGINE", "certbot").env("DNS01_CERTBOT", certbot());
    let script = script.env("ACME_DIRECTORY", stage.pebble.directory());
    let script = script.env("CA_FILE", stage.pebble.ca_file());
    script.env("RESOLVER", stage.named.resolver()).run().exit(0).stdout_contains("0 TXT removed");
    pair_in(&work.join("live/demo")).unwrap();
    let verify = stage.user.program("/usr/bin/openssl").args(["verify", "-CAfile"]);
    let chain = work.join("live/demo/fullchain.pem");
    let verify = verify.arg(stage.pebble.issuing_roots_file()).arg("-untrusted").arg(&chain);
    verify.arg(&chain).run().exit(0);
    assert_eq!((stage.pebble.orders(), stage.pebble.issued()), (1, 1));
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn certbots_hooks_write_apex_and_wildcard_at_once_and_delete_them_at_once() {
    let stage = Stage::start();
    let chain = with_certbot(stage.chain());
    let done = chain.go().well();
    assert_eq!(done.names(), ["renew-check", "order", "certbot-issue", "store-secret", "cleanup"]);
    chain.delivered();
    let operations = stage.named.update_operations(ZONE);
    assert_eq!((stage.named.updates(ZONE), operations.len()), (2, 4), "{operations:#?}");
    assert_eq!((done.output("cleanup", "removed"), wanted(&chain)), ("0".into(), 0));
    assert_eq!(chain.state()["challenges"].as_array().unwrap().len(), 2);
    stage.assert_zone_is_clean();
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn three_renewals_of_a_short_lived_certificate_through_certbot() {
    let stage =
        Stage::with(|named| named, |pebble| pebble.profile("short", Duration::from_mins(2)));
    let front = stage
        .pebble
        .front(|request| request.path.contains("/renewalInfo/").then(|| Reply::status(404)));
    let mut first = with_certbot(stage.chain().at(&front.directory()));
    for step in ["renew-check", "order"] {
        first = first.flags(step, &["--profile", "short", "--threshold", "0.999"]);
    }
    let mut seen = BTreeSet::new();
    for number in 0..=3 {
        let chain = first.again(&format!("run-{number}"));
        chain.go().well();
        // Due once a thousandth of its two minutes is over.
        thread::sleep(Duration::from_millis(1200));
        let key = fs::read_to_string(chain.live().join("privkey.pem")).unwrap();
        assert!(seen.insert((chain.delivered(), key)), "renewal {number}");
        stage.assert_zone_is_clean();
    }
    assert_eq!((stage.pebble.orders(), stage.pebble.issued()), (4, 4));
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn no_secret_is_seen_while_certbot_runs_or_afterwards() {
    let stage = stage_that_waits();
    let chain = with_certbot(stage.chain());
    let running = waiting(&stage, &chain);
    let [folder] = private_folders(&stage).try_into().unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let host = stage.pebble.directory().replace("https://", "");
    let account = folder.join("config/accounts").join(host).join("dns01/private_key.json");
    assert_eq!(fs::metadata(&account).unwrap().permissions().mode() & 0o777, 0o600);
    let jwk: serde_json::Value = serde_json::from_slice(&fs::read(&account).unwrap()).unwrap();
    let key = fs::read_to_string(chain.work.join("journal/shop/keys/1.pem")).unwrap();
    let canaries = [
        jwk["d"].as_str().unwrap().to_owned(),
        key.lines().nth(1).unwrap().to_owned(),
        stage.named.key().secret.clone(),
    ];
    let lines = command_lines(&stage);
    assert!(lines.iter().any(|line| line.contains("certonly")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("certbot-hook auth")), "{lines:#?}");
    let log = fs::read_to_string(folder.join("logs/letsencrypt.log")).unwrap();
    for canary in &canaries {
        assert!(!lines.iter().any(|line| line.contains(canary)), "{lines:#?}");
        assert!(!log.contains(canary), "certbot's log");
    }
    stage.named.release(0);
    let run = running.wait().exit(0);
    for canary in &canaries {
        run.clone().nowhere_contains(canary);
        assert!(!chain.state().to_string().contains(canary));
    }
    assert_tidy(&stage);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_certbot_whose_step_was_killed_ends_and_the_next_run_delivers_one_certificate() {
    let stage = stage_that_waits();
    let chain = with_certbot(stage.chain());
    let running = waiting(&stage, &chain);
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, 128 + 9);
    assert_eq!((chain.state()["phase"].as_str(), wanted(&chain)), (Some("finalizing"), 2));
    let next = chain.again("run-2");
    let order = next.order().run().exit(0);
    let running = next.issue(order.output("generation")).spawn();
    wait_until("the second certbot's values are there too", || stage.named.txt(OWNER).len() == 4);
    assert_eq!(wanted(&next), 4, "every value that may be in the zone is listed");
    stage.named.release(0);
    running.wait().exit(0);
    next.store("1").run().exit(0);
    let removed = next.cleanup().run().exit(0);
    assert_eq!((removed.output("removed"), wanted(&next)), ("2", 0), "the first certbot's");
    next.delivered();
    stage.assert_zone_is_clean();
    wait_until("the first certbot is gone", || command_lines(&stage).is_empty());
    assert!(stage.pebble.orders() == 2 && stage.pebble.issued() <= 2);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn the_engine_of_the_order_wins_over_the_flag() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.flags("certbot-issue", &["--engine", "certbot", "--certbot", "/nowhere"]).go().well();
    assert_eq!(stage.pebble.issued(), 1);
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn two_certbots_at_once_end_with_one_certificate_and_a_clean_zone() {
    let stage = stage_that_waits();
    let chain = with_certbot(stage.chain());
    let first = waiting(&stage, &chain);
    let other = chain.again("run-2");
    let order = other.order().run().exit(0);
    let second = other.issue(order.output("generation")).spawn();
    wait_until("the second one's values are there too", || stage.named.txt(OWNER).len() == 4);
    stage.named.release(0);
    let serials = [first.wait().exit(0), second.wait().exit(0)];
    let serials = serials.map(|run| run.output("serial").to_owned());
    assert_eq!(serials[0], serials[1], "the first that is stored is everybody's");
    // Once it is issued nobody needs a value any more: whichever run cleans up first.
    chain.cleanup().run().exit(0);
    stage.assert_zone_is_clean();
    other.store("1").run().exit(0);
    other.cleanup().run().exit(0);
    assert_eq!((other.delivered(), wanted(&other)), (serials[0].clone(), 0));
    assert_tidy(&stage);
}
