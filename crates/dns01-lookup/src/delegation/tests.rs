//! The sentence; the questions are tested against real servers.

use super::*;

#[test]
fn both_sides_of_a_difference_are_told() {
    let delegation = |parent: &[&str], own: &[&str]| {
        let names = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        let zone = Zone { apex: "a.test".parse().unwrap() };
        Delegation { zone, only_in_parent: names(parent), only_in_zone: names(own) }.sentence()
    };
    assert_eq!(
        delegation(&["ns9.b.test", "ns8.b.test"], &["ns1.a.test"]),
        "the NS records of `a.test` and its delegation differ: only its parent names ns9.b.test, ns8.b.test; \
         only the zone itself names ns1.a.test"
    );
    assert!(
        delegation(&[], &["ns1.a.test"]).ends_with("differ: only the zone itself names ns1.a.test")
    );
}
