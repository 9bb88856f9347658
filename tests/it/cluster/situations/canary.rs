//! Nowhere but in Secrets is a secret: all that was seen is searched for every form of each.

use super::super::platform::Platform;
use crate::secrets::{forms, of_pem};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::{Cluster, Lab, NameServer as _};
use std::fs::{self, File};
use std::process::Child;

/// The key of the permanent failure: a secret too.
pub(super) const WRONG_TSIG_SECRET: &str = "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc=";

const RESULTS: &str = "task-results.json";

/// What Argo deletes before a test can look: every state of every `WorkflowTaskResult` of the cluster.
pub(super) struct Watch {
    kubectl: Child,
    lab: Lab,
}

impl Watch {
    pub(super) fn start(cluster: &Cluster) -> Self {
        let lab = Lab::on_node();
        let file = File::create(lab.path().join(RESULTS)).unwrap();
        let mut kubectl = cluster.kubectl().command(&[
            "get",
            "workflowtaskresults",
            "-A",
            "--watch",
            "-o",
            "json",
        ]);
        let kubectl = kubectl.stdout(file).spawn().unwrap();
        Self { kubectl, lab }
    }

    fn end(mut self) -> String {
        self.kubectl.kill().unwrap();
        self.kubectl.wait().unwrap();
        fs::read_to_string(self.lab.path().join(RESULTS)).unwrap()
    }
}

/// Searches everything that these platforms' namespaces hold but Secrets, and what was watched.
pub(super) fn assert_no_secret_is_seen(platforms: &[&Platform], watch: Watch) {
    let results = watch.end();
    assert!(results.contains("wait-propagation"), "no result was seen: {results}");
    let etcd = Cluster::shared().etcd_without_secrets();
    let (mut canaries, mut bytes) = (0, results.len());
    for platform in platforms {
        let secrets = platform.kubectl(&["get", "secrets", "-o", "json"]);
        let mut places = places(platform);
        let inside = format!("/{}/", platform.namespace);
        let keys = etcd.iter().filter(|(key, _)| key.contains(&inside));
        places
            .extend(keys.map(|(key, value)| (key.clone(), String::from_utf8_lossy(value).into())));
        bytes += places.iter().map(|(_, text)| text.len()).sum::<usize>();
        places.push(("WorkflowTaskResults".to_owned(), results.clone()));
        for canary in canaries_of(platform) {
            canaries += canary.forms.len();
            let found = |text: &str| canary.forms.iter().any(|form| text.contains(form));
            assert!(found(&secrets), "the search does not even find {} in Secrets", canary.what);
            for (place, text) in &places {
                assert!(!found(text), "{} is in {place} of {}", canary.what, platform.namespace);
            }
        }
    }
    eprintln!("{canaries} forms of secrets in none of {bytes} bytes ({} keys of etcd)", etcd.len());
}

/// What people and controllers read there, by name.
fn places(platform: &Platform) -> Vec<(String, String)> {
    let kinds = ["workflows", "workflowtaskresults", "events", "pods", "configmaps"];
    let mut places: Vec<_> = kinds
        .iter()
        .map(|kind| ((*kind).to_owned(), platform.kubectl(&["get", kind, "-o", "json"])))
        .collect();
    let logs = [
        "logs",
        "-l",
        "workflows.argoproj.io/workflow",
        "--all-containers",
        "--tail=-1",
        "--max-log-requests=100",
        "--ignore-errors",
    ];
    places.push(("logs".to_owned(), platform.kubectl(&logs)));
    places
}

/// A secret in every form that it could be seen in.
struct Canary {
    what: String,
    forms: Vec<String>,
}

fn canaries_of(platform: &Platform) -> Vec<Canary> {
    let mut tsig = vec![];
    for secret in [platform.named.key().secret.as_str(), WRONG_TSIG_SECRET] {
        tsig.push(secret.to_owned());
        tsig.extend(in_base64(secret));
        tsig.extend(forms(&STANDARD.decode(secret).unwrap()));
    }
    let mut all = vec![Canary { what: "TSIG".to_owned(), forms: tsig }];
    for secret in platform.cluster.kubectl().list(&platform.namespace, "secrets", "") {
        for (entry, value) in secret["data"].as_object().into_iter().flatten() {
            let text = STANDARD.decode(value.as_str().unwrap()).unwrap();
            let text = String::from_utf8_lossy(&text);
            if text.contains("PRIVATE KEY") {
                let mut forms = of_pem(&text);
                forms.extend(text.lines().filter(|line| line.len() > 20).flat_map(in_base64));
                all.push(Canary { what: format!("{} {entry}", secret["metadata"]["name"]), forms });
            }
        }
    }
    let keys = if platform.pebble.issued() == 0 { 0 } else { 3 };
    assert_eq!(all.len(), 1 + keys, "TSIG secret; account key, journal's key, Secret's key");
    all
}

/// How this text looks within a longer one that is base64: three ways, by where it starts.
fn in_base64(text: &str) -> Vec<String> {
    let shifted = |shift: usize| {
        let encoded = STANDARD.encode([&b"   "[..shift], text.as_bytes()].concat());
        // Without the characters that also depend on what is before and behind.
        encoded[[0, 2, 3][shift]..(shift + text.len()) * 4 / 3].to_owned()
    };
    (0..3).map(shifted).collect()
}
