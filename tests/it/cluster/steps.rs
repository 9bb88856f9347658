//! Each step by itself, as `argo submit --from workflowtemplate/… -p …` starts it: chained by hand, they issue.

use super::platform::{CERTIFICATE, NAMES, OWNER, Platform};
use super::workflow::Ended;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::NameServer as _;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// An output parameter of a Workflow of one step.
pub(crate) fn output(ended: &Ended, name: &str) -> String {
    let nodes = ended.object["status"]["nodes"].as_object().unwrap().values();
    let outputs = nodes.filter_map(|node| node["outputs"]["parameters"].as_array()).flatten();
    let mut found = outputs.filter(|output| output["name"] == name);
    let output = found.next().unwrap_or_else(|| panic!("no output {name}:\n{}", ended.table()));
    output["value"].as_str().unwrap().to_owned()
}

/// The definition is enough for every step.
const DEFINED: [(&str, &str); 2] = [("certificate", CERTIFICATE), ("definitions", "dns01")];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&DEFINED, more].concat()
}

/// What openssl says of the chain and the key in the certificate's Secret.
fn verify(platform: &Platform, folder: &Path) {
    let secret = platform.get(&format!("secret/{CERTIFICATE}-tls")).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    for (entry, file) in [("tls.crt", &chain), ("tls.key", &key)] {
        fs::write(file, STANDARD.decode(secret["data"][entry].as_str().unwrap()).unwrap()).unwrap();
    }
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (chain, roots) = (chain.to_str().unwrap(), platform.pebble.issuing_roots_file());
    openssl(&["verify", "-CAfile", roots.to_str().unwrap(), "-untrusted", chain, chain]);
    let of_certificate = openssl(&["x509", "-in", chain, "-noout", "-pubkey"]);
    assert_eq!(of_certificate, openssl(&["pkey", "-in", key.to_str().unwrap(), "-pubout"]));
    let names = openssl(&["x509", "-in", chain, "-noout", "-ext", "subjectAltName"]);
    assert!(NAMES.iter().all(|name| names.contains(&format!("DNS:{name}"))), "{names}");
}

#[test]
#[ignore = "needs the cluster"]
fn every_step_runs_alone_and_by_hand_they_end_in_a_certificate() {
    let platform = Platform::with("steps", |named| named, |pebble| pebble.authz_reuse(100));
    // As `argo submit --from` does; with the resolver because the pods' own knows no `example.test`.
    let start = |template: &str, parameters: &[(&str, &str)]| platform.submit(template, parameters);
    let run = |template: &str, parameters: &[(&str, &str)]| -> Ended {
        start(template, parameters).ended().succeeded()
    };
    let check = start("dns01-renew-check", &[("certificate", CERTIFICATE)]);
    let order = run("dns01-order", &DEFINED);
    let check = check.ended().succeeded();
    let found = ["action", "certificate", "credentials-secret", "definitions"]
        .map(|name| output(&check, name));
    assert_eq!(found, ["issue", CERTIFICATE, "rfc2136", "dns01"]);
    let [generation, challenges] = ["generation", "challenges"].map(|name| output(&order, name));
    assert_eq!((output(&order, "needed").as_str(), platform.pebble.orders()), ("true", 1));

    let credentials = ("credentials-secret", "rfc2136");
    let challenges = ("challenges", challenges.as_str());
    let present = run("dns01-present", &with(&[challenges, credentials]));
    let records: Vec<Value> = serde_json::from_str(&output(&present, "records")).unwrap();
    assert_eq!((records.len(), platform.named.txt(OWNER).len()), (2, 2));
    let published = output(&present, "published");
    run("dns01-wait-propagation", &[challenges, ("published", &published)]);
    let generation = ("generation", generation.as_str());
    let issue = run("dns01-certbot-issue", &with(&[generation]));
    assert_eq!((platform.pebble.issued(), platform.delivered()), (1, None));
    let uid = order.object["metadata"]["uid"].as_str().unwrap();
    let cleanup = start("dns01-cleanup", &with(&[("run-id", uid), credentials]));
    let store = run("dns01-store-secret", &with(&[generation]));
    let cleanup = cleanup.ended().succeeded();
    assert_eq!(
        (output(&cleanup, "removed").as_str(), output(&cleanup, "left").as_str()),
        ("2", "[]")
    );
    platform.assert_zone_is_clean();
    verify(&platform, &platform.lab.folder("delivered"));
    eprintln!("{} {} {}", output(&issue, "serial"), output(&store, "sinks"), check.table());
    valid_authorizations_skip_dns(&platform);
}

/// A CA that remembers the names needs no challenge: nothing is published, and yet all of it succeeds.
fn valid_authorizations_skip_dns(platform: &Platform) {
    let updates = platform.named.update_requests();
    let forced = [("certificate", CERTIFICATE), ("force", "true")];
    let run = platform.submit("dns01-certificate", &forced).ended().succeeded();
    eprintln!("{}", run.table());
    for skipped in ["present", "wait-propagation"] {
        assert_eq!(run.node(skipped).0, "Skipped", "{}", run.table());
    }
    assert_eq!((run.output("result"), platform.pebble.issued()), (Some("issue"), 2));
    assert_eq!(platform.named.update_requests(), updates);
}
