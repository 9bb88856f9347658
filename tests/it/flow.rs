//! The whole flow, as users run it: chained by hand, in one process, again and again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cost;

use crate::stage::{Chain, Stage, ZONE, pair_in};
use chrono::{TimeDelta, Utc};
use dns01_core::{Chain as Leaf, PrivateKey, SecretText};
use harness::{Knot, Lab, NameServer, NamedBuilder, Pebble, Reply, Sandbox, Zone};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `tests/chain.sh` twice: the first issues, the second has nothing to do.
fn chain_by_hand(lab: &Lab, server: &dyn NameServer, pebble: &Pebble) -> PathBuf {
    let work = lab.folder("work");
    let user = Sandbox::new(lab)
        .envs(server.rfc2136())
        .env("DNS01_BIN", Sandbox::binaries())
        .env("WORK", &work)
        .env("NAME", ZONE)
        .env("ACME_DIRECTORY", pebble.directory())
        .env("CA_FILE", pebble.ca_file())
        .env("RESOLVER", server.resolver());
    let script = || user.program("/bin/bash").arg(repository().join("chain.sh"));
    script().run().exit(0).stdout_contains("2 TXT removed");
    let serial = pair_in(&work.join("live/demo")).unwrap();
    script().env("RUN", "run-2").run().exit(0).stdout_contains("none: delivered, unchanged");
    assert_eq!(pair_in(&work.join("live/demo")).unwrap(), serial);
    assert_eq!((pebble.finalized(), pebble.issued()), (1, 1));
    assert!(server.txt(&format!("_acme-challenge.{ZONE}")).is_empty());
    let chain = work.join("live/demo/fullchain.pem");
    let verify = user.program("/usr/bin/openssl").args(["verify", "-CAfile"]);
    let verify = verify.arg(pebble.issuing_roots_file()).arg("-untrusted").arg(&chain);
    verify.arg(&chain).run().exit(0).stdout_contains("OK");
    work
}

#[test]
#[ignore = "needs named, pebble"]
fn steps_chained_by_hand_issue_against_bind_and_its_secondary() {
    let stage = Stage::with(|named| named.secondaries(1), |pebble| pebble);
    chain_by_hand(&stage.lab, &stage.named, &stage.pebble);
    assert!(stage.named.secondary_txt(0, &format!("_acme-challenge.{ZONE}")).is_empty());
}

#[test]
#[ignore = "needs Knot, pebble"]
fn steps_chained_by_hand_issue_against_knot() {
    let lab = Lab::new();
    let knot = Knot::start(&lab, &[]);
    let pebble = Pebble::builder(&lab, knot.address()).start();
    chain_by_hand(&lab, &knot, &pebble);
}

/// Says that the delivered certificate is due, or is not: as the CA's renewal information.
fn suggest(stage: &Stage, chain: &Chain, start: i64) {
    let at = |hours: i64| (Utc::now() + TimeDelta::hours(start + hours)).to_rfc3339();
    let window = json!({"suggestedWindow": {"start": at(0), "end": at(1)}});
    let leaf = fs::read_to_string(chain.live().join("cert.pem")).unwrap();
    stage.pebble.set_renewal_info(&leaf, &window.to_string());
}

fn key_of(chain: &Chain) -> String {
    fs::read_to_string(chain.live().join("privkey.pem")).unwrap()
}

#[test]
#[ignore = "needs named, pebble"]
fn three_renewals_of_a_short_lived_certificate_each_have_a_new_serial_and_key() {
    let stage =
        Stage::with(|named| named, |pebble| pebble.profile("short", Duration::from_mins(2)));
    let first = stage.chain().flags("order", &["--profile", "short"]);
    let first = first.flags("renew-check", &["--profile", "short"]);
    first.go().well();
    let mut seen = BTreeSet::from([(first.delivered(), key_of(&first))]);
    for number in 1..=3 {
        let early = first.again(&format!("early-{number}"));
        suggest(&stage, &early, 1);
        assert_eq!(early.go().well().names(), ["renew-check"]);
        suggest(&stage, &early, -2);
        let due = first.again(&format!("due-{number}"));
        let done = due.go().well();
        assert_eq!(done.output("renew-check", "reason"), "the certificate is due for renewal");
        assert_eq!(done.output("order", "generation"), (number + 1).to_string());
        assert!(seen.insert((due.delivered(), key_of(&due))), "{seen:?}");
        stage.assert_zone_is_clean();
        let keys = fs::read_dir(due.work.join("journal/shop/keys")).unwrap();
        let keys: Vec<_> = keys.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(keys, [format!("{}.pem", number + 1).as_str()], "older keys are dropped");
    }
    assert_eq!((stage.pebble.finalized(), stage.pebble.issued()), (4, 4));
}

#[test]
#[ignore = "needs named, pebble"]
fn three_renewals_by_one_command() {
    let stage = Stage::start();
    let chain = stage.chain();
    let mut seen = BTreeSet::new();
    for number in 0..=3 {
        chain.dns01_issue().run().exit(0).stdout_contains("Certificate shop: ");
        assert!(seen.insert((chain.delivered(), key_of(&chain))), "renewal {number}");
        suggest(&stage, &chain, 1);
        chain.dns01_issue().run().exit(0);
        assert_eq!(stage.pebble.issued(), number + 1, "not due is a no-op");
        suggest(&stage, &chain, -2);
    }
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn without_renewal_information_the_threshold_decides() {
    let stage = Stage::start();
    let front = stage
        .pebble
        .front(|request| request.path.contains("/renewalInfo/").then(|| Reply::status(404)));
    let first = stage.chain().at(&front.directory());
    first.go().well();
    let early = first.again("run-2").go().well();
    assert_eq!(early.names(), ["renew-check"]);
    thread::sleep(Duration::from_millis(1100));
    let mut late = first.again("run-3");
    for step in ["renew-check", "order"] {
        late = late.flags(step, &["--threshold", "0.9999999"]);
    }
    let late = late.go().well();
    assert_eq!(late.output("renew-check", "reason"), "the certificate is due for renewal");
    assert_eq!(stage.pebble.issued(), 2);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_second_run_has_nothing_to_do_and_says_until_when() {
    let stage = Stage::start();
    let first = stage.chain();
    first.go().well();
    let (serial, finalized) = (first.delivered(), stage.pebble.finalized());
    let second = first.again("run-2").go().well();
    assert_eq!(second.names(), ["renew-check"]);
    assert_eq!(second.output("renew-check", "action"), "none");
    assert!(!second.output("renew-check", "next-check").is_empty());
    // Who calls `order` all the same gets the same answer.
    let order = first.again("run-3").order().run().exit(0);
    assert_eq!((order.output("action"), order.output("needed")), ("none", "false"));
    first.dns01_issue().run().exit(0);
    assert_eq!((first.delivered(), stage.pebble.finalized()), (serial, finalized));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_lost_sink_is_filled_again_without_the_ca() {
    let mut stage = Stage::start();
    let first = stage.chain().env("DNS01_RETRY_BUDGET", "1s");
    first.go().well();
    let (serial, key) = (first.delivered(), key_of(&first));
    stage.pebble.stop();
    fs::remove_dir_all(first.live()).unwrap();
    let second = first.again("run-2").go().well();
    assert_eq!(second.names(), ["renew-check", "order", "store-secret", "cleanup"]);
    assert_eq!(second.output("order", "action"), "deliver");
    assert_eq!((first.delivered(), key_of(&first)), (serial, key));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_csr_is_certified_and_its_key_is_never_ours() {
    let stage = Stage::start();
    let mut chain = stage.chain();
    let (csr, key) = (stage.user.home().join("own.csr"), stage.user.home().join("own.key"));
    let openssl = stage.user.program("/usr/bin/openssl").args("req -new -nodes -batch -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=example.test -addext subjectAltName=DNS:example.test,DNS:*.example.test".split(' '));
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&csr).run().exit(0);
    chain.domains.clear();
    let chain = chain.flags("order", &["--csr", csr.to_str().unwrap()]);
    let order = chain.order().run().exit(0);
    let (generation, challenges) = (order.output("generation"), order.output("challenges"));
    chain.present(challenges).run().exit(0);
    chain.issue(generation).run().exit(0);
    chain.store(generation).run().exit(0);
    chain.cleanup().run().exit(0);
    let leaf = Leaf::from_pem(&fs::read_to_string(chain.live().join("fullchain.pem")).unwrap());
    let own = PrivateKey::from_pem(&SecretText::from(fs::read_to_string(&key).unwrap())).unwrap();
    assert_eq!(leaf.unwrap().leaf().spki, own.spki_hash());
    assert!(
        !chain.live().join("privkey.pem").exists()
            && !chain.work.join("journal/shop/keys/1.pem").exists()
    );
    assert_eq!(chain.state()["key"]["kept"], "csr");
}

#[test]
#[ignore = "needs named, pebble"]
fn a_challenge_delegated_by_cname_is_answered_in_the_other_zone() {
    let delegated = Zone::new(ZONE).record("_acme-challenge CNAME x1.auth.test.");
    let zones = |named: NamedBuilder| named.zone(delegated).zone(Zone::new("auth.test"));
    let stage = Stage::with(|named| zones(named).recursive(), |pebble| pebble);
    let chain = stage.chain();
    let done = chain.go().well();
    assert!(done.output("present", "records").contains(r#""owner":"x1.auth.test""#));
    chain.delivered();
    assert_eq!((stage.named.updates(ZONE), stage.named.updates("auth.test")), (0, 2));
    assert!(stage.named.txt("x1.auth.test").is_empty());
}

#[test]
#[ignore = "needs named, pebble"]
fn a_name_in_a_delegated_zone_is_answered_there() {
    let sub = Zone::new("dept.example.test");
    let stage = Stage::with(|named| named.zone(Zone::new(ZONE)).zone(sub), |pebble| pebble);
    let chain = stage.chain_for(&["www.dept.example.test", "www.example.test"]);
    chain.go().well();
    chain.delivered();
    assert_eq!((stage.named.updates(ZONE), stage.named.updates("dept.example.test")), (2, 2));
}

#[test]
#[ignore = "needs named, pebble"]
fn an_international_name_is_taken_and_shown_as_written() {
    let stage = Stage::start();
    let chain = stage.chain_for(&["Bücher.example.test"]);
    let run = chain.dns01_issue().run().exit(0).stdout_contains("bücher.example.test");
    assert_eq!(run.output("names"), "xn--bcher-kva.example.test");
    chain.delivered();
}

#[test]
#[ignore = "needs named, pebble"]
fn an_account_is_bound_to_an_external_one() {
    let hmac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let stage = Stage::with(|named| named, |pebble| pebble.eab("kid-1", hmac));
    let file = stage.user.home().join("hmac");
    fs::write(&file, hmac).unwrap();
    let binding = ["--eab-kid", "kid-1", "--eab-hmac-key-file", file.to_str().unwrap()];
    let unbound = stage.chain();
    unbound.order().run().exit(22).stderr_contains("externalAccountRequired");
    let bound = stage.chain().flags("renew-check", &binding).flags("order", &binding);
    bound.go().well();
    bound.delivered();
    let inline = stage.chain().flags("order", &["--eab-hmac-key", hmac]);
    inline.order().run().exit(11).stderr_contains("every process could read it");
}

#[test]
#[ignore = "needs named, pebble"]
fn a_profile_is_ordered_and_an_unknown_one_is_the_cas_refusal() {
    let stage =
        Stage::with(|named| named, |pebble| pebble.profile("short", Duration::from_hours(6)));
    let chain = stage.chain().flags("order", &["--profile", "short"]);
    let chain = chain.flags("renew-check", &["--profile", "short"]);
    let done = chain.go().well();
    let end = done.output("certbot-issue", "not-after");
    let end = chrono::DateTime::parse_from_rfc3339(&end).unwrap();
    assert!(end.signed_duration_since(Utc::now()) < TimeDelta::hours(7), "{end}");
    let unknown = stage.chain().flags("order", &["--profile", "nosuch"]);
    unknown.order().run().exit(22).stderr_contains("nosuch");
}

#[test]
#[ignore = "needs named, pebble"]
fn the_preferred_chain_is_the_one_delivered() {
    let stage = Stage::with(|named| named, |pebble| pebble.alternate_roots(2));
    for root in stage.pebble.issuing_roots() {
        let file = stage.lab.folder("root").join("root.pem");
        fs::write(&file, &root).unwrap();
        let subject = stage.user.program("/usr/bin/openssl").args(["x509", "-noout", "-subject"]);
        let subject = subject.arg("-in").arg(&file).run().exit(0).stdout;
        let name = subject.trim().rsplit("= ").next().unwrap().trim().to_owned();
        let chain = stage.chain().flags("certbot-issue", &["--preferred-chain", &name]);
        chain.go().well();
        let pem = chain.live().join("fullchain.pem");
        let verify = stage.user.program("/usr/bin/openssl").args(["verify", "-CAfile"]).arg(&file);
        verify.arg("-untrusted").arg(&pem).arg(&pem).run().exit(0);
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn every_type_of_key_is_made_and_certified() {
    let stage = Stage::start();
    for (kind, words) in [("rsa2048", "2048 bit"), ("ec384", "384 bit")] {
        let chain = stage.chain().flags("order", &["--key-type", kind]);
        let chain = chain.flags("renew-check", &["--key-type", kind]);
        chain.go().well();
        chain.delivered();
        let show = stage.user.program("/usr/bin/openssl").args(["pkey", "-noout", "-text", "-in"]);
        show.arg(chain.live().join("privkey.pem")).run().exit(0).stdout_contains(words);
        assert_eq!(chain.again("run-2").go().well().names(), ["renew-check"]);
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn with_rotation_policy_never_a_renewal_keeps_the_key() {
    let stage = Stage::start();
    let yaml = format!(
        "version: 1
issuers: {{pebble: {{server: \"{}\", termsOfServiceAgreed: true}}}}
solvers: [{{name: lab, provider: rfc2136}}]
defaults: {{issuer: pebble, privateKey: {{rotationPolicy: Never}}}}
certificates:
- {{name: shop, dnsNames: [example.test, \"*.example.test\"]}}
",
        stage.pebble.directory()
    );
    let first = stage.chain().defined_by(&yaml);
    first.go().well();
    let (serial, key) = (first.delivered(), key_of(&first));
    suggest(&stage, &first, -2);
    let second = first.again("run-2");
    second.go().well();
    assert_ne!(second.delivered(), serial);
    assert_eq!(key_of(&second), key);
    // Another definition of the names is another certificate, due or not.
    let third = first.again("run-3").defined_by(&yaml.replace("example.test, ", ""));
    let third = third.go().well();
    assert_eq!(third.output("renew-check", "reason"), "the definition changed");
    assert_eq!(third.output("certbot-issue", "names"), "*.example.test");
}
