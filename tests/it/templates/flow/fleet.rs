//! The fleet: which modes there are, that one failure stops nobody else, and that the last word is the report's.

use serde_json::{Value, json};

use super::super::{documents, folder, list, names, objects, template, text};
use super::{arguments, hook, step, wrapper};

const FLEET: &str = "dns01-renew-fleet";
const FAN_OUTS: [&str; 2] = ["renew", "renew-dag"];

fn entry() -> &'static super::super::Template {
    template(FLEET, "renew-fleet")
}

#[test]
fn the_fleet_is_checked_then_renewed_then_reported_on() {
    let groups = list(&entry().body["steps"]);
    let names: Vec<Vec<String>> = groups.iter().map(|group| names(&list(group))).collect();
    assert_eq!(names, [vec!["renew-check"], FAN_OUTS.to_vec(), vec!["report"]]);
}

#[test]
fn a_certificate_that_fails_stops_no_other_and_the_report_fails_for_it() {
    for name in FAN_OUTS {
        let step = step(entry(), name);
        assert_eq!(step["continueOn"], json!({"failed": true, "error": true}), "{name}");
        let due = "{{steps.renew-check.outputs.parameters.due}}";
        assert_eq!(step["withParam"], due, "{name}");
    }
    for name in ["renew-check", "report"] {
        let step = step(entry(), name);
        assert!(step["continueOn"].is_null() && step["when"].is_null(), "{name}");
        let check = json!({"name": "dns01-renew-check", "template": "renew-check"});
        assert_eq!(step["templateRef"], check, "{name}");
    }
    let report = arguments(&step(entry(), "report"));
    let due = "{{steps.renew-check.outputs.parameters.due}}".to_owned();
    assert!(report.contains(&("report".to_owned(), due)));
    assert!(entry().body["failFast"].is_null());
}

#[test]
fn every_mode_runs_one_of_the_two_and_never_both() {
    let parameter = entry().inputs().into_iter().find(|one| one["name"] == "mode").unwrap();
    let modes: Vec<String> =
        list(&parameter["enum"]).iter().map(|mode| text(mode).to_owned()).collect();
    assert_eq!(
        (modes.as_slice(), &parameter["value"]),
        (&["onepod".to_owned(), "dag".to_owned()][..], &json!("onepod"))
    );
    for mode in &modes {
        let runs = FAN_OUTS.map(|name| {
            let when =
                text(&step(entry(), name)["when"]).replace("{{inputs.parameters.mode}}", mode);
            super::super::render::holds(&when, &json!({}))
        });
        assert_eq!(runs, [mode == "onepod", mode == "dag"], "{mode}");
    }
}

#[test]
fn each_mode_runs_what_a_person_would_submit() {
    let run = step(template(FLEET, "renewal"), "run");
    assert_eq!(
        run["templateRef"],
        json!({"name": "dns01-certificate-onepod", "template": "issue"})
    );
    let own = step(wrapper("dns01-certificate-onepod"), "run");
    assert_eq!(own["template"], "issue", "the same pod");
    let dag = step(entry(), "renew-dag");
    let entrypoint = objects().iter().find(|one| one["metadata"]["name"] == "dns01-certificate");
    assert_eq!(dag["templateRef"]["template"], entrypoint.unwrap()["spec"]["entrypoint"]);
}

#[test]
fn an_item_is_read_by_the_keys_that_the_check_writes() {
    let written = ["certificate", "provider", "credentials-secret", "definitions"];
    let about = dns01::STEPS.iter().find(|step| step.name == "renew-check").unwrap().outputs();
    let about = about.iter().find(|output| output.name == "due").unwrap().about;
    assert!(about.ends_with(&written.join(", ")), "{about}");
    for name in FAN_OUTS {
        let step = step(entry(), name).to_string();
        for tag in step.split("{{item.").skip(1) {
            assert!(written.contains(&tag.split("}}").next().unwrap()), "{name}: {tag}");
        }
        // Nothing else may be read of it: neither the whole item, nor by an expression.
        assert!(!step.contains("{{item}}") && !step.contains("{{="), "{name}");
    }
}

#[test]
fn what_a_pod_of_the_fleet_left_is_cleaned_up_as_elsewhere() {
    // The hook is the composites' own, but for where the certificate's facts come from.
    let as_input = |value: &Value| {
        value.to_string().replace("steps.renew-check.outputs.parameters.", "inputs.parameters.")
    };
    let own = step(template(FLEET, "renewal"), "run")["hooks"]["exit"].clone();
    assert_eq!(own.to_string(), as_input(&hook("dns01-certificate-onepod")));
    // In a fan-out itself no expression finds the status of one item, so that a hook there would run for each.
    for name in FAN_OUTS {
        assert!(step(entry(), name)["hooks"].is_null(), "{name}");
    }
}

#[test]
fn a_few_at_a_time_and_the_whole_comes_to_an_end_before_the_next_one() {
    assert!((1..=20).contains(&entry().body["parallelism"].as_i64().unwrap()));
    let object = objects().iter().find(|one| one["metadata"]["name"] == FLEET).unwrap();
    // Twice a day.
    assert!(object["spec"]["activeDeadlineSeconds"].as_i64().unwrap() < 12 * 3600);
    assert!(object["spec"]["ttlStrategy"]["secondsAfterFailure"].is_i64());
}

#[test]
fn the_report_is_a_global_output() {
    let outputs = list(&entry().body["outputs"]["parameters"]);
    assert_eq!(names(&outputs), ["report"]);
    assert_eq!(outputs[0]["globalName"], "report");
    assert!(outputs[0]["valueFrom"]["default"].is_string());
}

#[test]
fn the_schedule_is_kind_to_the_ca_and_never_runs_two_at_once() {
    let cron = documents(&folder().join("cron").join(format!("{FLEET}.yaml"))).remove(0);
    assert_eq!((&cron["kind"], &cron["metadata"]["name"]), (&json!("CronWorkflow"), &json!(FLEET)));
    let spec = &cron["spec"];
    // Replace would terminate the running one, and then nothing cleans up.
    assert_eq!(
        (&spec["concurrencyPolicy"], &spec["timezone"]),
        (&json!("Forbid"), &json!("Etc/UTC"))
    );
    for schedule in list(&spec["schedules"]) {
        let minute = text(&schedule).split(' ').next().unwrap().parse::<u32>().unwrap();
        assert!(minute % 5 != 0, "{schedule}: when everybody else asks");
    }
    for key in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        assert!(spec[key].as_i64().is_some_and(|limit| limit > 0), "{key}");
    }
    // All else is the template's, so that a submitted run is a scheduled run.
    assert_eq!(spec["workflowSpec"], json!({"workflowTemplateRef": {"name": FLEET}}));
    // Its name and eleven digits are a Workflow's.
    assert!(FLEET.len() <= 52);
    let metadata = &cron["metadata"];
    assert_eq!(metadata["labels"]["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"));
    for key in ["title", "description", "version"] {
        assert!(
            metadata["annotations"][format!("workflows.argoproj.io/{key}")].is_string(),
            "{key}"
        );
    }
}
