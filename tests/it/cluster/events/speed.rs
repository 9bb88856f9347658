//! How many pods a certificate takes, and where the time goes between a request and a verified Secret.
//!
//! The test holds the pods; `cargo xtask bench argo` lets it write down the times too.

use super::pairs::Events;
use crate::cluster::platform::CERTIFICATE;
use crate::cluster::workflow::Workflow;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Where the times are written, one JSON object per run.
const OUT: &str = "DNS01_BENCH_OUT";
/// How many certificates are had for it, one after the other.
const RUNS: &str = "DNS01_BENCH_RUNS";

#[test]
#[ignore = "needs the cluster"]
fn from_a_request_to_a_secret_it_takes_seven_pods_and_in_one_pod_two() {
    let mut events = Events::start();
    let runs = std::env::var(RUNS).map_or(1, |runs| runs.parse().unwrap());
    let mut measured = Vec::new();
    for _ in 0..runs {
        measured.push(one(&mut events, "dns01-certificate", 7));
    }
    events.apply(
        "webhook.yaml",
        &[("{name: dns01-certificate}", "{name: dns01-certificate-onepod}")],
    );
    let subscribed = "Subscribing to subject default.dns01-webhook.certificate";
    events.logged("sensor-name=dns01-webhook", &[subscribed]);
    for _ in 0..runs {
        measured.push(one(&mut events, "dns01-certificate-onepod", 2));
    }
    if let Some(file) = std::env::var_os(OUT) {
        std::fs::write(file, json!(measured).to_string()).unwrap();
    }
}

/// One first issuance, asked for by webhook.
fn one(events: &mut Events, template: &str, pods: usize) -> Value {
    let kubectl = events.platform.cluster.kubectl();
    let namespace = events.platform.namespace.clone();
    let all = kubectl.list(&namespace, "workflow", "");
    let known: Vec<_> = all.iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
    events.platform.kubectl(&[
        "delete",
        "--ignore-not-found",
        "configmap/dns01-example-org",
        "secret/example-org-tls",
    ]);
    let asked = Utc::now();
    assert_eq!(
        events.post("webhook", "/certificate", &json!({"certificate": CERTIFICATE}).to_string()),
        200
    );
    let name = events.started(&format!("dns01.dev/certificate={CERTIFICATE}"), &known);
    let secret = format!("secret/{CERTIFICATE}-tls");
    kubectl.until(Some(&namespace), &secret, |secret| secret["data"]["tls.crt"].is_string());
    events.verify_delivered();
    let delivered = Utc::now();
    let ended = Workflow::existing(&events.platform, &name).ended().succeeded();
    assert_eq!(
        (ended.pods(), ended.object["spec"]["workflowTemplateRef"]["name"].as_str()),
        (pods, Some(template))
    );
    let selector = format!("workflows.argoproj.io/workflow={name}");
    let all = kubectl.list(&namespace, "pod", &selector);
    let (mut starting, mut ours) = (0.0, 0.0);
    // Cleanup runs beside the delivery.
    for pod in
        all.iter().filter(|pod| !pod["metadata"]["name"].as_str().unwrap().contains("-cleanup-"))
    {
        let (began, ended) = step_times(events, pod["metadata"]["name"].as_str().unwrap());
        let made = pod["metadata"]["creationTimestamp"].as_str().unwrap();
        starting += seconds(made.parse().unwrap(), began);
        ours += seconds(began, ended);
    }
    let wall = seconds(asked, delivered);
    let rest = wall - starting - ours;
    json!({"template": template, "pods": pods, "wall": wall, "pod start": starting, "ours": ours, "rest": rest})
}

/// When a pod's step began and when it said its last word, by the log: Argo's own lines have `argo=true`.
fn step_times(events: &Events, pod: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    let log = events.platform.kubectl(&["logs", "--timestamps", "-c", "main", pod]);
    let at = |line: &str| line.split(' ').next().unwrap().parse::<DateTime<Utc>>().unwrap();
    let began = log
        .lines()
        .find(|line| line.contains("waiting for signals"))
        .unwrap_or_else(|| panic!("{log}"));
    let last =
        log.lines().rfind(|line| !line.contains("argo=true")).unwrap_or_else(|| panic!("{log}"));
    (at(began), at(last))
}

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}
