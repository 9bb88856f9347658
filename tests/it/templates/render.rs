//! What Argo makes of `{{inputs.parameters.x}}` and `{{= expression }}`, small enough to be sure of.

use std::collections::BTreeMap;

use expr::{Context, Value};

/// What stands for `{{workflow.uid}}`.
pub(super) const UID: &str = "2f6e3ff0-uid";

/// Values of input parameters.
pub(super) type Given = BTreeMap<String, String>;

/// Fills in `text`; panics where Argo would refuse it, or leave it as it stands.
pub(super) fn render(text: &str, inputs: &Given) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once("{{") {
        let (tag, after) = tag.split_once("}}").unwrap_or_else(|| panic!("`{text}` is open"));
        done.push_str(before);
        done.push_str(&match tag.strip_prefix('=') {
            Some(expression) => evaluate(expression, inputs),
            None => simple(tag, inputs),
        });
        rest = after;
    }
    done + rest
}

fn simple(tag: &str, inputs: &Given) -> String {
    if tag == "workflow.uid" {
        return UID.to_owned();
    }
    let name = tag.strip_prefix("inputs.parameters.");
    let value = name.and_then(|name| inputs.get(name));
    value.unwrap_or_else(|| panic!("{{{{{tag}}}}} stands for nothing")).clone()
}

fn evaluate(expression: &str, inputs: &Given) -> String {
    let mut context = Context::default();
    context.insert("inputs", json(&serde_json::json!({ "parameters": inputs })));
    context.insert("workflow", json(&serde_json::json!({ "uid": UID })));
    let value = expr::eval(expression, &context);
    let value = value.unwrap_or_else(|error| panic!("`{expression}`: {error}"));
    value.as_string().unwrap_or_else(|| panic!("`{expression}` is no text")).to_owned()
}

/// The same value for expressions.
pub(super) fn json(value: &serde_json::Value) -> Value {
    let mut context = Context::default();
    context.insert("text", value.to_string());
    expr::eval("fromJSON(text)", &context).unwrap()
}

/// Whether `expression` holds, given `variables`.
pub(super) fn holds(expression: &str, variables: &serde_json::Value) -> bool {
    let mut context = Context::default();
    for (name, value) in variables.as_object().unwrap() {
        context.insert(name, json(value));
    }
    let value = expr::eval(expression, &context);
    value.unwrap_or_else(|error| panic!("`{expression}`: {error}")).as_bool().unwrap()
}
