//! Resolvers that have to agree once the authorities do: by DNS and by HTTPS (RFC 8484).

use super::{OWNER, VALUE, report, wait};
use crate::faults::says;
use crate::stage::{Chain, Stage};
use harness::{FakeHttps, Invocation, Lab, NameServer as _, Named, Reply, Request, Sandbox};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, rdata::TXT};
use std::sync::atomic::{AtomicUsize, Ordering};

const DOH: &str = "doh.provider.test";

/// The answer of a resolver that has the value, in the form that RFC 8484 wants.
fn knows(request: &Request, value: &str) -> Reply {
    let asked = Message::from_vec(&request.body).unwrap();
    let mut answer = asked.clone().into_response();
    answer.metadata.recursion_available = true;
    let data = RData::TXT(TXT::new(vec![value.to_owned()]));
    answer.add_answer(Record::from_rdata(asked.queries[0].name().clone(), 1, data));
    message(&answer)
}

fn message(answer: &Message) -> Reply {
    Reply::status(200).with_body("application/dns-message", answer.to_vec().unwrap())
}

fn lacks(request: &Request) -> Reply {
    let mut answer = Message::from_vec(&request.body).unwrap().into_response();
    answer.metadata.response_code = ResponseCode::NXDomain;
    message(&answer)
}

fn through(lab: &Lab, named: &Named, doh: &FakeHttps, timeout: &str) -> Invocation {
    let user = Sandbox::new(lab).resolv_conf(named.address()).hosts(&doh.hosts());
    let step = user.env("SSL_CERT_FILE", lab.ca().file()).step("wait-propagation");
    let gate = format!("https://{DOH}/dns-query{{?dns}}");
    step.args(["--fqdn", OWNER, "--value", VALUE, "--timeout", timeout, "--gate-resolver", &gate])
}

fn published(lab: &Lab) -> Named {
    let named = Named::builder(lab).start();
    named.add_txt(OWNER, VALUE);
    named
}

#[test]
#[ignore = "needs named"]
fn a_resolver_behind_https_holds_the_wait_back_until_it_shows_the_value() {
    let lab = Lab::new();
    let named = published(&lab);
    let asked = AtomicUsize::new(0);
    let doh = FakeHttps::start(&lab, &[DOH], move |request| {
        if asked.fetch_add(1, Ordering::Relaxed) < 3 {
            lacks(request)
        } else {
            knows(request, VALUE)
        }
    });
    let run = through(&lab, &named, &doh, "30s").run().exit(0);
    let told = report(&run);
    assert_eq!((&told["agreeing"], &told["total"]), (&2.into(), &2.into()));
    let gate = &told["servers"][1];
    assert_eq!(
        (&gate["role"], &gate["address"]),
        (&"resolver".into(), &format!("https://{DOH}/dns-query").into())
    );
    let first = &doh.requests()[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/dns-query"));
    assert_eq!(first.header("content-type"), Some("application/dns-message"));
    let message = Message::from_vec(&first.body).unwrap();
    assert!(message.metadata.id == 0 && message.metadata.recursion_desired);
    assert_eq!(message.queries[0].name().to_ascii(), format!("{OWNER}."));
}

#[test]
#[ignore = "needs named"]
fn a_resolver_behind_https_that_fails_is_80_and_says_how() {
    let lab = Lab::new();
    let named = published(&lab);
    let doh = |reply: fn(&Request) -> Reply| {
        let doh = FakeHttps::start(&lab, &[DOH], reply);
        (through(&lab, &named, &doh, "3s").run(), doh)
    };
    let place = format!("resolver https://{DOH}/dns-query still ");
    let (run, _) = doh(|_| Reply::status(503));
    says(&run, 80, &[&place, "answers HTTP status 503"]);
    let (run, _) = doh(|_| Reply::status(200).with_body("text/html", "<html>"));
    says(&run, 80, &[&place, "answers with something else than DNS"]);
    let (run, _) = doh(|_| Reply::status(302).with_header("location", "https://evil.test/"));
    says(&run, 80, &[&place, "answers HTTP status 302"]);
    let (run, _) = doh(|request| knows(request, "another"));
    says(&run, 80, &[&place, "shows another value", "1 of 2 addresses agree", "hint: wait longer"]);
    // Without the lab's CA nobody is believed.
    let doh = FakeHttps::start(&lab, &[DOH], |request| knows(request, VALUE));
    let run = through(&lab, &named, &doh, "3s")
        .env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
        .run();
    says(&run, 80, &[&place, "cannot be reached by HTTPS", "certificate"]);
}

#[test]
#[ignore = "needs named"]
fn a_gate_by_http_or_with_a_credential_is_a_usage_error() {
    let lab = Lab::new();
    let named = published(&lab);
    for gate in ["http://doh.test/", "https://user:secret@doh.test/"] {
        let run = wait(&lab, named.address(), "3s").args(["--gate-resolver", gate]).run().exit(2);
        assert!(!run.stderr.contains("secret@") || gate.starts_with("https"), "{run}");
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn dns01_issue_waits_for_the_resolver_of_the_flag_and_of_the_configuration() {
    let stage = Stage::start();
    let doh = FakeHttps::start(&stage.lab, &[DOH], lacks);
    let url = format!("https://{DOH}/q");
    let reaching = |mut chain: Chain| {
        chain.user = chain.user.hosts(&doh.hosts());
        chain
    };
    let issue = reaching(stage.chain()).dns01_issue().args(["--gate-resolver", &url]);
    // The one file names the lab's CA, which is also that of pebble's own interface.
    let run = issue.args(["--propagation-timeout", "2s"]).run();
    says(&run, 80, &[&format!("resolver {url} still answers NXDOMAIN")]);
    assert_eq!(stage.pebble.requests_to("/chalZ/"), 0);
    let yaml = format!(
        "version: 1\nissuers: {{ca: {{server: \"{}\", termsOfServiceAgreed: true}}}}\nsolvers:\n- name: zone\n  provider: rfc2136\n  propagation: {{timeout: 2s, gateResolvers: [\"{url}\"]}}\ncertificates:\n- {{name: shop, dnsNames: [example.test], issuer: ca}}\n",
        stage.pebble.directory()
    );
    let chain = reaching(stage.chain().defined_by(&yaml));
    let issue = chain.user.dns01().args(["issue", "--name=shop", "--dir"]).arg(&chain.work);
    let run = issue.args(["--resolver", &stage.named.resolver()]).run();
    says(&run, 80, &[&format!("resolver {url} still answers NXDOMAIN")]);
    assert_eq!(stage.pebble.requests_to("/chalZ/"), 0);
}
