//! What the Sensors' filters let through. They are Go templates around one regular expression each, whose syntax the
//! one used here shares.

use std::collections::BTreeSet;

use super::{dependencies, list, text};

/// One data filter, taken apart.
#[derive(Debug)]
struct Filter {
    place: String,
    path: String,
    pattern: String,
    /// In bytes; none where the pattern says it.
    longest: Option<usize>,
    complaint: String,
}

impl Filter {
    fn takes(&self, value: &str) -> bool {
        let mut context = expr::Context::default();
        context.insert("value", value);
        context.insert("pattern", self.pattern.clone());
        let matches = expr::eval("value matches pattern", &context).unwrap();
        matches.as_bool() == Some(true) && self.longest.is_none_or(|most| value.len() <= most)
    }
}

/// What stands in `text` between `start` and `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}

fn filters() -> Vec<Filter> {
    let mut all = Vec::new();
    for (place, dependency) in dependencies() {
        for data in list(&dependency["filters"]["data"]) {
            let template = text(&data["template"]);
            let (condition, complaint) = template
                .strip_prefix("{{ if ")
                .and_then(|rest| rest.strip_suffix("\" }}{{ end }}"))
                .and_then(|rest| rest.split_once(" }}ok{{ else }}{{ fail \""))
                .unwrap_or_else(|| panic!("{place}: {template}"));
            assert_eq!(data["type"], "string", "{place}");
            assert_eq!(data["value"], serde_json::json!(["^ok$"]), "{place}");
            all.push(Filter {
                place: place.clone(),
                path: text(&data["path"]).to_owned(),
                pattern: between(condition, "regexMatch \"", "\" .Input").unwrap().to_owned(),
                longest: between(condition, "le (len .Input) ", ")").map(|n| n.parse().unwrap()),
                complaint: complaint.to_owned(),
            });
        }
    }
    all
}

#[test]
fn every_pattern_is_anchored_and_says_what_it_refuses() {
    for filter in filters() {
        let place = &filter.place;
        assert!(filter.pattern.starts_with('^') && filter.pattern.ends_with('$'), "{place}");
        assert!(!filter.pattern.contains('|'), "{place}: half of it would not be anchored");
        assert!(filter.complaint.starts_with(&format!("{}: ", filter.path)), "{place}");
    }
}

#[test]
fn what_is_taken_from_an_event_is_filtered_and_the_rest_is_left_behind() {
    for (place, dependency) in dependencies() {
        let filtered: BTreeSet<String> = list(&dependency["filters"]["data"])
            .iter()
            .map(|data| text(&data["path"]).to_owned())
            .collect();
        let jq = text(&dependency["transform"]["jq"]);
        let known = match &*filtered.iter().map(|path| &**path).collect::<Vec<_>>() {
            // Not as it stands: a number or a list would pass for the text that it is written as.
            ["certificate"] => {
                jq == r#"{certificate: ((.body | objects | .certificate | strings) // "no text: \(.body | tojson[:200])")}"#
                    || jq.starts_with("{certificate: (")
                        && jq.ends_with(r#" | strings // "no text: \(.)")}"#)
            }
            // Neither can be read from anything but text.
            ["fqdn", "value"] => jq == ".body | (objects // {}) | {fqdn, value}",
            other => panic!("{place}: {other:?}"),
        };
        assert!(known, "{place}: {jq}");
        for key in ["dataLogicalOperator", "exprs", "script", "time", "context"] {
            assert!(dependency["filters"].get(key).is_none(), "{place}: {key}");
        }
        assert!(dependency.get("filtersLogicalOperator").is_none(), "{place}: all must hold");
    }
}

#[test]
fn hostile_values_are_refused_by_every_filter() {
    let long = "a".repeat(300);
    let labels = format!("_acme-challenge.{}", "a.".repeat(150));
    let hostile = [
        "",
        "{{workflow.name}}",
        "{{=sprig.env('PATH')}}",
        "shop{{workflow.name}}",
        "_acme-challenge.example.org{{item}}",
        &long,
        &labels,
        r#"["shop"]"#,
        r#"{"name":"shop"}"#,
        r#"no text: ["shop"]"#,
        "null,",
        "shop\n",
        "shop\nshop",
        "_acme-challenge.example.org\n",
        "--force",
        "-shop",
        "shop-",
        "Shop",
        "shop.example.org",
        "../shop",
        "shop shop",
        "şhop",
        "$(id)",
        "_acme-challenge.",
        "_acme-challenge..org",
        "_acme-challenge.*.example.org",
        "_acme-challenge.example.org.evil test",
        "www.example.org",
        "x_acme-challenge.example.org",
    ];
    for filter in filters() {
        for value in hostile {
            assert!(!filter.takes(value), "{}: {}: {value:?}", filter.place, filter.path);
        }
    }
}

#[test]
fn what_is_meant_is_taken() {
    let (most, value) = ("a".repeat(50), "aZ09-_".repeat(7) + "x");
    let meant = [
        ("certificate", vec!["shop", "a", "1", "example-org", &most]),
        ("fqdn", vec!["_acme-challenge.example.org", "_acme-challenge.xn--bcher-kva.example."]),
        ("value", vec![&value]),
    ];
    let mut seen = BTreeSet::new();
    for filter in filters() {
        let (path, values) = meant.iter().find(|(path, _)| *path == filter.path).unwrap();
        seen.insert(*path);
        for value in values {
            assert!(filter.takes(value), "{}: {value}", filter.place);
        }
    }
    assert_eq!(seen.len(), meant.len());
}

#[test]
fn a_name_that_passes_is_one_that_a_definition_can_have() {
    let filters = filters();
    let certificate = filters.iter().find(|filter| filter.path == "certificate").unwrap();
    let (fits, too_long) = ("a".repeat(50), "a".repeat(51));
    for name in ["shop", "sh-op", "1", "-a", "a-", "A", "a.b", "", "a_b", &fits, &too_long] {
        let parsed = name.parse::<dns01_store::Name>();
        assert_eq!(certificate.takes(name), parsed.is_ok(), "{name:?}: {parsed:?}");
    }
    for filter in filters.iter().filter(|filter| filter.path == "certificate") {
        assert_eq!(filter.pattern, certificate.pattern, "{}", filter.place);
    }
}
