//! Name servers.

use harness::{Hmac, Knot, Lab, NameServer, Named, TsigKey, Zone, wait_until};

const NAME: &str = "_acme-challenge.example.test";

#[test]
#[ignore = "needs named"]
fn two_values_of_one_packet_count_as_one_update_and_two_operations() {
    let named = Named::builder(&Lab::new()).start();
    assert!(named.queries().is_empty());
    named.add_txt(NAME, "theirs");
    assert_eq!((named.updates("example.test"), named.update_requests()), (1, 1));
    assert_eq!(named.txt(NAME), ["theirs"]);
    named.delete_txt(NAME, "theirs");
    assert_eq!(named.update_operations("example.test").len(), 2);
    assert!(named.txt(NAME).is_empty());
    assert!(named.queries().iter().any(|line| line.contains(NAME)));
}

#[test]
#[ignore = "needs named"]
fn a_secondary_follows_at_once_and_a_held_one_only_when_released() {
    let lab = Lab::new();
    let named = Named::builder(&lab).secondaries(2).start();
    named.add_txt(NAME, "value");
    wait_until("both secondaries show the value", || {
        (0..2).all(|index| named.secondary_txt(index, NAME) == ["value"])
    });
    let held = Named::builder(&lab).secondaries(1).held().start();
    held.add_txt(NAME, "value");
    assert!(held.secondary_txt(0, NAME).is_empty());
    held.release(0);
    assert_eq!(held.secondary_txt(0, NAME), ["value"]);
}

#[test]
#[ignore = "needs named"]
fn zones_are_delegated_from_their_parents_and_records_survive_a_restart() {
    let zones = ["example.co.uk", "a.example.co.uk"].map(Zone::new);
    let lab = Lab::new();
    let key = TsigKey::new(lab.path(), "long", Hmac::Sha512);
    let mut named =
        zones.into_iter().fold(Named::builder(&lab).key(key), harness::NamedBuilder::zone).start();
    named.add_txt("_acme-challenge.b.a.example.co.uk", "deep");
    assert_eq!((named.updates("a.example.co.uk"), named.updates("example.co.uk")), (1, 0));
    named.stop();
    assert!(std::net::TcpStream::connect((named.address(), 53)).is_err());
    named.start();
    assert_eq!(named.txt("_acme-challenge.b.a.example.co.uk"), ["deep"]);
}

#[test]
#[ignore = "needs named"]
fn a_zone_closed_to_strangers_still_reaches_its_secondary() {
    let named = Named::builder(&Lab::new())
        .zone(Zone::new("example.test").no_transfer())
        .secondaries(1)
        .start();
    named.add_txt(NAME, "value");
    wait_until("the secondary shows the value", || named.secondary_txt(0, NAME) == ["value"]);
}

#[test]
#[ignore = "needs knotd"]
fn knot_takes_updates_and_keeps_them_over_a_restart() {
    let mut knot = Knot::start(&Lab::new(), &[]);
    knot.add_txt(NAME, "one");
    knot.add_txt(NAME, "two");
    knot.delete_txt(NAME, "one");
    assert_eq!((knot.updates("example.test"), knot.update_requests()), (3, 3));
    knot.stop();
    knot.restart();
    assert_eq!(knot.txt(NAME), ["two"]);
}
