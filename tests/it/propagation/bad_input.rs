//! Zones without servers, servers without answers, and values that are hard to carry.

use super::{OWNER, VALUE, report, server, step, wait};
use crate::faults::says;
use harness::{FakeDns, Lab, NameServer as _, Named, Reaction, Zone, faults};
use hickory_proto::rr::RecordType;
use std::time::Duration;

#[test]
#[ignore = "needs named"]
fn a_zone_without_ns_records_is_21_and_says_so() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    // A resolver that has none to tell.
    let resolver = FakeDns::start(&lab, named.address(), |asked, mut truth| {
        if asked.kind == RecordType::NS && asked.name == "example.test" {
            truth.answers.clear();
        }
        Reaction::Answer(truth, Duration::ZERO)
    });
    let run = wait(&lab, resolver.address(), "2s").run();
    says(&run, 21, &["`example.test`", "has no NS records", "hint: repair the NS records"]);
}

#[test]
#[ignore = "needs named"]
fn a_server_whose_name_leads_nowhere_is_named_and_does_not_hold_up_the_others() {
    let lab = Lab::new();
    let zone = Zone::new("example.test").record("@ NS ns.nowhere.test.");
    let named = Named::builder(&lab).zone(zone).start();
    named.add_txt(OWNER, VALUE);
    let run = wait(&lab, named.address(), "20s").run().exit(0);
    let report = report(&run);
    assert_eq!(report["unresolved"][0]["server"], "ns.nowhere.test");
    assert_eq!((&report["agreeing"], &report["total"]), (&1.into(), &1.into()));
}

#[test]
#[ignore = "needs named"]
fn servers_all_without_an_address_are_21_and_listed() {
    let lab = Lab::new();
    let master = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 60 864000 5\n@ NS ns1.nowhere.test.\n@ NS ns2.nowhere.test.\n";
    let named = Named::builder(&lab).zone(Zone::literal("example.test", master)).start();
    let run = wait(&lab, named.address(), "2s").run();
    says(&run, 21, &["`ns1.nowhere.test` has no address", "`ns2.nowhere.test` has no address"]);
}

#[test]
#[ignore = "needs named"]
fn a_zone_that_is_not_delegated_is_told_apart_from_a_record_that_is_late() {
    let lab = Lab::new();
    let named = Named::builder(&lab).zone(Zone::new("other.test")).start();
    // Where `present` wrote is known, so what is missing is the delegation.
    let published =
        format!(r#"[{{"zone":"example.test","owner":"{OWNER}","values":["{VALUE}"]}}]"#);
    let run = wait(&lab, named.address(), "2s").args(["--published", &published]).run();
    says(&run, 21, &["zone `example.test`", "its parent does not delegate it"]);
    // Otherwise the closest zone is the one above.
    let run = wait(&lab, named.address(), "1s").run();
    says(
        &run,
        80,
        &["NXDOMAIN", "hint: delegate `example.test`: as it is, its closest zone is `test`"],
    );
}

#[test]
#[ignore = "needs named"]
fn when_all_servers_are_down_and_the_resolver_fails_for_it_the_list_comes_with_80() {
    let lab = Lab::new();
    let mut zone = Named::builder(&lab).secondaries(1).start();
    // Its own copy of the parents delegates to addresses where soon nobody answers.
    let addresses = [zone.address(), zone.secondary_addresses()[0]];
    let delegation = format!(
        "example NS ns1.example\nexample NS ns2.example\nns1.example A {}\nns2.example A {}",
        addresses[0], addresses[1]
    );
    let top = Zone::new("test").record(&delegation).read_only();
    let parents = Named::builder(&lab).zone(top).recursive().start();
    zone.add_txt(OWNER, VALUE);
    wait(&lab, parents.address(), "20s").run().exit(0);
    zone.stop();
    zone.stop_secondary(0);
    let both = addresses.map(|address| address.to_string());
    let run = wait(&lab, parents.address(), "3s").run();
    says(&run, 80, &[&both[0], &both[1], "exit 80 (not yet)"]);
    let published =
        format!(r#"[{{"zone":"example.test","owner":"{OWNER}","values":["{VALUE}"]}}]"#);
    let run = wait(&lab, parents.address(), "3s").args(["--published", &published]).run();
    says(&run, 80, &[&both[0], &both[1], "ns1.example.test", "hint: open port 53"]);
    zone.start();
    zone.start_secondary(0);
    wait(&lab, parents.address(), "20s").run().exit(0);
}

#[test]
#[ignore = "needs named"]
fn an_ipv6_address_without_route_counts_only_when_its_server_has_no_other() {
    let lab = Lab::new();
    let zone = Zone::new("example.test").record("ns1 AAAA 2001:db8::53");
    let named = Named::builder(&lab).zone(zone).start();
    named.add_txt(OWNER, VALUE);
    let run = wait(&lab, named.address(), "20s").run().exit(0);
    assert!(run.stdout.contains("1 of 1 addresses agree (1 cannot be reached from here)"), "{run}");
    let told = report(&run);
    let lost = told["servers"].as_array().unwrap().iter().find(|it| it["excused"] == true).unwrap();
    assert_eq!(
        (&lost["address"], &lost["last_answer"]),
        (&"2001:db8::53".into(), &"cannot be reached from here".into())
    );
    let zone = Zone::new("lone.test")
        .record("@ NS ns6\nns6 AAAA 2001:db8::53")
        .record(&format!("_acme-challenge TXT {VALUE}"));
    let named = Named::builder(&lab).zone(zone).start();
    let run = step(&lab, named.address()).args([
        "--fqdn",
        "_acme-challenge.lone.test",
        "--value",
        VALUE,
        "--timeout=1s",
    ]);
    says(
        &run.run(),
        80,
        &[
            "ns6.lone.test (2001:db8::53) still cannot be reached from here",
            "1 of 2 addresses agree",
        ],
    );
}

#[test]
#[ignore = "needs named"]
fn a_hundred_values_with_a_hyphen_under_one_name_are_seen_beside_one_of_255_octets() {
    let lab = Lab::new();
    let values: Vec<_> = (0..100).map(|number| format!("-{number:042}")).collect();
    let long = "x".repeat(255);
    let zone = values.iter().fold(Zone::new("example.test"), |zone, value| {
        zone.record(&format!("_acme-challenge TXT \"{value}\""))
    });
    let named = Named::builder(&lab).zone(zone).secondaries(1).start();
    let challenges: Vec<_> = values
        .iter()
        .map(|value| serde_json::json!({"domain": "example.test", "fqdn": OWNER, "value": value}))
        .collect();
    let challenges = serde_json::Value::from(challenges).to_string();
    let all = || step(&lab, named.address()).args(["--challenges", &challenges]);
    let told = report(&all().arg("--timeout=20s").run().exit(0));
    let second = server(&told, "ns2.example.test");
    assert_eq!(second["last_answer"], "shows all 100 values");
    named.delete_txt(OWNER, &values[7]);
    // The server takes no more than a hundred.
    named.add_txt(OWNER, &long);
    let run = all().arg("--timeout=1s").run();
    says(&run, 80, &["still shows 99 of 100 values"]);
    let told = report(&run);
    let first = server(&told, "ns1.example.test");
    assert_eq!(first["missing"], serde_json::json!([values[7]]));
    assert_eq!(first["extra"], serde_json::json!([long]));
}

#[test]
#[ignore = "needs the private namespace"]
fn a_value_that_no_challenge_has_is_12() {
    for value in ["x", &"x".repeat(255), "-rf"] {
        let user = harness::Sandbox::new(&Lab::new());
        let wait = user.step("wait-propagation").args(["--fqdn", OWNER, "--value", value]);
        says(&wait.run(), 12, &[OWNER, "43 characters of base64url"]);
    }
}

#[test]
#[ignore = "needs named"]
fn a_record_that_somebody_removes_during_the_wait_is_called_removed() {
    let lab = Lab::new();
    let named = Named::builder(&lab).secondaries(1).held().start();
    named.add_txt(OWNER, VALUE);
    let mut waiting = wait(&lab, named.address(), "5s").env("DNS01_LOG", "info").spawn();
    waiting.wait_for_stderr("propagation: 1 of 2 addresses agree");
    named.delete_txt(OWNER, VALUE);
    let run = waiting.wait();
    says(
        &run,
        80,
        &["it was there, and somebody removed it", "hint: find out who else writes TXT records"],
    );
    let told = report(&run);
    assert_eq!(
        (&told["reason"], &server(&told, "ns1.example.test")["flips"]),
        (&"removed".into(), &1.into())
    );
}

#[test]
#[ignore = "needs named"]
fn a_record_that_every_server_loses_during_the_wait_is_called_removed() {
    let lab = Lab::new();
    let address = lab.address();
    let named = Named::builder(&lab).also_served_at(address).start();
    let _fake = FakeDns::start_at(address, named.address(), faults::negative(5));
    named.add_txt(OWNER, VALUE);
    let mut waiting = wait(&lab, named.address(), "4s").env("DNS01_LOG", "info").spawn();
    waiting.wait_for_stderr("propagation: 1 of 2 addresses agree");
    named.delete_txt(OWNER, VALUE);
    says(&waiting.wait(), 80, &["0 of 2 addresses agree; it was there, and somebody removed it"]);
}
