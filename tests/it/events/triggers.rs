//! What a Sensor starts: our templates, with nothing of the event but names and a value, once per event.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Pair, TAKEN, list, pairs, text};
use crate::templates::{names, objects};

/// A trigger, with the place of its Sensor.
fn triggers() -> Vec<(String, Value)> {
    let of = |pair: &Pair| {
        let place = pair.place.clone();
        list(&pair.sensor()["spec"]["triggers"]).into_iter().map(move |one| (place.clone(), one))
    };
    pairs().iter().flat_map(of).collect()
}

fn workflow(trigger: &Value) -> &Value {
    &trigger["template"]["k8s"]["source"]["resource"]
}

fn arguments(trigger: &Value) -> Vec<Value> {
    list(&workflow(trigger)["spec"]["arguments"]["parameters"])
}

fn parameters(trigger: &Value) -> Vec<Value> {
    list(&trigger["template"]["k8s"]["parameters"])
}

/// The argument that a destination such as `spec.arguments.parameters.1.value` sets.
fn set(trigger: &Value, dest: &str) -> Option<String> {
    let index = dest.strip_prefix("spec.arguments.parameters.")?.strip_suffix(".value")?;
    let argument = &arguments(trigger)[index.parse::<usize>().unwrap()];
    Some(text(&argument["name"]).to_owned())
}

#[test]
fn a_trigger_creates_a_workflow_of_a_template_of_ours() {
    for (place, trigger) in triggers() {
        assert_eq!(trigger["template"]["k8s"]["operation"], "create", "{place}");
        let started = workflow(&trigger);
        assert_eq!(
            (&started["apiVersion"], &started["kind"]),
            (&json!("argoproj.io/v1alpha1"), &json!("Workflow")),
            "{place}"
        );
        let reference = &started["spec"]["workflowTemplateRef"]["name"];
        let target = objects().iter().find(|one| one["metadata"]["name"] == *reference);
        let target = target.unwrap_or_else(|| panic!("{place}: there is no {reference}"));
        let known = names(&list(&target["spec"]["arguments"]["parameters"]));
        for name in names(&arguments(&trigger)) {
            assert!(known.contains(&name), "{place}: {reference} has no {name}");
        }
        // Pods and their rights are the template's.
        let kept = ["workflowTemplateRef", "arguments", "synchronization", "ttlStrategy"];
        for key in started["spec"].as_object().unwrap().keys() {
            assert!(kept.contains(&&**key), "{place}: {key}");
        }
        let ends = |spec: &Value| !spec["ttlStrategy"].is_null();
        assert!(ends(&started["spec"]) || ends(&target["spec"]), "{place}: it is kept for ever");
    }
}

#[test]
fn an_event_says_names_and_one_value_and_nothing_else() {
    for (place, trigger) in triggers() {
        let mut given = BTreeSet::new();
        for parameter in parameters(&trigger) {
            let (src, dest) = (&parameter["src"], text(&parameter["dest"]));
            assert_eq!(src["dependencyName"], trigger["template"]["conditions"], "{place}: {dest}");
            assert!(src.get("useRawData").is_none() && src.get("value").is_none(), "{place}");
            match set(&trigger, dest) {
                Some(argument) => {
                    assert_eq!(src["dataKey"], *argument, "{place}: {dest} is another argument");
                    assert!(TAKEN.contains(&&*argument), "{place}: {argument}");
                    given.insert(argument);
                }
                None if dest == r"metadata.labels.dns01\.dev/certificate" => {
                    assert_eq!(src["dataKey"], "certificate", "{place}");
                }
                None => assert_eq!(dest, "metadata.name", "{place}"),
            }
        }
        let wanted =
            names(&arguments(&trigger)).into_iter().filter(|name| TAKEN.contains(&&**name));
        assert_eq!(given, wanted.collect(), "{place}: what is empty is filled in");
        assert!(
            given == ["certificate".into()].into()
                || given == ["fqdn".into(), "value".into()].into()
        );
    }
}

#[test]
fn a_workflow_for_a_certificate_is_labelled_with_it() {
    let label = format!("{}/certificate", dns01_core::LABEL_PREFIX);
    for (place, trigger) in triggers() {
        let started = workflow(&trigger);
        if started["spec"]["workflowTemplateRef"]["name"] == "dns01-certificate" {
            assert_eq!(started["metadata"]["labels"][&label], "", "{place}");
            let dest = format!("metadata.labels.{}", label.replace('.', "\\."));
            assert!(parameters(&trigger).iter().any(|one| one["dest"] == *dest), "{place}");
        }
    }
}

#[test]
fn a_trigger_is_tried_until_the_api_answers_and_waits_for_one_event_only() {
    for pair in pairs() {
        let sensor = pair.sensor();
        let known = names(&list(&sensor["spec"]["dependencies"]));
        for trigger in list(&sensor["spec"]["triggers"]) {
            let place = &pair.place;
            // Without it, retries don't happen either.
            assert_eq!(trigger["atLeastOnce"], true, "{place}");
            assert!(trigger["retryStrategy"]["steps"].as_u64().unwrap() > 3, "{place}");
            assert!(trigger["rateLimit"]["requestsPerUnit"].is_u64(), "{place}");
            // Without it, a trigger waits for all of them.
            let condition = text(&trigger["template"]["conditions"]).to_owned();
            assert!(known.contains(&condition), "{place}: {condition}");
        }
    }
}

/// The longest text that a template of Go can make whose every action ends in `trunc N`, or begins with it.
fn longest(template: &str) -> usize {
    let mut length = 0;
    let mut rest = template;
    while let Some((before, action)) = rest.split_once("{{") {
        let (action, after) = action.split_once("}}").unwrap();
        let number = action.split("trunc ").nth(1).unwrap_or_else(|| panic!("{action} has no end"));
        length += before.len() + number.split(' ').next().unwrap().parse::<usize>().unwrap();
        rest = after;
    }
    length + rest.len()
}

#[test]
fn a_workflow_is_named_after_its_certificate_and_the_event() {
    for (place, trigger) in triggers() {
        let named: Vec<Value> =
            parameters(&trigger).into_iter().filter(|one| one["dest"] == "metadata.name").collect();
        let [name, event] = &named[..] else { panic!("{place}: {named:?}") };
        let (name, event) = (
            (text(&name["src"]["dataTemplate"]), name.get("operation")),
            (text(&event["src"]["contextTemplate"]), event.get("operation")),
        );
        assert!(name.1.is_none() && event.1.unwrap() == "append", "{place}");
        assert!(name.0.contains("sha256sum | trunc 6") && name.0.contains("trunc 30"), "{place}");
        assert_eq!(
            event.0, "-{{ .Input.id | sha256sum | trunc 10 }}",
            "{place}: the id tells events apart"
        );
        let length = longest(name.0) + longest(event.0);
        assert!(length <= 63, "{place}: up to {length} characters");
    }
}

#[test]
fn a_solver_is_the_sensors_choice_and_the_same_for_present_and_cleanup() {
    let pair = pairs().into_iter().find(|pair| pair.place.ends_with("httpreq.yaml")).unwrap();
    let fixed: Vec<Vec<Value>> = list(&pair.sensor()["spec"]["triggers"])
        .iter()
        .map(|trigger| arguments(trigger).split_off(2))
        .collect();
    assert_eq!(names(&fixed[0]), ["provider", "credentials-secret", "definitions"]);
    assert_eq!(fixed[0], fixed[1]);
    let locks = list(&pair.sensor()["spec"]["triggers"])
        .iter()
        .map(|trigger| workflow(trigger)["spec"]["synchronization"].clone())
        .collect::<Vec<_>>();
    assert!(!locks[0].is_null() && locks[0] == locks[1], "cleanup waits for present");
}
