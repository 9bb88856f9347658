//! The CA.

use harness::{Lab, NameServer as _, Named, Pebble, Reply, Request, Sandbox, certbot, exchange};
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

#[test]
#[ignore = "needs named, pebble, certbot"]
fn a_real_client_gets_a_real_certificate_and_every_count_says_one() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    let pebble = Pebble::builder(&lab, named.address()).retry_after(1, 1).start();
    let hook = |verb: &str| {
        let change =
            format!("update {verb} _acme-challenge.$CERTBOT_DOMAIN. 60 TXT $CERTBOT_VALIDATION");
        format!(
            r#"printf '%s\n' 'server {}' "{change}" send | nsupdate -k {}"#,
            named.address(),
            named.key().file.display()
        )
    };
    let sandbox = Sandbox::new(&lab).env("REQUESTS_CA_BUNDLE", pebble.ca_file());
    let certbot = sandbox.program(certbot()).args([
        "certonly",
        "-n",
        "--agree-tos",
        "-m",
        "a@example.test",
        "--manual",
    ]);
    let certbot = certbot.args([
        "--config-dir",
        "c",
        "--work-dir",
        "w",
        "--logs-dir",
        "l",
        "--preferred-challenges",
        "dns",
    ]);
    let certbot = certbot.args([
        "--manual-auth-hook",
        &hook("add"),
        "--manual-cleanup-hook",
        &hook("delete"),
    ]);
    certbot.args(["--server", &pebble.directory(), "-d", "example.test"]).run().exit(0);
    assert_eq!(
        (pebble.orders(), pebble.finalized(), pebble.issued(), pebble.invalid()),
        (1, 1, 1, 0)
    );
    assert!(named.txt("_acme-challenge.example.test").is_empty());
    let cert =
        std::fs::read_to_string(sandbox.home().join("c/live/example.test/cert.pem")).unwrap();
    pebble.set_renewal_info(&cert, "not JSON");
    let chain = sandbox.home().join("c/live/example.test/fullchain.pem");
    let verify = sandbox
        .program("/usr/bin/openssl")
        .args(["verify", "-CAfile"])
        .arg(pebble.issuing_roots_file());
    verify.arg("-untrusted").arg(&chain).arg(&chain).run().exit(0).stdout_contains("OK");
}
