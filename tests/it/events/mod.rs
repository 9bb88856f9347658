//! `event-sources/` and the pages that show more of them, against the templates that they start and the code of Argo
//! Events: what an event may say, what becomes of it, and with which rights. Asks no server but the linters.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test needs and does not get fails it"
)]

mod filters;
mod lint;
mod pods;
mod rights;
mod triggers;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::templates::{documents, list, parse, text, yaml_files};

/// What may be taken from an event: names to look up, and one TXT value.
const TAKEN: [&str; 3] = ["certificate", "fqdn", "value"];

/// A file, or a page: one way to have a certificate by an event.
#[derive(Debug)]
struct Pair {
    place: String,
    objects: Vec<Value>,
}

impl Pair {
    fn of(&self, kind: &str) -> Vec<&Value> {
        self.objects.iter().filter(|object| object["kind"] == kind).collect()
    }

    fn sensor(&self) -> &Value {
        self.of("Sensor")[0]
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn folder() -> PathBuf {
    root().join("event-sources")
}

/// Every pair that is shipped, and those of the pages.
fn pairs() -> Vec<Pair> {
    let shipped = yaml_files(&folder()).into_iter().map(|file| (file.clone(), documents(&file)));
    let pages = ["events-github", "events-gitlab", "events-redis"].map(|page| {
        let file = root().join(format!("docs/how-to/{page}.md"));
        let objects = shown(&file).iter().flat_map(|block| parse(block, page)).collect();
        (file, objects)
    });
    let all = shipped
        .chain(pages)
        .map(|(file, objects)| Pair { place: file.display().to_string(), objects });
    all.filter(|pair| !pair.of("Sensor").is_empty()).collect()
}

/// The YAML that a page shows.
fn shown(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("\n```yaml\n").skip(1);
    blocks.map(|rest| rest.split("\n```\n").next().unwrap().to_owned()).collect()
}

/// Every dependency of every Sensor.
fn dependencies() -> Vec<(String, Value)> {
    let of = |pair: &Pair| {
        let place = pair.place.clone();
        list(&pair.sensor()["spec"]["dependencies"])
            .into_iter()
            .map(move |one| (place.clone(), one))
    };
    pairs().iter().flat_map(of).collect()
}

#[test]
fn kustomize_applies_every_file() {
    for folder in [folder(), folder().join("eventbus")] {
        let kustomization = documents(&folder.join("kustomization.yaml")).remove(0);
        let listed = list(&kustomization["resources"]);
        for file in yaml_files(&folder) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let is_listed = listed.iter().any(|one| one == name) || name == "kustomization.yaml";
            assert!(is_listed, "{} is not applied", file.display());
        }
        for name in listed {
            assert!(folder.join(text(&name)).exists(), "{name} does not exist");
        }
    }
}

#[test]
fn every_way_that_is_promised_is_there_and_goes_where_it_is_applied() {
    let pairs = pairs();
    let kinds: Vec<String> = pairs
        .iter()
        .flat_map(|pair| pair.of("EventSource"))
        .map(|source| source["spec"].as_object().unwrap().keys().find(|key| *key != "template"))
        .map(|kind| kind.unwrap().clone())
        .collect();
    let wanted = ["calendar", "webhook", "resource", "webhook", "github", "gitlab", "redisStream"];
    assert_eq!(kinds, wanted);
    for object in pairs.iter().flat_map(|pair| &pair.objects) {
        assert!(object["metadata"].get("namespace").is_none(), "{}", object["metadata"]);
    }
}

#[test]
fn a_sensor_hears_events_that_its_own_source_sends() {
    for pair in pairs() {
        let sent: Vec<(Value, String)> = pair
            .of("EventSource")
            .into_iter()
            .flat_map(|source| {
                let kinds = source["spec"].as_object().unwrap().iter();
                let kinds = kinds.filter(|(kind, _)| *kind != "template");
                kinds
                    .flat_map(|(_, events)| events.as_object().unwrap().keys())
                    .map(|event| (source["metadata"]["name"].clone(), event.clone()))
            })
            .collect();
        for dependency in list(&pair.sensor()["spec"]["dependencies"]) {
            let heard =
                (dependency["eventSourceName"].clone(), text(&dependency["eventName"]).to_owned());
            assert!(sent.contains(&heard), "{}: nobody sends {heard:?}", pair.place);
        }
        let heard = list(&pair.sensor()["spec"]["dependencies"]).len();
        assert_eq!(sent.len(), heard, "{}: every event is heard", pair.place);
    }
}
