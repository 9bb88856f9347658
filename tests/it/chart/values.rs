//! What is refused, what is warned about, and what to do next.

use std::fs;

use serde_json::{Value, json};

use super::{chart, everything, helm, many, names_of, refusal, render, root, three};

#[test]
#[ignore = "needs helm"]
fn the_chart_is_clean_under_strict_lint() {
    let chart = chart();
    for values in [json!({}), json!({"config": three()}), everything()] {
        let output = helm(&["lint", "--strict", chart.to_str().unwrap(), "-f", "-"], &values);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
#[ignore = "needs helm"]
fn a_misspelt_value_is_refused_and_named() {
    for (values, named) in [
        (json!({"imag": {}}), "additional properties 'imag' not allowed"),
        (json!({"image": {"tga": "1"}}), "at '/image': additional properties 'tga' not allowed"),
        (
            json!({"renewal": {"mode": "both"}}),
            "at '/renewal/mode': value must be one of 'onepod', 'dag'",
        ),
        (json!({"listener": {"enabled": true}}), "additional properties 'listener' not allowed"),
        (
            json!({"serviceAccounts": {"oder": {"create": false}}}),
            "at '/serviceAccounts': additional properties 'oder' not allowed",
        ),
        (json!({"image": {"digest": "latest"}}), "at '/image/digest'"),
        (json!({"networkPolicy": {"ports": ["https"]}}), "at '/networkPolicy/ports/0'"),
        (json!({"events": {"calendar": {"enabled": true}}}), "at '/events/calendar/certificate'"),
        (
            json!({"config": {"version": 1, "certificates": [{"name": "a", "dnsName": ["a.example.org"]}]}}),
            "at '/config/certificates/0': additional properties 'dnsName' not allowed",
        ),
    ] {
        let said = refusal(&values);
        assert!(said.contains(named), "{values}: {said}");
    }
}

#[test]
#[ignore = "needs helm"]
fn two_places_for_definitions_are_refused() {
    let said = refusal(&json!({"config": three(), "existingConfigMaps": ["a"]}));
    assert!(said.contains("config and existingConfigMaps exclude each other"), "{said}");
}

#[test]
#[ignore = "needs helm"]
fn a_configuration_that_is_no_yaml_is_refused() {
    let said = refusal(&json!({"config": "version: 1\ncertificates: ["}));
    assert!(said.contains("config is no YAML"), "{said}");
}

/// What helm tells after an install with `values`; no cluster is asked.
fn notes(values: &Value) -> String {
    let chart = chart();
    let arguments = [
        "install",
        "dns01",
        chart.to_str().unwrap(),
        "--namespace",
        "certs",
        "--dry-run=client",
        "-f",
        "-",
    ];
    let output = helm(&arguments, values);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_once("\nNOTES:\n").unwrap().1.to_owned()
}

#[test]
#[ignore = "needs helm"]
fn the_notes_have_the_next_commands_for_these_values() {
    let said = notes(
        &json!({"config": three(), "argo": {"instanceID": "blue"}, "fullnameOverride": "acme"}),
    );
    for command in [
        "kubectl -n certs create secret generic cf-token --from-env-file=cf-token.env",
        "argo submit -n certs --instanceid blue --from workflowtemplate/acme-certificate -p certificate=shop --watch",
        "kubectl get secrets --all-namespaces -l dns01.dev/certificate=shop",
    ] {
        assert!(said.contains(command), "{command}: {said}");
    }
    assert!(said.contains("to mail, web, where no Role is made"), "{said}");

    let said = notes(&json!({}));
    assert!(said.contains("--set-file config=dns01.yaml"), "{said}");
    assert!(!said.contains("may read and write every Secret"), "{said}");
}

#[test]
#[ignore = "needs helm"]
fn the_notes_say_what_is_traded() {
    let said = notes(&json!({"config": many(501), "renewal": {"enabled": true}}));
    assert!(said.contains("501 certificates are too many to list in Roles"), "{said}");
    assert!(
        said.contains("that pod holds DNS credentials, account and private key at once"),
        "{said}"
    );
    let said =
        notes(&json!({"existingConfigMaps": ["a"], "renewal": {"enabled": true, "mode": "dag"}}));
    assert!(said.contains("`existingConfigMaps` are not known here"), "{said}");
    assert!(said.contains("none holds DNS credentials and private key at once"), "{said}");
}

#[test]
#[ignore = "needs helm"]
fn a_cluster_without_argo_is_warned_about_and_not_refused() {
    let said = notes(&json!({"events": {"enabled": true}}));
    for kind in ["WorkflowTemplate", "EventSource", "Sensor", "EventBus"] {
        assert!(said.contains(&format!("does not know the kind {kind}")), "{kind}: {said}");
    }
}

#[test]
#[ignore = "needs helm"]
fn the_application_of_the_page_about_argo_cd_gives_values_that_are_taken() {
    let page = fs::read_to_string(root().join("docs/how-to/argo-cd.md")).unwrap();
    let yaml = page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let application: Value = serde_yaml::from_str(yaml).unwrap();
    let rendered = render(&application["spec"]["source"]["helm"]["valuesObject"]);
    assert!(names_of(&rendered, "CronWorkflow").contains("dns01-renew-fleet"));
    let shells = names_of(&rendered, "ConfigMap");
    assert!(shells.contains("dns01-shop") && shells.contains("dns01-example-org"));
}
