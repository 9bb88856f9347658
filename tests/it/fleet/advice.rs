//! What a fleet asks of a CA.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use harness::{NameServer as _, Named, Pebble, Reply};
use serde_json::{Value, json};

use super::{Fleet, HEAD, delivered, leaf, numbered};

/// A fleet of forty, a few days before a third of their lifetime is left, whose CA answers about renewal like this: how
/// many are due, how often the directory was asked for, and about how many certificates the CA was asked.
fn asks(answer: fn() -> Reply) -> [usize; 3] {
    let fleet = Fleet::new();
    let named = Named::builder(&fleet.lab).start();
    let pebble = Pebble::builder(&fleet.lab, named.address()).start();
    let front = pebble.front(move |request| request.path.contains("/renewalInfo/").then(answer));
    let server = front.directory();
    let mut text = HEAD.replace("https://ca.example.test/directory", &server);
    for name in numbered("shop", 40) {
        let leaf = leaf(37);
        writeln!(text, "- {{name: {name}, dnsNames: [{name}.example.test]}}").unwrap();
        let mut state = delivered(&name, "earlier", &leaf);
        state.spec.directory.clone_from(&server);
        fleet.journal(&state);
        fleet.sink(&name, &leaf);
    }
    fleet.define("dns01", &text);
    let check = fleet.renew_check("run", "dns01").args(["--all", "--retry-budget", "1s"]);
    let run = check.env("SSL_CERT_FILE", pebble.ca_file()).run().exit(0);
    let due: Vec<Value> = serde_json::from_str(run.output("due")).unwrap();
    let (advice, other): (Vec<_>, Vec<_>) = front
        .requests()
        .into_iter()
        .map(|request| request.path)
        .partition(|path| path.contains("/renewalInfo/"));
    let about: BTreeSet<_> = advice.into_iter().collect();
    [due.len(), other.len(), about.len()]
}

#[test]
#[ignore = "needs kube-apiserver, named, pebble"]
fn a_ca_is_reached_once_and_asked_about_each_of_its_certificates() {
    let asked = asks(|| {
        let window = json!({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"});
        Reply::json(&json!({"suggestedWindow": window}))
    });
    assert_eq!(asked, [40, 1, 40], "all are due, because the CA says so");
}

#[test]
#[ignore = "needs kube-apiserver, named, pebble"]
fn a_ca_that_does_not_answer_is_left_alone_and_lifetimes_decide() {
    let [due, directory, about] = asks(|| Reply::status(503));
    assert_eq!((due, directory), (0, 1));
    // Those that were under way at once; of the others none is asked about.
    assert!((1..=16).contains(&about), "{about}");
}
