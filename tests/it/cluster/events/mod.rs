//! The pairs of `event-sources/` and the page about them, on a real bus: a request, a clock and an object each start what
//! they promise, and what is malformed starts nothing. Prints what became of each event.

mod hostile;
mod lego;
mod page;
mod pairs;
mod rights;
mod speed;

use super::platform::{self, CERTIFICATE, OWNER};
use super::workflow::Workflow;
use harness::NameServer as _;
use pairs::{Events, eventually};
use serde_json::json;

/// What a client of `httpreq` wants published.
const VALUE: &str = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
/// The Workflows that the webhook has started for our certificate.
const ASKED_FOR: &str = "events.argoproj.io/sensor=dns01-webhook,dns01.dev/certificate=example-org";

#[test]
#[ignore = "needs the cluster"]
fn each_event_starts_what_it_promises_once_and_a_malformed_one_nothing() {
    let mut events = Events::start();
    rights::everybody_may_do_what_they_must_and_no_more(&events);
    let issuing = requested(&mut events);
    let unknown = unknown(&mut events);
    let (present, cleanup) = challenge(&mut events);
    hostile::none_starts_a_workflow(&mut events);
    says_what_is_wrong(&mut events, &unknown);
    issued(&mut events, &issuing);
    let again = nothing_is_due(&mut events, &issuing);
    redelivered(&mut events, &again);
    labelled(&mut events);
    lego::gets_its_certificate(&mut events, &present, &cleanup);
    rights::nobody_restarted_and_no_log_has_a_token(&events);
    events.assert_nothing_else_was_started();
    eprintln!("{}", events.table());
}

/// As the page says it.
fn requested(events: &mut Events) -> String {
    let said = page::run(events, "By a request");
    assert!(said.contains("success"), "{said}");
    let name = events.started(ASKED_FOR, &[]);
    assert!(name.starts_with("example-org-"), "{name}");
    name
}

fn unknown(events: &mut Events) -> String {
    // Only the name counts, whatever else is said.
    let body =
        r#"{"certificate":"nobody","domains":"example.test","provider":"{{workflow.name}}"}"#;
    assert_eq!(events.post("webhook", "/certificate", body), 200);
    events.started("dns01.dev/certificate=nobody", &[])
}

fn says_what_is_wrong(events: &mut Events, name: &str) {
    let ended = Workflow::existing(&events.platform, name).ended();
    assert!(ended.phase() == "Failed" && ended.pods() == 1, "{}", ended.table());
    let table = ended.table();
    let reason = table.split("main: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    assert!(reason.contains("certificate `nobody`") && reason.contains("exit 11"), "{table}");
    events.note("POST, a name that is not defined", "200", name, &format!("Failed: {reason}"));
}

/// Present and cleanup, both asked for before the first pod runs; their Workflows.
fn challenge(events: &mut Events) -> (String, String) {
    let body = json!({"fqdn": format!("{OWNER}."), "value": VALUE}).to_string();
    assert_eq!(events.post("httpreq", "/present", &body), 200);
    let present = events.started("events.argoproj.io/trigger=present", &[]);
    Workflow::existing(&events.platform, &present)
        .until(|object| object["status"]["phase"] == "Running");
    assert!(!events.has(VALUE), "an answer that waits for the record would be another promise");
    assert_eq!(events.post("httpreq", "/cleanup", &body), 200);
    let cleanup = events.started("events.argoproj.io/trigger=cleanup", &[]);
    eventually("the value in the zone", || events.has(VALUE).then_some(()));
    let presented = Workflow::existing(&events.platform, &present).ended().succeeded();
    let cleaned = Workflow::existing(&events.platform, &cleanup).ended().succeeded();
    let (over, begun) = (&presented.object["status"]["finishedAt"], first_pod(&cleaned.object));
    assert!(
        over.as_str() <= begun.as_deref(),
        "cleanup began at {begun:?}, present ended at {over}"
    );
    assert!(!events.has(VALUE), "{:?}", events.platform.named.txt(OWNER));
    events.note(
        "POST /present",
        "200",
        &present,
        "Succeeded: value published and seen at the servers",
    );
    events.note(
        "POST /cleanup at once",
        "200",
        &cleanup,
        "Succeeded: after present had ended, value gone",
    );
    (present, cleanup)
}

/// When the first pod of a Workflow was started.
fn first_pod(workflow: &serde_json::Value) -> Option<String> {
    let nodes =
        workflow["status"]["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
    let pods = nodes.filter(|node| node["type"] == "Pod");
    pods.filter_map(|pod| pod["startedAt"].as_str().map(ToOwned::to_owned)).min()
}

fn issued(events: &mut Events, name: &str) {
    let ended = Workflow::existing(&events.platform, name).ended().succeeded();
    assert_eq!((ended.output("result"), events.platform.pebble.issued()), (Some("issue"), 1));
    events.verify_delivered();
    let found = page::run(events, "By a request: what came of it");
    assert!(found.contains(name) && found.contains("Succeeded"), "{found}");
    events.note("POST, as the page shows it", "200", name, "Succeeded: issue, chain verified");
}

/// A repeated request and a tick of the clock: both run, and end at the check.
fn nothing_is_due(events: &mut Events, known: &str) -> String {
    let body = json!({"certificate": CERTIFICATE}).to_string();
    assert_eq!(events.post("webhook", "/certificate", &body), 200);
    let again = events.started(ASKED_FOR, &[known]);
    events.apply("calendar.yaml", &[("schedule: 17 3,15 * * *", "interval: 10s")]);
    let tick = events.started("events.argoproj.io/sensor=dns01-calendar", &[]);
    // One is enough.
    events.platform.kubectl(&["delete", "eventsource/dns01-calendar", "sensor/dns01-calendar"]);
    for (event, status, name) in [("the same POST again", "200", &again), ("the clock", "", &tick)]
    {
        let ended = Workflow::existing(&events.platform, name).ended().succeeded();
        assert_eq!((ended.output("result"), ended.pods()), (Some("none"), 1), "{}", ended.table());
        events.note(event, status, name, "Succeeded: none, one pod");
    }
    assert_eq!(events.platform.pebble.issued(), 1);
    again
}

/// The bus hands out what a Sensor had taken but not acknowledged when it died.
fn redelivered(events: &mut Events, name: &str) {
    let (cluster, sensor) = (events.platform.cluster, "sensor-name=dns01-webhook");
    events.platform.kubectl(&["delete", "pod", "-l", sensor]);
    if !cluster.redeliver(&events.platform.namespace, "dns01-webhook", "certificate") {
        eprintln!("no event is delivered twice on a cluster of the user's");
        return;
    }
    let line = events.logged(sensor, &["already exists", name]);
    events.note("the same event, delivered twice", "", name, &format!("no second one: {line}"));
}

/// What is lost comes back when an Ingress asks for it.
fn labelled(events: &mut Events) {
    events.platform.kubectl(&["delete", "secret", "example-org-tls"]);
    let ingress = |name: &str, label: Option<&str>| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "labels": label.map(|label| json!({"dns01.dev/certificate": label}))},
            "spec": {"defaultBackend": {"service": {"name": "none", "port": {"number": 80}}}},
        })
    };
    events.platform.apply(&ingress("plain", None));
    events.platform.apply(&ingress("odd", Some("Example_Org")));
    events.platform.apply(&ingress("shop", Some(CERTIFICATE)));
    let line =
        events.logged("sensor-name=dns01-resource", &["Example_Org", "certificate: not 1 to 50"]);
    events.note("an Ingress labelled Example_Org", "", "", &line);
    let name = events.started("events.argoproj.io/sensor=dns01-resource", &[]);
    let ended = Workflow::existing(&events.platform, &name).ended().succeeded();
    assert_eq!((ended.output("result"), events.platform.pebble.issued()), (Some("deliver"), 1));
    events.verify_delivered();
    events.note("an Ingress labelled example-org", "", &name, "Succeeded: deliver, chain verified");
}
