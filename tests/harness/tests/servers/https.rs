//! The fake, and the CA behind a front.

use harness::{FakeHttps, Lab, Reply, Request, Sandbox, exchange};

#[test]
#[ignore = "needs the private namespace"]
fn a_fake_answers_under_its_host_name_and_remembers_what_it_was_asked() {
    let lab = Lab::new();
    let fake = FakeHttps::start(&lab, &["api.vendor.example"], |request| {
        Reply::json(&request.json()).with_header("x-path", &request.path)
    });
    let request = Request::new("POST", "api.vendor.example", "/v1/zones?name=x")
        .with_body("application/json", r#"{"a":1}"#);
    let reply = exchange(fake.address(), "api.vendor.example", lab.ca().pem(), &request).unwrap();
    assert_eq!(
        (reply.status, reply.text(), reply.header("x-path")),
        (200, r#"{"a":1}"#.to_owned(), Some("/v1/zones?name=x"))
    );
    assert_eq!(fake.requests().len(), 1);
}

#[test]
#[ignore = "needs the private namespace"]
fn a_truncated_reply_is_shorter_than_it_says() {
    let lab = Lab::new();
    let fake = FakeHttps::start(&lab, &["x.example"], |_| {
        Reply::status(200).with_body("text/plain", "whole body").truncated(5)
    });
    let reply = exchange(
        fake.address(),
        "x.example",
        lab.ca().pem(),
        &Request::new("GET", "x.example", "/"),
    );
    assert_ne!(reply.map(|reply| reply.text()).unwrap_or_default(), "whole body");
}

#[test]
#[ignore = "needs the private namespace"]
fn a_program_reaches_a_fake_under_the_vendors_name_and_at_the_usual_port() {
    let lab = Lab::new();
    let fake = FakeHttps::start(&lab, &["api.cloudflare.com"], |_| {
        Reply::json(&serde_json::json!({"success": true}))
    });
    let curl = Sandbox::new(&lab).hosts(&fake.hosts()).program("/usr/bin/curl");
    let run = curl
        .args(["-sS", "https://api.cloudflare.com/client/v4/zones", "--cacert"])
        .arg(lab.ca().file())
        .run()
        .exit(0);
    assert_eq!(run.stdout, r#"{"success":true}"#);
    assert_eq!(fake.requests()[0].path, "/client/v4/zones");
}
