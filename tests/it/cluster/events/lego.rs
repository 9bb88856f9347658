//! A real lego whose DNS part is ours, by `httpreq`: between them stands a gateway, as an Ingress would, that checks lego's
//! password and adds the token. It is the system's lego, whatever others the benches have installed.

use super::pairs::Events;
use crate::cluster::workflow::Workflow;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::{FakeHttps, NameServer as _, Reply, Request, Sandbox, exchange_plain};
use std::time::Duration;

const DOMAIN: &str = "lego.example.test";
const OWNER: &str = "_acme-challenge.lego.example.test";
const USER: &str = "lego";
const PASSWORD: &str = "its-password";

/// `present` and `cleanup` are the Workflows that were asked for before.
pub(super) fn gets_its_certificate(events: &mut Events, present: &str, cleanup: &str) {
    let gateway = gateway(events);
    let platform = &events.platform;
    let path = platform.lab.folder("lego");
    let user = Sandbox::new(&platform.lab)
        .hosts(&gateway.hosts())
        .resolv_conf(platform.named.address())
        .env("SSL_CERT_FILE", platform.lab.ca().file())
        .env("LEGO_DISABLE_CNAME_SUPPORT", "true")
        .env("HTTPREQ_ENDPOINT", "https://gateway.test")
        .env("HTTPREQ_USERNAME", USER)
        .env("HTTPREQ_PASSWORD", PASSWORD)
        .env("HTTPREQ_POLLING_INTERVAL", "1")
        .env("HTTPREQ_PROPAGATION_TIMEOUT", "300");
    let lego = user.program("/usr/bin/lego").timeout(Duration::from_mins(7));
    let lego = lego
        .args(["--accept-tos", "--email", "you@example.test", "--dns", "httpreq"])
        .args(["--server", &platform.pebble.directory(), "--path", path.to_str().unwrap()])
        .args(["--dns.resolvers", &platform.named.resolver(), "-d", DOMAIN, "run"])
        .spawn();
    let presented = events.started("events.argoproj.io/trigger=present", &[present]);
    Workflow::existing(&events.platform, &presented).ended().succeeded();
    let said = lego.wait().exit(0);
    assert!(path.join("certificates").join(format!("{DOMAIN}.crt")).is_file(), "{said}");
    let cleaned = events.started("events.argoproj.io/trigger=cleanup", &[cleanup]);
    Workflow::existing(&events.platform, &cleaned).ended().succeeded();
    assert!(events.platform.named.txt(OWNER).is_empty());
    let asked = gateway.requests();
    assert_eq!(asked.iter().map(|one| &*one.path).collect::<Vec<_>>(), ["/present", "/cleanup"]);
    events.note("lego: POST /present", "200", &presented, "Succeeded: lego saw the value");
    events.note("lego: POST /cleanup", "200", &cleaned, "Succeeded: lego has its certificate");
}

/// Takes Basic authentication and hands on with Bearer.
fn gateway(events: &Events) -> FakeHttps {
    let address = events.address("httpreq");
    let bearer = format!("Bearer {}", events.token("httpreq"));
    let login = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    FakeHttps::start(&events.platform.lab, &["gateway.test"], move |asked| {
        if asked.header("authorization") != Some(&login) {
            return Reply::status(401);
        }
        let request =
            Request::new("POST", "dns01", &asked.path).with_header("authorization", &bearer);
        let answer =
            exchange_plain(address, &request.with_body("application/json", asked.body.clone()));
        Reply::status(answer.map_or(502, |reply| reply.status))
    })
}
