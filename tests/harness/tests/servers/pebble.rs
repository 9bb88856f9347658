//! The CA.

use harness::{Lab, NameServer as _, Named, Pebble, Reply, Request, exchange};
use std::time::Duration;

#[test]
#[ignore = "needs named, pebble"]
fn pebble_starts_with_no_request_counted_and_counts_each_by_handler() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    let pebble = Pebble::builder(&lab, named.address())
        .profile("shortlived", Duration::from_mins(1))
        .alternate_roots(1)
        .start();
    assert_eq!((pebble.requests(), pebble.issuing_roots().len()), (0, 2));
    let directory = get(&lab, &pebble.directory());
    assert!(directory.text().contains("shortlived"), "{}", directory.text());
    assert_eq!(
        (pebble.requests(), pebble.requests_to("/dir"), pebble.requests_to("/certZ/")),
        (1, 1, 0)
    );
}

#[test]
#[ignore = "needs named, pebble"]
fn a_front_answers_what_it_wants_and_passes_the_rest_on_under_its_own_urls() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    let pebble = Pebble::builder(&lab, named.address()).start();
    let front = pebble.front(|request| {
        (request.path == "/nonce-plz").then(|| Reply::problem(503, "serverInternal", "later"))
    });
    let directory = get(&lab, &front.directory());
    assert!(
        directory.text().contains(&front.directory().replace("/dir", "/order-plz")),
        "{}",
        directory.text()
    );
    assert_eq!(get(&lab, &front.directory().replace("/dir", "/nonce-plz")).status, 503);
    assert_eq!((pebble.requests(), front.requests().len()), (1, 2));
}

fn get(lab: &Lab, url: &str) -> Reply {
    let (host, path) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
    let name = host.split(':').next().unwrap();
    exchange(
        host.parse().unwrap(),
        name,
        lab.ca().pem(),
        &Request::new("GET", host, &format!("/{path}")),
    )
    .unwrap()
}
