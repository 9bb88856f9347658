//! CAs that lie, or something in the middle that does.

use std::time::{Duration, Instant};

use dns01_acme::{AcmeError, Ca, CaSettings};
use dns01_core::{Exit, Explain as _};
use harness::{FakeHttps, Lab, Pebble, Reply, exchange};
use serde_json::json;

use super::{connect, names, pebble, ready, register, settings};

/// What connecting to a CA gives whose directory is this reply.
async fn connect_to(reply: Reply) -> Result<Ca, AcmeError> {
    let lab = Lab::new();
    let fake = FakeHttps::start(&lab, &[], move |_| reply.clone());
    let settings = CaSettings {
        retry_budget: Duration::ZERO,
        request_timeout: Duration::from_secs(2),
        ..settings(&lab, &format!("https://{}/dir", fake.address()))
    };
    Ca::connect(&settings).await
}

#[tokio::test]
#[ignore = "needs the private namespace"]
async fn a_directory_that_is_none_is_an_error_of_its_own_kind() {
    let huge = Reply::json(&json!({ "meta": "x".repeat(300_000) }));
    let endless = Reply::status(200).with_body("application/json", "x".repeat(8192)).endless();
    let drip = Reply::json(&json!({})).dripped(Duration::from_millis(500));
    let elsewhere = Reply::status(302).with_header("location", "https://192.0.2.1/dir");
    let deep = Reply::status(200).with_body("application/json", "[".repeat(50_000));
    let cut = Reply::json(&json!({ "newNonce": "https://x" })).truncated(5);
    for (reply, exit, what) in [
        (huge, Exit::Transient, "huge"),
        (endless, Exit::Transient, "endless"),
        (drip, Exit::Transient, "drip"),
        (elsewhere, Exit::Policy, "redirect"),
        (deep, Exit::Transient, "deep"),
        (cut, Exit::Transient, "cut"),
        (Reply::closed(), Exit::Transient, "closed"),
        (Reply::status(200), Exit::Transient, "empty"),
        (Reply::status(404), Exit::NotFound, "not found"),
    ] {
        let start = Instant::now();
        let error = connect_to(reply).await.unwrap_err();
        assert_eq!(error.exit(), exit, "{what}: {error:?}");
        assert!(start.elapsed() < Duration::from_secs(4), "{what}");
    }
}

#[tokio::test]
#[ignore = "needs the private namespace"]
async fn a_directory_cannot_lead_to_plain_http() {
    let directory = json!({ "newNonce": "http://ca.example/n", "newAccount": "https://ca.example/a",
        "newOrder": "https://ca.example/o" });
    let error = connect_to(Reply::json(&directory)).await.unwrap_err();
    assert!(matches!(error, AcmeError::Elsewhere { .. }), "{error}");
}

#[tokio::test]
#[ignore = "needs the private namespace"]
async fn the_cas_words_reach_people_short_and_harmless() {
    let detail = format!("\u{1b}[2J\r\nfake: log line {}", "x".repeat(5000));
    let error = connect_to(Reply::problem(400, "malformed", &detail)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.chars().count() < 400 && !text.chars().any(char::is_control), "{text:?}");
}

/// A pebble whose replies to `path` have `from` replaced by `to`, headers too.
fn forged(
    lab: &Lab,
    pebble: &Pebble,
    path: &'static str,
    from: &'static str,
    to: &'static str,
) -> impl Fn(&harness::Request) -> Option<Reply> + Send + Sync + use<> {
    let ca = lab.ca().pem().to_owned();
    let address: std::net::SocketAddr =
        pebble.directory().trim_start_matches("https://").trim_end_matches("/dir").parse().unwrap();
    move |request| {
        if !request.path.starts_with(path) {
            return None;
        }
        let mut reply = exchange(address, &address.ip().to_string(), &ca, request).unwrap();
        reply.body = reply.text().replace(from, to).into_bytes();
        for (_, value) in &mut reply.headers {
            *value = value.replace(from, to);
        }
        Some(reply)
    }
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn urls_on_other_hosts_are_neither_followed_nor_given_back() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    for (path, from, to) in [
        ("/order-plz", "/my-order/", "@evil.example/my-order/"),
        ("/order-plz", "/authZ/", "@evil.example/authZ/"),
        ("/order-plz", "/finalize-order/", "@evil.example/finalize-order/"),
        ("/authZ/", "/chalZ/", "@evil.example/chalZ/"),
    ] {
        let front = pebble.front(forged(&lab, &pebble, path, from, to));
        let account = register(&connect(&lab, &front.directory()).await).await;
        let error = ready(&account, &names(&["example.org"])).await.unwrap_err();
        assert!(matches!(error, AcmeError::Elsewhere { .. }), "{path} {to}: {error}");
        assert_eq!(error.exit(), Exit::Policy);
    }
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_order_or_authorization_for_other_names_is_refused() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    for path in ["/order-plz", "/authZ/"] {
        let front =
            pebble.front(forged(&lab, &pebble, path, "www.example.org", "evil.example.org"));
        let account = register(&connect(&lab, &front.directory()).await).await;
        let error = ready(&account, &names(&["www.example.org"])).await.unwrap_err();
        assert!(matches!(error, AcmeError::Unintelligible { .. }), "{path}: {error}");
    }
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_state_that_the_protocol_does_not_know_is_no_progress() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let front = pebble.front(forged(&lab, &pebble, "/", "\"pending\"", "\"splendid\""));
    let account = register(&connect(&lab, &front.directory()).await).await;
    let error = account.place(&names(&["example.org"]), None, None).await.unwrap_err();
    assert!(matches!(error, AcmeError::Unintelligible { .. }), "{error}");
}
