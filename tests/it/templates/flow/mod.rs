//! The composites: references that resolve, a hook that always finds its arguments, and who runs when.

mod dag;
mod fleet;
mod references;

use serde_json::{Value, json};

use super::{FLOWS, Template, list, names, objects, template, text};

/// The wrapper of a flow: renew-check, then `run`.
fn wrapper(object: &str) -> &'static Template {
    template(object, "certificate")
}

fn step(wrapper: &Template, name: &str) -> Value {
    let steps: Vec<Value> = list(&wrapper.body["steps"]).iter().flat_map(list).collect();
    steps.into_iter().find(|step| step["name"] == name).unwrap()
}

fn hook(object: &str) -> Value {
    step(wrapper(object), "run")["hooks"]["exit"].clone()
}

/// The arguments of a call, by name.
fn arguments(call: &Value) -> Vec<(String, String)> {
    let of = |one: &Value| (text(&one["name"]).to_owned(), text(&one["value"]).to_owned());
    list(&call["arguments"]["parameters"]).iter().map(of).collect()
}

#[test]
fn a_flow_is_a_check_and_then_a_run_in_steps() {
    for object in FLOWS {
        let groups = list(&wrapper(object).body["steps"]);
        let names: Vec<Vec<String>> = groups.iter().map(|group| names(&list(group))).collect();
        assert_eq!(names, [["renew-check"], ["run"]], "{object}");
        let spec = objects().iter().find(|one| one["metadata"]["name"] == *object).unwrap();
        assert_eq!(spec["spec"]["entrypoint"], "certificate", "{object}");
    }
}

#[test]
fn the_exit_hook_cleans_up_after_every_run_that_did_not_succeed() {
    for object in FLOWS {
        let hook = hook(object);
        assert_eq!(hook["expression"], r#"steps["run"].status != "Succeeded""#, "{object}");
        assert_eq!(hook["templateRef"], json!({"name": "dns01-cleanup", "template": "cleanup"}));
        assert!(arguments(&hook).contains(&("exit-hook".into(), "true".into())), "{object}");
        for status in ["Failed", "Error"] {
            let steps = json!({"steps": {"run": {"status": status}}});
            assert!(super::render::holds(text(&hook["expression"]), &steps));
        }
        let steps = json!({"steps": {"run": {"status": "Succeeded"}}});
        assert!(!super::render::holds(text(&hook["expression"]), &steps), "no pod for nothing");
    }
}

#[test]
fn the_hooks_arguments_come_from_inputs_and_the_check_only() {
    for object in FLOWS {
        for (name, value) in arguments(&hook(object)) {
            for tag in value.split("{{").skip(1) {
                let known = ["inputs.parameters.", "steps.renew-check.outputs.parameters."];
                assert!(
                    known.iter().any(|start| tag.starts_with(start)),
                    "{object}: {name}: {tag}"
                );
            }
        }
    }
}

#[test]
fn a_name_alone_finds_solver_credentials_and_definition() {
    let found = ["certificate", "provider", "credentials-secret", "definitions"];
    for object in FLOWS {
        for call in [step(wrapper(object), "run"), hook(object)] {
            for name in found {
                let value = format!("{{{{steps.renew-check.outputs.parameters.{name}}}}}");
                assert!(arguments(&call).contains(&(name.to_owned(), value)), "{object}: {name}");
            }
        }
    }
}

#[test]
fn the_three_flows_ask_and_answer_alike() {
    let like = |object: &str| {
        let mut body = wrapper(object).body.clone();
        body["steps"][1][0]["template"] = Value::Null;
        body["steps"][1][0]["arguments"] = Value::Null;
        body
    };
    for object in FLOWS {
        assert_eq!(like(object), like(FLOWS[0]), "{object}");
    }
}

#[test]
fn a_run_that_is_not_due_is_skipped_and_a_lost_answer_is_not() {
    for object in FLOWS {
        let when = text(&step(wrapper(object), "run")["when"]).to_owned();
        let runs = |action: &str| {
            let when = when.replace("{{steps.renew-check.outputs.parameters.action}}", action);
            super::render::holds(&when, &json!({}))
        };
        let ran = ["none", "deliver", "issue", ""].map(runs);
        assert_eq!(
            ran,
            [false, true, true, true],
            "{object}: empty is refused by `order`, not passed over"
        );
    }
}

#[test]
fn what_a_flow_gives_out_is_global_and_has_a_default() {
    let wanted = ["result", "not-after", "serial", "sinks", "next-check"];
    for object in FLOWS {
        let outputs = list(&wrapper(object).body["outputs"]["parameters"]);
        assert_eq!(names(&outputs), wanted, "{object}");
        for output in outputs {
            assert_eq!(output["globalName"], output["name"], "{object}");
            assert!(output["valueFrom"]["default"].is_string(), "{object}: {output}");
        }
    }
}

#[test]
fn a_flow_says_what_it_did_from_the_run_or_else_from_the_check() {
    let check = json!({"outputs": {"parameters": {"not-after": "checked", "next-check": "then"}}});
    let run = |after: &str| {
        let parameters = json!({"action": "issue", "not-after": after, "next-check": after, "serial": "04", "sinks": "[1]"});
        json!({"status": "Succeeded", "outputs": {"parameters": parameters}})
    };
    let cases = [
        // Skipped: no outputs at all.
        (json!({"status": "Skipped"}), ["none", "checked", "", "[]", "then"]),
        (run("issued"), ["issue", "issued", "04", "[1]", "issued"]),
        // Delivered only: nothing was issued, so what the check saw holds.
        (run(""), ["issue", "checked", "04", "[1]", "then"]),
    ];
    for (run, expected) in cases {
        let steps = json!({"run": run, "renew-check": check});
        let mut context = expr::Context::default();
        context.insert("steps", super::render::json(&steps));
        let outputs = list(&wrapper(FLOWS[0]).body["outputs"]["parameters"]);
        let values = outputs.iter().map(|output| {
            let value = expr::eval(text(&output["valueFrom"]["expression"]), &context).unwrap();
            value.as_string().unwrap().to_owned()
        });
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_workflow_can_be_found_by_its_certificate() {
    for object in FLOWS {
        let spec = objects().iter().find(|one| one["metadata"]["name"] == *object).unwrap();
        let label = format!("{}/certificate", dns01_core::LABEL_PREFIX);
        let from = &spec["spec"]["workflowMetadata"]["labelsFrom"][label]["expression"];
        assert_eq!(*from, "workflow.parameters.certificate", "{object}");
    }
}

#[test]
fn locks_are_never_taken_by_a_hook_or_twice() {
    let locking: Vec<String> = super::templates()
        .iter()
        .filter(|template| !template.body["synchronization"].is_null())
        .map(|template| format!("{}/{}", template.object, template.name))
        .collect();
    let runs = [
        "dns01-certificate-certbot/flow",
        "dns01-certificate-onepod/issue",
        "dns01-certificate/flow",
    ];
    assert_eq!(locking, runs, "what `run` calls, and nothing in or after it");
}
