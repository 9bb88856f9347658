//! `rfc2136` against real BIND and Knot.

use super::contract::{self, Behind};
use super::{Stage, challenge, value};
use harness::{Hmac, Knot, Lab, NameServer, Named, TsigKey, Zone};
use std::time::{Duration, Instant};

const ZONE: &str = "example.test";

fn stage(lab: &Lab, server: &impl NameServer) -> Stage {
    Stage::new(lab, "rfc2136", server.resolver()).envs(server.rfc2136())
}

impl<S: NameServer> Behind for S {
    fn values(&self, name: &str) -> Vec<String> {
        self.txt(name)
    }

    fn add(&self, name: &str, value: &str) {
        self.add_txt(name, value);
    }
}

/// With one variable changed, `present` must fail with this code and these words, and change nothing.
fn refuses(lab: &Lab, server: &impl NameServer, change: (&str, &str), code: i32, words: &str) {
    let stage = stage(lab, server).envs([(change.0.to_owned(), change.1.to_owned())]);
    let run = stage.step("present", ZONE, &[&value('a')]).run().exit(code).stderr_contains(words);
    run.nowhere_contains(&server.key().secret).nowhere_contains(change.1);
    assert!(server.txt(&challenge(ZONE)).is_empty());
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn bind_keeps_the_contract() {
    let lab = Lab::new();
    let server = Named::builder(&lab).start();
    contract::keep(&stage(&lab, &server), &server);
}

#[test]
#[ignore = "needs Knot and the private namespace"]
fn knot_keeps_the_contract() {
    let lab = Lab::new();
    let server = Knot::start(&lab, &[]);
    contract::keep(&stage(&lab, &server), &server);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn apex_and_wildcard_are_one_update_packet_each_way() {
    let lab = Lab::new();
    let server = Named::builder(&lab).start();
    let stage = stage(&lab, &server);
    stage.step("present", ZONE, &[&value('a'), &value('b')]).run().exit(0);
    assert_eq!((server.update_requests(), server.txt(&challenge(ZONE)).len()), (1, 2));
    stage.step("cleanup", ZONE, &[&value('a'), &value('b')]).run().exit(0);
    assert_eq!((server.update_requests(), server.txt(&challenge(ZONE)).len()), (2, 0));
    let operations = server.update_operations(ZONE);
    assert!(!operations.iter().any(|line| line.contains("deleting rrset")), "{operations:?}");
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn forty_values_are_one_update_packet_over_tcp() {
    let lab = Lab::new();
    let server = Named::builder(&lab).start();
    let values: Vec<_> = (0..40).map(|number| format!("{number:043}")).collect();
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    stage(&lab, &server).step("present", ZONE, &values).run().exit(0);
    assert_eq!((server.update_requests(), server.txt(&challenge(ZONE)).len()), (1, 40));
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn every_allowed_algorithm_works_from_variables_and_from_a_key_file() {
    let lab = Lab::new();
    for algorithm in [Hmac::Sha256, Hmac::Sha384, Hmac::Sha512] {
        let key = TsigKey::new(&lab.folder("tsig"), "Mixed-Case.Key", algorithm);
        let server = Named::builder(&lab).key(key.clone()).start();
        stage(&lab, &server).step("present", ZONE, &[&value('a')]).run().exit(0);
        let file = Stage::new(&lab, "dns_nsupdate", server.resolver()).envs([
            ("DNSUPDATE_NAMESERVER".to_owned(), server.address().to_string()),
            ("DNSUPDATE_TSIG_FILE".to_owned(), key.file.display().to_string()),
        ]);
        file.step("present", ZONE, &[&value('b')]).run().exit(0);
        assert_eq!(server.txt(&challenge(ZONE)), [value('a'), value('b')]);
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_weak_key_is_refused_before_anything_is_sent() {
    let lab = Lab::new();
    let key = TsigKey::new(&lab.folder("tsig"), "weak", Hmac::Sha1);
    let server = Named::builder(&lab).key(key).start();
    let run = stage(&lab, &server).step("present", ZONE, &[&value('a')]).run().exit(11);
    run.stderr_contains("too weak").stderr_contains("tsig-keygen -a hmac-sha256 weak");
    assert_eq!(server.update_requests(), 0);
}

#[test]
#[ignore = "needs BIND, Knot and the private namespace"]
fn a_wrong_secret_is_badsig_and_an_unknown_key_badkey() {
    let lab = Lab::new();
    let (bind, knot) = (Named::builder(&lab).start(), Knot::start(&lab, &[]));
    let secret = ("RFC2136_TSIG_SECRET", "YSBjYW5hcnkgdGhhdCBpcyB3cm9uZw==");
    refuses(&lab, &bind, secret, 20, "BADSIG");
    refuses(&lab, &knot, secret, 20, "BADSIG");
    for server in [&bind as &dyn NameServer, &knot] {
        let stage = Stage::new(&lab, "rfc2136", server.resolver()).envs(server.rfc2136());
        let stage = stage.envs([("RFC2136_TSIG_KEY".to_owned(), "unknown".to_owned())]);
        let run = stage.step("present", ZONE, &[&value('a')]).run().exit(20);
        run.stderr_contains("BADKEY").stderr_contains("does not accept TSIG key `unknown`");
    }
}

#[test]
#[ignore = "needs BIND, Knot and the private namespace"]
fn a_zone_that_may_not_be_updated_is_20() {
    let lab = Lab::new();
    let closed = [Zone::new(ZONE).read_only()];
    let bind = Named::builder(&lab).zone(closed[0].clone()).start();
    let knot = Knot::start(&lab, &closed);
    for (server, code) in [(&bind as &dyn NameServer, "REFUSED"), (&knot, "BADKEY")] {
        let stage = Stage::new(&lab, "rfc2136", server.resolver()).envs(server.rfc2136());
        stage.step("present", ZONE, &[&value('a')]).run().exit(20).stderr_contains(code);
        let unsigned = Stage::new(&lab, "rfc2136", server.resolver())
            .envs([("RFC2136_NAMESERVER".to_owned(), server.address().to_string())]);
        let run = unsigned.step("present", ZONE, &[&value('a')]).run().exit(20);
        run.stderr_contains("refused to update zone `example.test`");
    }
}

#[test]
#[ignore = "needs BIND, Knot and the private namespace"]
fn a_zone_that_the_server_lacks_is_21() {
    let lab = Lab::new();
    let home = Named::builder(&lab).zone(Zone::new("other.test")).start();
    let (bind, knot) = (Named::builder(&lab).start(), Knot::start(&lab, &[]));
    for server in [&bind as &dyn NameServer, &knot] {
        let stage = Stage::new(&lab, "rfc2136", home.resolver()).envs(server.rfc2136());
        let run = stage.step("present", "other.test", &[&value('a')]).run().exit(21);
        run.stderr_contains("is not authoritative for zone `other.test`");
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_server_that_is_down_is_75_and_up_again_works() {
    let lab = Lab::new();
    let resolver = Named::builder(&lab).start();
    let mut server = Named::builder(&lab).start();
    let stage = Stage::new(&lab, "rfc2136", resolver.resolver()).envs(server.rfc2136());
    server.stop();
    stage
        .step("present", ZONE, &[&value('a')])
        .run()
        .exit(75)
        .stderr_contains("gave no usable answer");
    server.start();
    stage.step("present", ZONE, &[&value('a')]).run().exit(0);
    assert_eq!(server.txt(&challenge(ZONE)), [value('a')]);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_silent_server_is_75_in_bounded_time() {
    let lab = Lab::new();
    let resolver = Named::builder(&lab).start();
    let server = Named::builder(&lab).start();
    let stage = Stage::new(&lab, "rfc2136", resolver.resolver()).envs(server.rfc2136());
    let stage = stage.envs([("RFC2136_DNS_TIMEOUT".to_owned(), "1".to_owned())]);
    server.pause();
    let start = Instant::now();
    stage
        .step("present", ZONE, &[&value('a')])
        .run()
        .exit(75)
        .stderr_contains("no answer within 1 s");
    assert!(start.elapsed() < Duration::from_secs(15));
    server.resume();
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_server_is_found_by_name_and_every_address_is_tried() {
    let lab = Lab::new();
    let server = Named::builder(&lab).start();
    let dead = lab.address();
    let mut stage = stage(&lab, &server)
        .envs([("RFC2136_NAMESERVER".to_owned(), "ns.corp.example".to_owned())]);
    stage.sandbox =
        stage.sandbox.hosts(&[("ns.corp.example", dead), ("ns.corp.example", server.address())]);
    stage.step("present", ZONE, &[&value('a')]).run().exit(0);
}
