//! `workflow-templates/` against the binaries' own flags, outputs and exit codes, and against what Argo is known to do
//! with such templates. Asks no server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test needs and does not get fails it"
)]

mod accounts;
mod argv;
mod flow;
mod leaf;
mod parameters;
mod render;
mod retry;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use dns01_step::Entry;
use serde::Deserialize as _;
use serde_json::Value;

/// The one image; the version is the workspace's.
const IMAGE: &str = concat!("ghcr.io/dns01/dns01:", env!("CARGO_PKG_VERSION"));
/// Where the steps leave their output parameters.
const OUTPUTS: &str = "/run/dns01/outputs";
/// The templates that run a whole flow.
const FLOWS: [&str; 3] =
    ["dns01-certificate", "dns01-certificate-onepod", "dns01-certificate-certbot"];

/// One template of a WorkflowTemplate.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The WorkflowTemplate's name.
    object: String,
    name: String,
    pub(crate) body: Value,
}

/// A template that runs a pod of ours.
#[derive(Debug)]
struct Leaf {
    template: &'static Template,
    step: &'static Entry,
    /// What the step gets, before Argo fills it in.
    args: Vec<String>,
}

impl Template {
    fn inputs(&self) -> Vec<Value> {
        list(&self.body["inputs"]["parameters"])
    }

    /// Whether a caller may leave the parameter out.
    fn is_optional(parameter: &Value) -> bool {
        parameter.get("value").or(parameter.get("default")).is_some()
    }

    /// The text of everything but the declaration of its inputs.
    fn text(&self) -> String {
        let mut body = self.body.clone();
        body.as_object_mut().unwrap().remove("inputs");
        body.to_string()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("workflow-templates")
}

/// Every YAML document of a file, anchors resolved.
pub(super) fn documents(file: &Path) -> Vec<Value> {
    parse(&fs::read_to_string(file).unwrap(), &file.display().to_string())
}

/// Every YAML document of a text that lies at `place`.
pub(super) fn parse(text: &str, place: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap_or_else(|e| panic!("{place}: {e}")))
        .collect()
}

pub(super) fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    files
}

/// The WorkflowTemplate objects, read once for all tests.
pub(super) fn objects() -> &'static [Value] {
    static OBJECTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let all = yaml_files(&folder()).into_iter().flat_map(|file| documents(&file));
        all.filter(|object| object["kind"] == "WorkflowTemplate").collect()
    });
    &OBJECTS
}

fn templates() -> &'static [Template] {
    static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
        let of = |object: &'static Value| {
            list(&object["spec"]["templates"]).into_iter().map(|body| Template {
                object: text(&object["metadata"]["name"]).to_owned(),
                name: text(&body["name"]).to_owned(),
                body,
            })
        };
        objects().iter().flat_map(of).collect()
    });
    &TEMPLATES
}

pub(crate) fn template(object: &str, name: &str) -> &'static Template {
    templates()
        .iter()
        .find(|template| template.object == object && template.name == name)
        .unwrap_or_else(|| panic!("no template {object}/{name}"))
}

/// Every template that runs a container, with the step that its command names.
fn leaves() -> Vec<Leaf> {
    let all = templates().iter().filter(|template| template.body["container"].is_object());
    all.map(|template| {
        let container = &template.body["container"];
        let mut words: Vec<String> = list(&container["command"])
            .iter()
            .chain(&list(&container["args"]))
            .map(|word| text(word).to_owned())
            .collect();
        if words[0].ends_with("/dns01") {
            words.remove(0);
        }
        let name = words.remove(0);
        let name = name.trim_start_matches('/');
        let step = dns01::STEPS
            .iter()
            .chain(dns01::COMMANDS)
            .find(|step| step.name == name)
            .unwrap_or_else(|| panic!("{} runs `{name}`, which is no step", template.object));
        Leaf { template, step, args: words }
    })
    .collect()
}

pub(super) fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

pub(super) fn names(parameters: &[Value]) -> Vec<String> {
    parameters.iter().map(|parameter| text(&parameter["name"]).to_owned()).collect()
}

#[test]
fn every_step_has_a_template_of_its_own() {
    for step in dns01::STEPS {
        let object = format!("dns01-{}", step.name);
        let own = template(&object, step.name);
        assert_eq!(
            own.body["container"]["command"],
            serde_json::json!([format!("/{}", step.name)])
        );
        let object = objects().iter().find(|other| other["metadata"]["name"] == *object);
        assert_eq!(object.unwrap()["spec"]["entrypoint"], *step.name, "submittable by name");
    }
    assert_eq!(leaves().len(), dns01::STEPS.len() + 2, "and `dns01 issue`, and certbot's image");
}

#[test]
fn every_object_says_what_it_is_and_of_which_version() {
    for object in objects() {
        let (metadata, name) = (&object["metadata"], &object["metadata"]["name"]);
        assert_eq!(metadata["labels"]["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"));
        for key in ["title", "description", "version"] {
            let said = &metadata["annotations"][format!("workflows.argoproj.io/{key}")];
            assert!(said.as_str().is_some_and(|said| !said.is_empty()), "{name}: {key}");
        }
        assert!(metadata.get("namespace").is_none(), "{name}: goes where it is applied");
    }
}

#[test]
fn kustomize_applies_every_file() {
    let plain = ["rbac", "cron"].map(|name| (folder().join(name), vec![]));
    for (folder, known) in plain.into_iter().chain([(folder(), vec!["image-fields.yaml"])]) {
        let listed = documents(&folder.join("kustomization.yaml")).remove(0);
        let listed: Vec<String> =
            list(&listed["resources"]).iter().map(|file| text(file).to_owned()).collect();
        for file in yaml_files(&folder) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let is_listed =
                listed.contains(&name) || name == "kustomization.yaml" || known.contains(&&*name);
            assert!(is_listed, "{} is not applied", file.display());
        }
        for name in listed {
            assert!(folder.join(&name).exists(), "{name} does not exist");
        }
    }
}
