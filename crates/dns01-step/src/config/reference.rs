//! The reference page of `dns01.yaml`, written from its schema.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::schema;
use super::shape::{choices, enumerated, resolved};

/// The smallest useful document.
pub(super) const MINIMAL: &str = include_str!("examples/minimal.yaml");
/// A document with nearly everything.
pub(super) const FULL: &str = include_str!("examples/full.yaml");

const HEAD: &str = "| key | type | default | meaning |\n|---|---|---|---|\n";

/// The page `docs/reference/configuration.md`.
pub fn reference() -> String {
    let mut page = format!(
        "# Configuration\n\n\
         <!-- Written from the types of crates/dns01-step/src/config; `DNS01_BLESS=1 cargo test -p dns01-step` rewrites it. -->\n\n\
         One document, `dns01.yaml`, on a host and in a ConfigMap. It is looked for at `--config`, at `DNS01_CONFIG`, \
         then at `./dns01.yaml` and `/etc/dns01/dns01.yaml`. Names equal cert-manager's where the meaning is equal; \
         durations are written as in Go (`720h`, `1h30m`, `90s`). It holds paths and names of secrets, never secrets. \
         A document has at most 256 KiB; several may lie side by side, each complete in itself. Unknown keys are \
         errors. Editors can check it with [dns01.schema.json](dns01.schema.json).\n\n\
         The smallest useful one:\n\n```yaml\n{MINIMAL}```\n\nOne with nearly everything:\n\n```yaml\n{FULL}```\n"
    );
    let mut sections = vec![(String::new(), schema())];
    let mut places: BTreeMap<&str, String> = BTreeMap::new();
    let mut next = 0;
    while let Some((place, object)) = sections.get(next).cloned() {
        let title = if place.is_empty() { "The document".into() } else { format!("`{place}`") };
        let about = object["description"].as_str().unwrap_or_default();
        let _ = write!(page, "\n## {title}\n\n{about}\n\n{HEAD}");
        let mut below = Vec::new();
        for (key, value) in ordered(object) {
            let place = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
            if let Some((place, name, object)) = inner(value, place)
                && !places.contains_key(name)
            {
                places.insert(name, place.clone());
                below.push((place, object));
            }
            let _ = writeln!(page, "{}", row(object, key, value, &places));
        }
        next += 1;
        sections.splice(next..next, below);
    }
    page
}

/// The keys of an object, those that must be given first.
fn ordered(object: &Value) -> Vec<(&str, &Value)> {
    let properties = object["properties"].as_object().into_iter().flatten();
    let mut keys: Vec<_> = properties.map(|(key, value)| (key.as_str(), value)).collect();
    keys.sort_by_key(|(key, _)| (!is_required(object, key), *key));
    keys
}

fn is_required(object: &Value, key: &str) -> bool {
    object["required"].as_array().is_some_and(|required| required.iter().any(|it| it == key))
}

fn row(object: &Value, key: &str, value: &Value, places: &BTreeMap<&str, String>) -> String {
    let default = match &value["default"] {
        _ if is_required(object, key) => "required".into(),
        Value::String(text) => format!("`{text}`"),
        Value::Bool(truth) => format!("`{truth}`"),
        _ => String::new(),
    };
    let mut meaning = value["description"].as_str().unwrap_or_default().to_owned();
    for choice in enumerated(resolved(schema(), value_of(value)).1) {
        let text = choice["const"].as_str().unwrap_or_default();
        let about = choice["description"].as_str().unwrap_or_default();
        let _ = write!(meaning, " `{text}`: {}{}", about[..1].to_lowercase(), &about[1..]);
    }
    let mut kind = kind(value);
    if let Some(place) = places.get(resolved(schema(), value_of(value)).0) {
        kind = kind.replace("object", &format!("[object](#{})", anchor(place)));
    }
    format!("| `{key}` | {kind} | {default} | {meaning} |")
}

/// How a heading is linked to.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// What a value holds in the end: the elements of a list, the values of a map, else itself.
fn value_of(value: &Value) -> &Value {
    match value["type"].as_str() {
        Some("array") => &value["items"],
        Some("object") => &value["additionalProperties"],
        _ => value,
    }
}

/// The object that a value holds in the end, with its place and its name in the schema.
fn inner(value: &Value, place: String) -> Option<(String, &str, &Value)> {
    let (name, object) = resolved(schema(), value_of(value));
    object["properties"].as_object()?;
    let suffix = match value["type"].as_str() {
        Some("array") => "[]",
        Some("object") => ".<name>",
        _ => "",
    };
    Some((place + suffix, name, object))
}

fn kind(value: &Value) -> String {
    let (_, object) = resolved(schema(), value);
    match object["type"].as_str() {
        Some("array") => format!("list of {}", kind(&object["items"])),
        Some("object") if object["properties"].is_object() => "object".into(),
        Some("object") => format!("map to {}", kind(&object["additionalProperties"])),
        Some("string") => match object["format"].as_str() {
            Some("dns-name") => "DNS name".into(),
            Some("dns-zone") => "zone".into(),
            Some("go-duration") => "duration".into(),
            Some("file-mode") => "octal mode".into(),
            _ => "text".into(),
        },
        Some("integer") => match (object["minimum"].as_i64(), object["maximum"].as_i64()) {
            (Some(least), Some(most)) if least == most => format!("{least}"),
            (Some(least), Some(most)) => format!("number, {least} to {most}"),
            _ => "number".into(),
        },
        Some(other) => other.into(),
        None => choices(object).map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// With its keys in the order of the alphabet, whether or not a feature of `serde_json` keeps theirs.
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(sorted).collect(),
            Value::Object(object) => {
                let keys: BTreeMap<_, _> = object.iter().collect();
                keys.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
            }
            other => other.clone(),
        }
    }

    #[test]
    fn the_reference_says_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
        let schema = serde_json::to_string_pretty(&sorted(schema())).unwrap() + "\n";
        for (name, made) in [("configuration.md", reference()), ("dns01.schema.json", schema)] {
            let file = folder.join(name);
            if std::env::var_os("DNS01_BLESS").is_some() {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&file, &made).unwrap();
            }
            let kept = fs::read_to_string(&file).unwrap_or_default();
            assert!(kept == made, "{name} is out of date: DNS01_BLESS=1 cargo test -p dns01-step");
        }
    }
}
