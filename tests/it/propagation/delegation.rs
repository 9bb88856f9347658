//! Zones whose surroundings differ from what they say, or change while they are waited for.

use super::{OWNER, VALUE, report, server, wait};
use crate::faults::says;
use harness::{FakeDns, Lab, NameServer as _, Named, Reaction, Zone, faults};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData, RecordType, rdata};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A parent at its own address, which delegates `example.test` to these names and addresses.
fn parent(lab: &Lab, servers: &[(&str, IpAddr)]) -> Named {
    let lines = servers.iter().map(|(name, address)| {
        let glue = if name.ends_with(".example.test.") {
            format!("{name} A {address}")
        } else {
            String::new()
        };
        format!("example NS {name}\n{glue}\n")
    });
    let top = Zone::new("test").record(&lines.collect::<String>()).read_only();
    Named::builder(lab).zone(top).recursive().start()
}

#[test]
#[ignore = "needs named"]
fn servers_that_only_the_parent_or_only_the_zone_names_are_told() {
    let lab = Lab::new();
    let named = Named::builder(&lab).secondaries(1).held().start();
    let old = ("old.provider.example.", lab.address());
    let parent = parent(&lab, &[("ns1.example.test.", named.address()), old]);
    named.add_txt(OWNER, VALUE);
    let run = wait(&lab, parent.address(), "3s").run().exit(80);
    let told = "the NS records of `example.test` and its delegation differ: only its parent names old.provider.example; only the zone itself names ns2.example.test";
    assert!(run.stderr.contains(&format!("delegation: {told}")), "{run}");
    let delegation = &report(&run)["delegation"][0];
    assert_eq!(delegation["only_in_parent"], serde_json::json!(["old.provider.example"]));
    named.release(0);
    // A wait that is over at once has not asked for it, and one that takes longer has.
    let run = wait(&lab, parent.address(), "20s").run().exit(0);
    assert_eq!(report(&run)["delegation"], serde_json::json!([]));
}

#[test]
#[ignore = "needs named"]
fn a_delegation_that_agrees_is_not_worth_a_word() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    let parent = parent(&lab, &[("ns1.example.test.", named.address())]);
    let run = wait(&lab, parent.address(), "2s").run().exit(80);
    assert_eq!(report(&run)["delegation"], serde_json::json!([]));
}

/// A resolver whose answer for `name` and `kind` is changed by `change` until `settled`.
fn changing(
    lab: &Lab,
    behind: IpAddr,
    (name, kind): (&'static str, RecordType),
    settled: &Arc<AtomicBool>,
    change: impl Fn(&mut Message) + Send + Sync + 'static,
) -> FakeDns {
    let settled = Arc::clone(settled);
    FakeDns::start(lab, behind, move |asked, mut truth| {
        if asked.name == name && asked.kind == kind && !settled.load(Ordering::Relaxed) {
            change(&mut truth);
        }
        Reaction::Answer(truth, Duration::ZERO)
    })
}

#[test]
#[ignore = "needs named"]
fn a_server_that_has_moved_is_found_at_its_new_address_during_the_wait() {
    let lab = Lab::new();
    let named = Named::builder(&lab).secondaries(1).start();
    named.add_txt(OWNER, VALUE);
    let (nobody, settled) = (lab.address(), Arc::new(AtomicBool::new(false)));
    let question = ("ns2.example.test", RecordType::A);
    let resolver = changing(&lab, named.address(), question, &settled, move |truth| {
        let IpAddr::V4(nobody) = nobody else { return };
        for record in &mut truth.answers {
            record.data = RData::A(rdata::A(nobody));
        }
    });
    let mut waiting = wait(&lab, resolver.address(), "60s").env("DNS01_LOG", "info").spawn();
    waiting.wait_for_stderr("propagation: 1 of 2 addresses agree");
    settled.store(true, Ordering::Relaxed);
    let run = waiting.wait().exit(0);
    assert!(run.stderr.contains("the zone has other name servers than before"), "{run}");
    let second = named.secondary_addresses()[0].to_string();
    assert_eq!(server(&report(&run), "ns2.example.test")["address"], second);
    // Until something fails they are looked up once.
    let lookups = resolver
        .asked()
        .iter()
        .filter(|it| it.kind == RecordType::NS && it.name == "example.test")
        .count();
    assert!((2..=3).contains(&lookups), "{lookups}");
}

#[test]
#[ignore = "needs named"]
fn zone_and_addresses_are_looked_up_once_however_long_the_wait() {
    let lab = Lab::new();
    let named = Named::builder(&lab).secondaries(1).held().start();
    let resolver =
        FakeDns::start(&lab, named.address(), |asked, truth| faults::none()(asked, truth));
    named.add_txt(OWNER, VALUE);
    wait(&lab, resolver.address(), "8s").run().exit(80);
    let asked = resolver.asked();
    let times =
        |name: &str, kind| asked.iter().filter(|it| it.name == name && it.kind == kind).count();
    // That there is no CNAME is said by the zone, in its name.
    assert_eq!((times(OWNER, RecordType::CNAME), times(OWNER, RecordType::SOA)), (1, 0));
    assert_eq!(
        (times("example.test", RecordType::NS), times("ns2.example.test", RecordType::A)),
        (1, 1)
    );
    assert_eq!(times("example.test", RecordType::DS), 1);
}

fn alias(truth: &mut Message) {
    for record in &mut truth.answers {
        if let RData::CNAME(target) = &mut record.data {
            target.0 = Name::from_ascii("one.example.test.").unwrap();
        }
    }
}

#[test]
#[ignore = "needs named"]
fn an_alias_that_leads_elsewhere_in_the_end_is_followed_there() {
    let lab = Lab::new();
    let zone = Zone::new("example.test").record("_acme-challenge CNAME two");
    let named = Named::builder(&lab).zone(zone).secondaries(1).held().start();
    let settled = Arc::new(AtomicBool::new(false));
    let question = (OWNER, RecordType::CNAME);
    let resolver = changing(&lab, named.address(), question, &settled, alias);
    named.add_txt("one.example.test", VALUE);
    let mut waiting = wait(&lab, resolver.address(), "30s").env("DNS01_LOG", "info").spawn();
    waiting.wait_for_stderr("propagation: 1 of 2 addresses agree");
    settled.store(true, Ordering::Relaxed);
    named.add_txt("two.example.test", VALUE);
    named.release(0);
    let run = waiting.wait().exit(0);
    let moved = &report(&run)["moved"][0];
    assert_eq!((&moved["fqdn"], &moved["to"]), (&OWNER.into(), &"two.example.test".into()));
    assert_eq!(server(&report(&run), "ns2.example.test")["owner"], "two.example.test");
}

#[test]
#[ignore = "needs named"]
fn an_alias_that_leads_to_a_place_without_the_value_is_80_and_said() {
    let lab = Lab::new();
    let zone = Zone::new("example.test").record("_acme-challenge CNAME two");
    let named = Named::builder(&lab).zone(zone).start();
    let settled = Arc::new(AtomicBool::new(false));
    let resolver = changing(&lab, named.address(), (OWNER, RecordType::CNAME), &settled, alias);
    let mut waiting = wait(&lab, resolver.address(), "6s").env("DNS01_LOG", "info").spawn();
    waiting.wait_for_stderr("propagation: 0 of 1 addresses agree");
    settled.store(true, Ordering::Relaxed);
    named.add_txt("one.example.test", VALUE);
    let words = [
        "the CNAME of `_acme-challenge.example.test` now leads to `two.example.test`, and the values were written at `one.example.test`",
        "hint: run `present` again",
    ];
    says(&waiting.wait(), 80, &words);
}
