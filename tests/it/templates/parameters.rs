//! How parameters are declared: for people, for the form in the UI, and so that no secret can be one.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Template, leaves, list, names, objects, templates, text};

/// What the UI shows instead of a node's own name.
const DISPLAY_NAME: &str = "workflows.argoproj.io/display-name";

#[test]
fn every_parameter_says_what_it_is() {
    for template in templates() {
        for parameter in template.inputs() {
            let about = parameter["description"].as_str().unwrap_or_default();
            let at = format!("{}/{}: {}", template.object, template.name, parameter["name"]);
            assert!(about.ends_with('.') || about.ends_with(')'), "{at}: {about:?}");
            // It is substituted too, whoever wrote it.
            assert!(!about.contains("{{"), "{at}");
        }
    }
}

#[test]
fn what_is_required_comes_first() {
    for template in templates() {
        let optional: Vec<bool> = template.inputs().iter().map(Template::is_optional).collect();
        assert!(optional.is_sorted(), "{}/{}", template.object, template.name);
    }
}

#[test]
fn a_default_is_one_of_the_choices() {
    for template in templates() {
        for parameter in template.inputs() {
            let default = parameter.get("value").or(parameter.get("default"));
            let choices = list(&parameter["enum"]);
            if let (Some(default), false) = (default, choices.is_empty()) {
                assert!(choices.contains(default), "{}: {parameter}", template.object);
            }
            let is_boolean = default.is_some_and(|default| *default == "false");
            assert_eq!(is_boolean, choices == [json!("false"), json!("true")], "{parameter}");
        }
    }
}

#[test]
fn what_is_submitted_is_what_the_entrypoint_takes() {
    for object in objects() {
        let (name, spec) = (text(&object["metadata"]["name"]), &object["spec"]);
        let entrypoint = super::template(name, text(&spec["entrypoint"]));
        assert_eq!(list(&spec["arguments"]["parameters"]), entrypoint.inputs(), "{name}");
        // Argo refuses a workflow whose arguments lack a value, so this is what it asks for.
        for parameter in entrypoint.inputs() {
            assert!(parameter.get("default").is_none(), "{name}: arguments know only `value`");
        }
    }
}

#[test]
fn no_parameter_and_no_variable_can_hold_a_secret() {
    let secret =
        ["password", "passphrase", "token", "hmac", "api-key", "private-key", "pem", "tsig"];
    for template in templates() {
        for name in names(&template.inputs()) {
            assert!(!secret.iter().any(|word| name.contains(word)), "{}: {name}", template.object);
        }
    }
    for leaf in leaves() {
        let body = &leaf.template.body;
        let variables: BTreeSet<String> = list(&body["container"]["env"])
            .iter()
            .map(|variable| format!("{}={}", text(&variable["name"]), text(&variable["value"])))
            .collect();
        assert_eq!(variables, BTreeSet::from(["DNS01_LOG_FORMAT=json".to_owned()]));
        assert!(body["container"]["envFrom"].is_null(), "{}", leaf.template.object);
    }
}

#[test]
fn only_names_of_our_own_are_parameters() {
    for template in templates() {
        for name in names(&template.inputs()) {
            let is_kebab =
                name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(is_kebab, "{}: {name}", template.object);
        }
    }
}

#[test]
fn only_a_fan_out_shows_another_name_and_that_is_the_certificates() {
    for template in templates() {
        let (object, shown) = (&template.object, &template.body["annotations"][DISPLAY_NAME]);
        // A renamed step's status is not found by the hook's expression, and a renamed hook is none.
        if template.name != "renewal" {
            assert!(!template.body.to_string().contains("display-name"), "{object}");
            continue;
        }
        let shown = |certificate: &str| {
            let given = [("certificate".to_owned(), certificate.to_owned())].into();
            super::render::render(text(shown), &given)
        };
        // Of one letter Argo takes none.
        assert_eq!((shown("shop"), shown("a")), ("shop".into(), "certificate-a".into()));
    }
}
