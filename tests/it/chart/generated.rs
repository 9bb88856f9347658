//! What in the chart is made from other files: the copy of the plain YAML, the table of values, the schema of `config`.
//!
//! `cargo xtask codegen` (or `DNS01_BLESS=1` in the environment of this test) writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Map, Value};

use super::{chart, root, values};
use crate::templates::yaml_files;

/// What is not embedded: kustomize is the other way to install, and rights are made from the values.
const LEFT_OUT: [&str; 3] = ["kustomization.yaml", "image-fields.yaml", "rbac.yaml"];

fn is_blessing() -> bool {
    env::var_os("DNS01_BLESS").is_some()
}

/// The YAML files of a folder that are embedded, by name.
fn embedded(folder: &Path) -> BTreeMap<String, String> {
    if !folder.is_dir() {
        return BTreeMap::new();
    }
    let files = yaml_files(folder).into_iter();
    files
        .map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), file))
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        .map(|(name, file)| (name, fs::read_to_string(file).unwrap()))
        .collect()
}

#[test]
fn the_copy_is_the_plain_yaml() {
    for (from, to) in [
        ("workflow-templates", "workflow-templates"),
        ("workflow-templates/cron", "cron"),
        ("workflow-templates/network-policy", "network-policy"),
        ("event-sources", "event-sources"),
    ] {
        let (plain, to) = (embedded(&root().join(from)), chart().join("files").join(to));
        if is_blessing() {
            fs::remove_dir_all(&to).ok();
            fs::create_dir_all(&to).unwrap();
            for (name, text) in &plain {
                fs::write(to.join(name), text).unwrap();
            }
        }
        assert!(
            plain == embedded(&to),
            "{} is not {from}: run `cargo xtask codegen`",
            to.display()
        );
    }
}

#[test]
fn the_readme_says_what_each_value_does() {
    let text = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let mut table = String::from("| value | default | meaning |\n|---|---|---|\n");
    for Row { path, meaning, is_branch } in rows(&text) {
        let default = values().pointer(&format!("/{}", path.replace('.', "/"))).unwrap().clone();
        let default = if is_branch { String::new() } else { format!("`{default}`") };
        let meaning = meaning.replace('|', "\\|");
        let _ = writeln!(table, "| `{path}` | {default} | {meaning} |");
    }
    hold(&chart().join("README.md"), |page| {
        let (before, rest) = page.split_once("<!-- values -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- /values -->\n").unwrap();
        format!("{before}<!-- values -->\n{table}<!-- /values -->\n{after}")
    });
}

/// A value with the comment above it.
struct Row {
    path: String,
    meaning: String,
    is_branch: bool,
}

/// The commented values, in order. Panics at one without a comment of its own or of a value above it.
fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut above, mut comment) =
        (Vec::new(), Vec::<(usize, String, bool)>::new(), Vec::new());
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some(words) = bare.strip_prefix("# ") {
            comment.push(words.to_owned());
            continue;
        }
        let Some((key, rest)) = bare.split_once(':') else {
            comment.clear();
            continue;
        };
        above.retain(|(outer, ..)| *outer < indent);
        let is_told = above.iter().any(|(.., is_told)| *is_told) || !comment.is_empty();
        let is_branch = rest.is_empty();
        above.push((indent, key.to_owned(), is_told));
        let path = above.iter().map(|(_, key, _)| key.as_str()).collect::<Vec<_>>().join(".");
        assert!(is_branch || is_told, "values.yaml does not say what {path} is");
        if !comment.is_empty() {
            rows.push(Row { path, meaning: comment.join(" "), is_branch });
            comment.clear();
        }
    }
    rows
}

#[test]
fn the_chart_has_the_version_of_everything_else() {
    let text = fs::read_to_string(chart().join("Chart.yaml")).unwrap();
    let chart: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], chart["version"]);
}

#[test]
fn the_schema_of_config_is_that_of_dns01_yaml() {
    let text = fs::read_to_string(root().join("docs/reference/dns01.schema.json")).unwrap();
    let mut own: Map<String, Value> = serde_json::from_str(&text).unwrap();
    own.remove("$schema");
    own.insert("$id".to_owned(), "dns01.yaml".into());
    hold(&chart().join("values.schema.json"), |page| {
        let mut schema: Value = serde_json::from_str(page).unwrap();
        schema["$defs"]["dns01.yaml"] = own.clone().into();
        serde_json::to_string_pretty(&sorted(schema)).unwrap() + "\n"
    });
}

/// The same with its keys in order, whatever features of the JSON crate are on.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<_, _> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            map.into_iter().collect::<Map<_, _>>().into()
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[test]
fn the_schema_knows_exactly_the_values_there_are() {
    let text = fs::read_to_string(chart().join("values.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    same_keys("", &values(), &schema, &schema);
}

fn same_keys(path: &str, values: &Value, schema: &Value, whole: &Value) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => whole.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let Some(known) = schema["properties"].as_object() else { return };
    assert_eq!(schema["additionalProperties"], false, "{path} takes what it does not know");
    let given: Vec<_> = values.as_object().unwrap().keys().collect();
    let (mut given, mut known_keys) = (given, known.keys().collect::<Vec<_>>());
    given.sort();
    known_keys.sort();
    assert_eq!(given, known_keys, "{path}");
    for (key, schema) in known {
        same_keys(&format!("{path}/{key}"), &values[key], schema, whole);
    }
}

/// Fails where `file` is not what `make` makes of it; writes it with `DNS01_BLESS`.
fn hold(file: &PathBuf, make: impl FnOnce(&str) -> String) {
    let found = fs::read_to_string(file).unwrap();
    let made = make(&found);
    if is_blessing() {
        fs::write(file, made).unwrap();
    } else {
        assert!(made == found, "{} is not up to date: run `cargo xtask codegen`", file.display());
    }
}
