//! Events that nobody should send: each has its status code and a line in a log that says why, and starts nothing.

use super::pairs::Events;
use super::{OWNER, VALUE};
use harness::Request;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const NAME: &str = "certificate: not 1 to 50 of a-z, 0-9 and hyphens";
const FQDN: &str = "fqdn: not _acme-challenge.NAME";
const TXT: &str = "value: not 43 characters of base64url";

/// What the event source takes and the Sensor refuses.
struct Refused {
    what: &'static str,
    endpoint: &'static str,
    kind: &'static str,
    body: Value,
    /// What the Sensor says of it: what was taken, and why not.
    data: &'static str,
    why: &'static str,
}

fn names() -> impl Iterator<Item = Refused> {
    let syntax = "{{workflow.name}}";
    [
        ("a list", json!(["example-org"]), r#"no text: [\"example-org\"]"#),
        ("a number", json!(7), "no text: 7"),
        ("null", json!(null), "no text: null"),
        ("a list as the name", json!({"certificate": ["shop"]}), r#"{\"certificate\":[\"shop\"]}"#),
        ("a number as the name", json!({"certificate": 7}), r#"no text: {\"certificate\":7}"#),
        ("no name", json!({"domains": "example.test"}), r#"no text: {\"domains\":"#),
        ("an empty name", json!({"certificate": ""}), r#"{"certificate":""}"#),
        ("capitals", json!({"certificate": "Example-Org"}), "Example-Org"),
        ("300 characters", json!({"certificate": "a".repeat(300)}), r#""certificate":"aaaaaaaaaa"#),
        (
            "template syntax in every field",
            json!({syntax: syntax, "certificate": syntax}),
            r#"{"certificate":"{{workflow.name}}"}"#,
        ),
        (
            "a form, as `curl -d` says by itself",
            json!({"certificate": "example-org"}),
            r#"no text: {\"{\\\"certificate\\\":\\\"example-org\\\"}\":"#,
        ),
    ]
    .into_iter()
    .map(|(what, body, data)| {
        let kind = if what.starts_with("a form") { FORM } else { JSON };
        Refused { what, endpoint: "/certificate", kind, body, data, why: NAME }
    })
}

fn challenges() -> impl Iterator<Item = Refused> {
    let (syntax, neither) = ("{{workflow.name}}", r#"{"fqdn":null,"value":null}"#);
    let long = format!("_acme-challenge.{}", "a.".repeat(142));
    let raw = json!({"domain": "example.test", "token": "t", "keyAuth": "t.k"});
    [
        ("/present", "a number", json!(7), neither, FQDN),
        ("/present", "lego's RAW mode", raw, neither, FQDN),
        (
            "/present",
            "a list and a number",
            json!({"fqdn": [OWNER], "value": 7}),
            r#""value":7"#,
            FQDN,
        ),
        (
            "/present",
            "another owner",
            json!({"fqdn": "www.example.test.", "value": VALUE}),
            "www.example.test.",
            FQDN,
        ),
        (
            "/present",
            "300 characters",
            json!({"fqdn": long, "value": VALUE}),
            "_acme-challenge.a.a.a",
            FQDN,
        ),
        (
            "/present",
            "template syntax in both",
            json!({"fqdn": syntax, "value": syntax}),
            r#""fqdn":"{{workflow.name}}""#,
            FQDN,
        ),
        (
            "/present",
            "template syntax as the value",
            json!({"fqdn": OWNER, "value": syntax}),
            r#""value":"{{workflow.name}}""#,
            TXT,
        ),
        ("/cleanup", "a list", json!([OWNER, VALUE]), neither, FQDN),
    ]
    .into_iter()
    .map(|(endpoint, what, body, data, why)| Refused {
        what,
        endpoint,
        kind: JSON,
        body,
        data,
        why,
    })
}

pub(super) fn none_starts_a_workflow(events: &mut Events) {
    not_taken(events);
    let refused: Vec<_> = names().chain(challenges()).collect();
    for Refused { what, endpoint, kind, body, .. } in &refused {
        let pair = pair(endpoint);
        let bearer = format!("Bearer {}", events.token(pair));
        let request = Request::new("POST", "dns01", endpoint).with_header("authorization", &bearer);
        assert_eq!(events.send(pair, &request.with_body(kind, body.to_string())), 200, "{what}");
    }
    for Refused { what, endpoint, data, why, .. } in &refused {
        let line = events.logged(&format!("sensor-name=dns01-{}", pair(endpoint)), &[data, why]);
        events.note(&format!("{endpoint}: {what}"), "200", "none", &line);
    }
}

fn pair(endpoint: &str) -> &'static str {
    if endpoint == "/certificate" { "webhook" } else { "httpreq" }
}

/// What the event source itself turns away.
fn not_taken(events: &mut Events) {
    let right = format!("Bearer {}", events.token("webhook"));
    let good = json!({"certificate": "example-org"}).to_string();
    let long = json!({"certificate": "example-org", "more": "x".repeat(4096)}).to_string();
    let method = "http method does not match";
    for (what, method, endpoint, bearer, body, status, said) in [
        ("no bearer", "POST", "/certificate", "", &*good, 401, "invalid auth header"),
        ("Basic instead", "POST", "/certificate", "Basic YTpi", &good, 401, "invalid auth header"),
        ("a wrong bearer", "POST", "/certificate", "Bearer x", &good, 401, "invalid auth token"),
        ("a GET", "GET", "/certificate", &right, "", 400, method),
        (
            "not JSON",
            "POST",
            "/certificate",
            &right,
            "certificate: example-org",
            400,
            "failed to construct the event payload",
        ),
        (
            "nothing",
            "POST",
            "/certificate",
            &right,
            "",
            400,
            "failed to construct the event payload",
        ),
        (
            "more than 4 KiB",
            "POST",
            "/certificate",
            &right,
            &long,
            400,
            "http: request body too large",
        ),
        ("another path", "POST", "/", &right, &good, 404, ""),
    ] {
        let mut request = Request::new(method, "dns01", endpoint).with_body(JSON, body);
        if !bearer.is_empty() {
            request = request.with_header("authorization", bearer);
        }
        assert_eq!(events.send("webhook", &request), status, "{what}");
        let line = if said.is_empty() {
            String::new()
        } else {
            events.logged("eventsource-name=dns01-webhook", &[said])
        };
        events.note(&format!("{endpoint}: {what}"), &status.to_string(), "none", &line);
    }
}
