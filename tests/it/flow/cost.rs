//! What a certificate costs its servers: requests to the CA, UPDATEs, questions to the primary.

use crate::stage::{Chain, Stage, ZONE};
use harness::NameServer as _;

#[test]
#[ignore = "needs named, pebble"]
fn apex_and_wildcard_are_one_update_with_both_values_and_one_delete() {
    let stage = Stage::start();
    stage.chain().go().well();
    assert_eq!(stage.named.update_requests(), 2);
    let operations = stage.named.update_operations(ZONE);
    let count = |what: &str| operations.iter().filter(|line| line.contains(what)).count();
    assert_eq!((count("adding an RR"), count("deleting an RR")), (2, 2), "{operations:#?}");
    assert_eq!(count("deleting rrset"), 0, "{operations:#?}");
}

/// The kinds of the questions to the primary that looking things up cost: by UDP, and not signed as the provider's are.
fn asked_of_the_primary(stage: &Stage) -> Vec<String> {
    let asked = |line: &String| -> Option<(String, String)> {
        let (_, asked) = line.split_once(" query: ")?;
        let mut words = asked.split(' ').skip(2);
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    let queries = stage.named.queries();
    let all = queries.iter().filter_map(asked);
    let looked_up = all.filter(|(kind, flags)| kind != "SOA" && !flags.contains(['T', 'S']));
    let mut kinds: Vec<_> = looked_up.map(|(kind, _)| kind).collect();
    kinds.sort();
    kinds
}

#[test]
#[ignore = "needs named, pebble"]
fn one_certificate_costs_the_primary_one_look_and_one_burst() {
    let stage = Stage::with(|named| named.secondaries(1), |pebble| pebble);
    stage.chain_for(&[ZONE]).dns01_issue().run().exit(0);
    let (looks, rest): (Vec<_>, Vec<_>) =
        asked_of_the_primary(&stage).into_iter().partition(|kind| kind == "TXT");
    assert_eq!(looks.len(), 1 + 8);
    // Where the name leads, who serves its zone, and whether that is signed: each asked once by all steps together.
    assert_eq!(rest, ["A", "A", "AAAA", "AAAA", "CNAME", "DS", "NS"]);
}

fn twenty() -> Vec<String> {
    (0..20).map(|number| format!("n{number}.{ZONE}")).collect()
}

#[test]
#[ignore = "needs named, pebble"]
fn twenty_names_are_two_update_packets() {
    let stage = Stage::start();
    let names = twenty();
    let chain = stage.chain_for(&names.iter().map(String::as_str).collect::<Vec<_>>());
    chain.go().well();
    chain.delivered();
    assert_eq!(stage.named.update_requests(), 2);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_chain_asks_the_ca_twice_per_name_and_six_times_and_how_it_stands() {
    let stage = Stage::start();
    stage.chain().go().well();
    for count in [1, 2, 20] {
        let names = twenty();
        let names: Vec<_> = names.iter().take(count).map(String::as_str).collect();
        let mut chain = stage.chain_for(&names);
        warm(&stage, &mut chain);
        let before = stage.pebble.requests_at_any_speed();
        chain.go().well();
        let asked = stage.pebble.requests_at_any_speed() - before;
        assert_eq!(asked, 2 * count + 6, "{count} names");
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn one_command_asks_the_ca_twice_per_name_and_five_times_and_how_it_stands() {
    let stage = Stage::start();
    for count in [1, 2, 20] {
        let names = twenty();
        let names: Vec<_> = names.iter().take(count).map(String::as_str).collect();
        let mut chain = stage.chain_for(&names);
        warm(&stage, &mut chain);
        let nonces = || stage.pebble.requests_to("/nonce-plz");
        let before = (stage.pebble.requests_at_any_speed(), nonces());
        chain.dns01_issue().run().exit(0);
        let asked = stage.pebble.requests_at_any_speed() - before.0;
        assert_eq!(asked, 2 * count + 5, "{count} names");
        // One after the other they hand on the one nonce; twenty names at once may fetch more at a slow CA.
        assert!(count > 1 || nonces() - before.1 == 1, "{}", nonces() - before.1);
    }
}

/// Makes the account, by a certificate for another name.
fn warm(stage: &Stage, chain: &mut Chain) {
    let mut other = stage.chain_for(&["warm.example.test"]);
    other.work.clone_from(&chain.work);
    "warm".clone_into(&mut other.name);
    other.go().well();
    chain.run = format!("{}-warm", chain.run);
}
