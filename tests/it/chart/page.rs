//! `docs/how-to/install-on-your-cluster.md`, as a newcomer pastes it, on a real cluster.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use harness::{Cluster, Lab, NameServer as _, Named, Pebble, tools_dir};
use serde_json::json;

use super::root;

const NAMESPACE: &str = "install-page";

/// The `sh` blocks of the page; the first sets variables.
fn blocks() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/how-to/install-on-your-cluster.md")).unwrap();
    let parts = page.split("```sh\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs the cluster, helm, named, pebble"]
fn the_page_leads_from_nothing_to_certificates_and_back() {
    let cluster = Cluster::shared();
    let lab = Lab::on_node();
    let named = Named::builder(&lab).start();
    let pebble = Pebble::builder(&lab, named.address()).start();
    let work = lab.folder("page");
    symlink(root().join("charts"), work.join("charts")).unwrap();
    let lines = named.rfc2136().into_iter().map(|(name, value)| format!("{name}={value}\n"));
    fs::write(work.join("provider.env"), lines.collect::<String>()).unwrap();
    // All that is ours and no newcomer's: where names are looked up.
    let resolver = json!({"name": "DNS01_RESOLVER", "value": named.resolver()});
    let own = work.join("own.yaml");
    fs::write(&own, json!({"pod": {"extraEnv": [resolver]}}).to_string()).unwrap();
    let install = "helm install dns01 charts/dns01";

    let blocks = blocks();
    let path = std::env::var("PATH").unwrap();
    for block in &blocks[1..] {
        let block = block.replace(install, &format!("{install} -f {}", own.display()));
        let status = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("{}\n{block}", blocks[0])])
            .current_dir(&work)
            .env("PATH", format!("{}:{path}", tools_dir().join("bin").display()))
            .env("KUBECONFIG", cluster.kubectl().kubeconfig())
            .envs([("NAMESPACE", NAMESPACE), ("DOMAIN", "example.test"), ("PROVIDER", "rfc2136")])
            .env("CA", pebble.directory())
            .env("CA_BUNDLE", BASE64_STANDARD.encode(fs::read(pebble.ca_file()).unwrap()))
            .status();
        assert!(status.unwrap().success(), "this block failed:\n{block}");
        if block.contains("create namespace") {
            cluster.event_bus(NAMESPACE);
        }
    }
    for name in ["_acme-challenge.example.test", "_acme-challenge.www.example.test"] {
        assert!(named.txt(name).is_empty(), "left in the zone: {name}");
    }
    assert!(cluster.kubectl().get(NAMESPACE, "secret/www-tls").is_none(), "the last block");
}
