//! The bridge's rows against their vendors, each under its real host name.

use super::contract::{self, Behind};
use super::{Stage, challenge, value};
use crate::fakes::cloudflare::CLOUDFLARE;
use crate::fakes::desec::DESEC;
use crate::fakes::digitalocean::DIGITALOCEAN;
use crate::fakes::hetzner::HETZNER;
use crate::fakes::route53::ROUTE53;
use crate::fakes::{Api, TOKEN, Vendor, ZONE};
use harness::{Lab, NameServer as _, Named, NamedBuilder, Reply, Run, Zone};

const ALL: [&Api; 5] = [&CLOUDFLARE, &DESEC, &DIGITALOCEAN, &HETZNER, &ROUTE53];

/// A vendor, the user who is its customer, and the DNS that both are found in.
struct Scene {
    vendor: Vendor,
    stage: Stage,
    _named: Named,
}

impl Scene {
    fn new(lab: &Lab, api: &'static Api) -> Self {
        let zones = [Zone::new(ZONE), Zone::new("elsewhere.test")];
        let builder = zones.into_iter().fold(Named::builder(lab), NamedBuilder::zone);
        let (named, vendor) = (builder.start(), Vendor::start(lab, api));
        let mut stage = Stage::new(lab, api.provider, named.resolver()).envs(vendor.settings());
        stage.sandbox =
            stage.sandbox.hosts(&vendor.https.hosts()).env("SSL_CERT_FILE", lab.ca().file());
        Self { vendor, stage, _named: named }
    }

    fn present(&self, domain: &str) -> Run {
        self.stage.step("present", domain, &[&value('a')]).run().nowhere_contains(TOKEN)
    }
}

impl Behind for Vendor {
    fn values(&self, name: &str) -> Vec<String> {
        let mut values = self.account(|account| account.values(name));
        values.sort();
        values
    }

    fn add(&self, name: &str, value: &str) {
        self.account(|account| account.add(name, value, 3600));
    }
}

fn keeps_the_contract(api: &'static Api) {
    let scene = Scene::new(&Lab::new(), api);
    contract::keep(&scene.stage, &scene.vendor);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn cloudflare_keeps_the_contract() {
    keeps_the_contract(&CLOUDFLARE);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn desec_keeps_the_contract() {
    keeps_the_contract(&DESEC);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn digitalocean_keeps_the_contract() {
    keeps_the_contract(&DIGITALOCEAN);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn hetzner_keeps_the_contract() {
    keeps_the_contract(&HETZNER);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn route53_keeps_the_contract() {
    keeps_the_contract(&ROUTE53);
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_refused_credential_is_20_and_its_place_is_named() {
    for api in ALL {
        let lab = Lab::new();
        let mut scene = Scene::new(&lab, api);
        let first = api.settings[0];
        scene.stage =
            scene.stage.envs([(first.to_owned(), "canary-but-wrong-0123456789".to_owned())]);
        let run = scene.present(ZONE).exit(20).nowhere_contains("canary-but-wrong");
        run.stderr_contains("refused the credentials").stderr_contains(&format!("{first} from"));
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_zone_that_the_vendor_lacks_is_21() {
    for api in ALL {
        let scene = Scene::new(&Lab::new(), api);
        scene.present("elsewhere.test").exit(21).stderr_contains("has no zone `elsewhere.test`");
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_vendor_with_problems_is_75() {
    for api in ALL {
        let scene = Scene::new(&Lab::new(), api);
        // More than the library asks again by itself.
        scene.vendor.first(vec![Reply::status(500); 8]);
        scene.present(ZONE).exit(75);
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_vendor_that_hangs_up_is_75() {
    for api in ALL {
        let scene = Scene::new(&Lab::new(), api);
        scene.vendor.first(vec![Reply::closed(); 8]);
        scene.present(ZONE).exit(75);
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_page_that_is_not_the_api_is_75() {
    for api in ALL {
        let scene = Scene::new(&Lab::new(), api);
        let page =
            Reply::status(200).with_body("text/html", "<html>Please log in to the guest network");
        scene.vendor.first(vec![page; 8]);
        scene.present(ZONE).exit(75);
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_short_throttle_is_waited_for() {
    for api in [&CLOUDFLARE, &DESEC, &DIGITALOCEAN, &HETZNER] {
        let scene = Scene::new(&Lab::new(), api);
        scene.vendor.first([Reply::status(429).with_header("retry-after", "1")]);
        scene.present(ZONE).exit(0);
    }
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_certificate_that_nobody_vouches_for_is_75_and_nothing_is_sent() {
    let mut scene = Scene::new(&Lab::new(), &CLOUDFLARE);
    let stranger = Lab::new();
    scene.stage.sandbox = scene.stage.sandbox.env("SSL_CERT_FILE", stranger.ca().file());
    scene.present(ZONE).exit(75);
    assert!(scene.vendor.https.requests().is_empty());
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_machine_without_ca_certificates_is_11_and_says_what_to_install() {
    let mut scene = Scene::new(&Lab::new(), &CLOUDFLARE);
    scene.stage.sandbox = scene.stage.sandbox.env("SSL_CERT_FILE", "/nowhere/ca.pem");
    scene.present(ZONE).exit(11).stderr_contains("ca-certificates");
}

#[test]
#[ignore = "needs BIND and the private namespace"]
fn a_write_that_another_writer_undid_is_repeated() {
    let scene = Scene::new(&Lab::new(), &ROUTE53);
    scene.vendor.account(|account| account.undone = 2);
    scene.present(ZONE).exit(0);
    assert_eq!(scene.vendor.values(&challenge(ZONE)), [value('a')]);
}
