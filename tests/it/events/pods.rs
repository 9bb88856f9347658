//! The pods of event sources, Sensors and the bus pass Pod Security `restricted`, and webhooks are guarded.

use serde_json::{Value, json};

use super::{folder, list, pairs, text};
use crate::templates::documents;

fn assert_restricted(pod: &Value, containers: &[&Value], at: &str) {
    assert_eq!(
        (&pod["runAsNonRoot"], &pod["runAsUser"], &pod["seccompProfile"]["type"]),
        (&json!(true), &json!(65532), &json!("RuntimeDefault")),
        "{at}"
    );
    for container in containers {
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{at}");
        assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}), "{at}");
        for bound in ["requests", "limits"] {
            for what in ["cpu", "memory"] {
                assert!(container["resources"][bound][what].is_string(), "{at}: {bound} {what}");
            }
        }
    }
}

#[test]
fn event_sources_and_sensors_pass_pod_security_restricted() {
    for pair in pairs() {
        for kind in ["EventSource", "Sensor"] {
            for object in pair.of(kind) {
                let (template, at) =
                    (&object["spec"]["template"], format!("{} {kind}", pair.place));
                assert_restricted(&template["securityContext"], &[&template["container"]], &at);
                let context = &template["container"]["securityContext"];
                assert_eq!(context["readOnlyRootFilesystem"], true, "{at}");
            }
        }
    }
}

#[test]
fn the_bus_passes_pod_security_restricted_and_survives_a_restart() {
    let bus = documents(&folder().join("eventbus/eventbus.yaml")).remove(0);
    let bus = &bus["spec"]["jetstream"];
    let containers = ["containerTemplate", "reloaderContainerTemplate", "metricsContainerTemplate"]
        .map(|of| &bus[of]);
    assert_restricted(&bus["securityContext"], &containers, "EventBus");
    assert!(bus["persistence"].is_object());
}

#[test]
fn a_webhook_wants_its_secret_a_post_and_a_small_body() {
    let mut found = 0;
    for pair in pairs() {
        for source in pair.of("EventSource") {
            let name = &source["metadata"]["name"];
            for (kind, secret) in
                [("webhook", "authSecret"), ("github", "webhookSecret"), ("gitlab", "secretToken")]
            {
                let Some(events) = source["spec"][kind].as_object() else { continue };
                for event in events.values() {
                    found += 1;
                    let hook = if kind == "webhook" { event } else { &event["webhook"] };
                    assert!(event[secret]["name"].is_string(), "{}: {name}", pair.place);
                    assert_eq!(hook["method"], "POST", "{}", pair.place);
                    let most = hook["maxPayloadSize"].as_u64().unwrap();
                    // The bus takes 1 MiB; a push to a repository is long, what people write by hand is not.
                    let allowed = if kind == "webhook" { 4096 } else { 524_288 };
                    assert!(most <= allowed, "{}: {most}", pair.place);
                    assert_served(&pair.objects, name, text(&hook["port"]));
                }
            }
        }
    }
    assert_eq!(found, 5, "certificate, present, cleanup, GitHub, GitLab");
}

/// There is a Service of the event source's own name for that port.
fn assert_served(objects: &[Value], name: &Value, port: &str) {
    let service = objects
        .iter()
        .find(|object| object["kind"] == "Service" && object["metadata"]["name"] == *name)
        .unwrap_or_else(|| panic!("no Service for {name}"));
    assert_eq!(service["spec"]["selector"], json!({"eventsource-name": name}));
    let ports = list(&service["spec"]["ports"]);
    assert!(ports.iter().any(|one| one["port"].as_u64() == port.parse().ok()), "{name}: {port}");
}
