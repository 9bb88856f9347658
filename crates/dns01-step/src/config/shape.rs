//! Whether a document has the shape of the schema: the right keys, each once, with values of the right kind and form.
//! It says everything that doesn't, where the parser would stop at the first.

use std::collections::HashSet;

use serde_json::Value;

use super::format::misfit;
use super::refused::refused;
use super::report::Report;
use super::tree::{Node, Way};

/// Reports where `tree` departs from `schema`.
pub(super) fn hold(tree: &Node, schema: &Value, report: &mut Report<'_>) {
    let mut walk = Walk { root: schema, report, way: Way::new() };
    walk.node(tree, schema, "");
}

struct Walk<'a, 'r> {
    root: &'a Value,
    report: &'a mut Report<'r>,
    way: Way,
}

impl Walk<'_, '_> {
    /// `place` is the node's path in words: `certificates[0].name`, empty for the whole.
    fn node(&mut self, node: &Node, schema: &Value, place: &str) {
        let (object, schema) = resolved(self.root, schema);
        let fits = match (schema["type"].as_str(), node) {
            (Some("object"), Node::Map(entries)) => {
                self.map(entries, schema, object, place);
                true
            }
            (Some("array"), Node::List(elements)) => {
                self.list(elements, schema, place);
                true
            }
            (Some("boolean"), Node::Bool(_)) => true,
            (Some("integer"), Node::Number(number)) => {
                self.integer(number, schema, place);
                true
            }
            (Some("string"), Node::Text(text) | Node::Number(text)) => {
                self.text(text, schema, place);
                true
            }
            // A provider's variable may well be `true`.
            (Some("string"), Node::Bool(_)) => schema["format"].is_null(),
            (None, Node::Text(text)) => {
                self.choice(text, schema, place);
                true
            }
            _ => false,
        };
        if !fits {
            let wanted = wanted(schema);
            let said = format!("{} is {}, not {wanted}", quoted(place), node.kind());
            let hint = match (node, place) {
                (Node::Null, "") => Some("start it with `version: 1`".to_owned()),
                (Node::Null, _) => Some("give it a value, or remove the key".to_owned()),
                _ => None,
            };
            self.report.value(&self.way, said, hint);
        }
    }

    fn map(&mut self, entries: &[(String, Node)], schema: &Value, object: &str, place: &str) {
        let mut given = HashSet::new();
        for (position, (key, value)) in entries.iter().enumerate() {
            self.way.push(position);
            let below = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            let known = schema["properties"]
                .get(key)
                .or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()));
            if !given.insert(key.as_str()) {
                self.report.key(&self.way, format!("`{below}` is given twice"), None);
            } else if let Some(schema) = known {
                self.node(value, schema, &below);
            } else {
                self.unknown(key, schema, object, &below);
            }
            self.way.pop();
        }
        let required = each(&schema["required"]).filter_map(Value::as_str);
        for key in required.filter(|key| !given.contains(key)) {
            let said = format!("{} has no `{key}`", quoted(place));
            self.report.value(&self.way, said, None);
        }
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if schema["minProperties"].as_u64().is_some_and(|least| count < least)
            || schema["maxProperties"].as_u64().is_some_and(|most| count > most)
        {
            let said = format!("{} has not exactly one of {}", quoted(place), keys(schema));
            self.report.value(&self.way, said, None);
        }
    }

    fn unknown(&mut self, key: &str, schema: &Value, object: &str, below: &str) {
        if let Some(reason) = refused(object, key) {
            self.report.key(&self.way, format!("`{below}` is not supported"), Some(reason.into()));
            return;
        }
        let known = schema["properties"].as_object();
        let names = known.into_iter().flat_map(|known| known.keys().map(String::as_str));
        let hint = match nearest(key, names) {
            Some(name) => format!("write `{name}`"),
            None => format!("known here: {}", keys(schema)),
        };
        self.report.key(&self.way, format!("unknown key `{below}`"), Some(hint));
    }

    fn list(&mut self, elements: &[Node], schema: &Value, place: &str) {
        if elements.is_empty() && schema["minItems"].as_u64().is_some_and(|least| least > 0) {
            self.report.value(&self.way, format!("{} is empty", quoted(place)), None);
        }
        for (position, element) in elements.iter().enumerate() {
            self.way.push(position);
            self.node(element, &schema["items"], &format!("{place}[{position}]"));
            self.way.pop();
        }
    }

    fn integer(&mut self, number: &str, schema: &Value, place: &str) {
        let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
        let fits = number.parse::<i64>().is_ok_and(|number| {
            least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
        });
        if !fits {
            let said = format!("{} is {number}, not {}", quoted(place), wanted(schema));
            self.report.value(&self.way, said, None);
        }
    }

    fn text(&mut self, text: &str, schema: &Value, place: &str) {
        let format = schema["format"].as_str().unwrap_or_default();
        if let Some(misfit) = misfit(format, text) {
            self.report.value(&self.way, format!("{}: {misfit}", quoted(place)), None);
        }
    }

    fn choice(&mut self, text: &str, schema: &Value, place: &str) {
        if choices(schema).any(|choice| choice == text) {
            return;
        }
        let said = format!("{} is not {}", quoted(place), wanted(schema));
        let hint = nearest(text, choices(schema)).map(|choice| format!("write `{choice}`"));
        self.report.value(&self.way, said, hint);
    }
}

/// The one of `known` that was probably meant by `given`.
pub(super) fn nearest<'n>(given: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let given = given.to_ascii_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&given, &name.to_ascii_lowercase());
    let (distance, name) = known.map(|name| (distance(name), name)).min()?;
    (distance <= (name.len() / 3).max(1)).then_some(name)
}

/// What a value should have been, in words.
fn wanted(schema: &Value) -> String {
    match schema["type"].as_str() {
        Some("object") => "a map of keys".into(),
        Some("array") => "a list".into(),
        Some("boolean") => "`true` or `false`".into(),
        Some("integer") => match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) if least == most => least.to_string(),
            (Some(least), Some(most)) => format!("a number from {least} to {most}"),
            _ => "a whole number".into(),
        },
        Some(_) => "a text".into(),
        None => format!("one of {}", listed(choices(schema))),
    }
}

/// The name and the schema that `schema` stands for: itself, or what it refers to.
pub(super) fn resolved<'s>(root: &'s Value, schema: &'s Value) -> (&'s str, &'s Value) {
    match schema["$ref"].as_str().and_then(|way| way.rsplit('/').next()) {
        Some(name) => (name, &root["$defs"][name]),
        None => (schema["title"].as_str().unwrap_or_default(), schema),
    }
}

/// What an enumeration allows, each with its description.
pub(super) fn enumerated(schema: &Value) -> impl Iterator<Item = &Value> {
    each(&schema["oneOf"])
}

/// The texts that an enumeration allows.
pub(super) fn choices(schema: &Value) -> impl Iterator<Item = &str> {
    enumerated(schema).filter_map(|choice| choice["const"].as_str())
}

fn keys(schema: &Value) -> String {
    let known = schema["properties"].as_object();
    let mut names: Vec<_> =
        known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
    // The order of a JSON object depends on how serde_json was built.
    names.sort_unstable();
    listed(names.into_iter())
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn quoted(place: &str) -> String {
    if place.is_empty() { "the document".into() } else { format!("`{place}`") }
}
