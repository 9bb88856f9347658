//! One Workflow, watched.

use super::platform::Platform;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// A Workflow that was started.
pub(crate) struct Workflow<'a> {
    platform: &'a Platform,
    pub(crate) name: String,
}

/// A Workflow that has ended.
pub(crate) struct Ended {
    pub(crate) object: Value,
}

impl<'a> Workflow<'a> {
    /// Creates a Workflow of a WorkflowTemplate.
    pub(crate) fn submit(
        platform: &'a Platform,
        template: &str,
        parameters: &[(&str, &str)],
    ) -> Self {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        Self::create(
            platform,
            &json!({"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}}),
        )
    }

    /// Creates a Workflow with this spec.
    pub(crate) fn create(platform: &'a Platform, spec: &Value) -> Self {
        let name = format!("run-{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
        platform.apply(&json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name}, "spec": spec,
        }));
        Self { platform, name }
    }

    /// One that something else has created.
    pub(crate) fn existing(platform: &'a Platform, name: &str) -> Self {
        Self { platform, name: name.to_owned() }
    }

    /// Waits until `done` says true of it.
    #[track_caller]
    pub(crate) fn until(&self, done: impl FnMut(&Value) -> bool) -> Value {
        let what = format!("workflow/{}", self.name);
        self.platform.cluster.kubectl().until(Some(&self.platform.namespace), &what, done)
    }

    /// Waits until a node of this template is in this phase.
    #[track_caller]
    pub(crate) fn until_node(&self, template: &str, phase: &str) -> Value {
        let found = |object: &Value| {
            pods(object).find(|node| is_of(node, template) && node["phase"] == phase).cloned()
        };
        let object = self.until(|object| found(object).is_some());
        found(&object).unwrap()
    }

    /// The pod of the node of this template that runs now.
    #[track_caller]
    pub(crate) fn running_pod(&self, template: &str) -> Value {
        let node = self.until_node(template, "Running");
        let pod = self.pods_of(&node).next();
        pod.unwrap_or_else(|| panic!("no pod for {node:#}"))
    }

    /// Waits until this template runs in another pod than `pod`, which was deleted; what Argo says of the try that was lost.
    #[track_caller]
    pub(crate) fn until_another_pod(&self, template: &str, pod: &Value) -> Option<String> {
        let another = |found: Value| {
            found["metadata"]["uid"] != pod["metadata"]["uid"]
                && found["status"]["phase"] == "Running"
        };
        let object = self.until(|object| {
            pods(object)
                .filter(|node| is_of(node, template) && node["phase"] == "Running")
                .any(|node| self.pods_of(node).any(another))
        });
        let failed = |node: &&Value| node["phase"] == "Failed" || node["phase"] == "Error";
        let lost = pods(&object).find(|node| is_of(node, template) && failed(node))?;
        lost["message"].as_str().map(ToOwned::to_owned)
    }

    fn pods_of(&self, node: &Value) -> impl Iterator<Item = Value> {
        let selector = format!("workflows.argoproj.io/workflow={}", self.name);
        let pods =
            self.platform.cluster.kubectl().list(&self.platform.namespace, "pods", &selector);
        pods.into_iter().filter(|pod| {
            pod["metadata"]["annotations"]["workflows.argoproj.io/node-id"] == node["id"]
        })
    }

    /// Waits until a pod has ended; the termination message of its step.
    #[track_caller]
    pub(crate) fn last_words(&self, pod: &str) -> String {
        let what = format!("pod/{pod}");
        let kubectl = self.platform.cluster.kubectl();
        let pod = kubectl.until(Some(&self.platform.namespace), &what, |pod| {
            matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
        });
        let containers = pod["status"]["containerStatuses"].as_array().unwrap();
        let main = containers.iter().find(|container| container["name"] == "main").unwrap();
        main["state"]["terminated"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// `argo stop` and `argo terminate`: `Stop` or `Terminate`.
    pub(crate) fn shutdown(&self, how: &str) {
        let patch = json!({"spec": {"shutdown": how}}).to_string();
        self.platform.kubectl(&["patch", "workflow", &self.name, "--type=merge", "-p", &patch]);
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn ended(&self) -> Ended {
        let object = self.until(|object| {
            matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Error"))
        });
        Ended { object }
    }
}

impl Ended {
    /// `Succeeded`, `Failed` or `Error`.
    pub(crate) fn phase(&self) -> &str {
        self.object["status"]["phase"].as_str().unwrap()
    }

    /// Asserts that it succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.phase(), "Succeeded", "{}", self.table());
        self
    }

    /// The phase and message of the node called `name` (as its task or step is), the last try's if there were several.
    #[track_caller]
    pub(crate) fn node(&self, name: &str) -> (String, String) {
        let nodes = self.object["status"]["nodes"].as_object().unwrap();
        let last = nodes
            .values()
            .filter(|node| node["type"] != "StepGroup")
            .filter(|node| task(node) == name)
            // Of a try and what surrounds all tries, the try: it has what the step said.
            .max_by_key(|node| {
                (node["startedAt"].as_str().map(ToOwned::to_owned), node["type"] == "Pod")
            })
            .unwrap_or_else(|| panic!("no node {name}:\n{}", self.table()));
        let text = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
        (text("phase"), text("message"))
    }

    /// A global output parameter.
    pub(crate) fn output(&self, name: &str) -> Option<&str> {
        let outputs = self.object["status"]["outputs"]["parameters"].as_array()?;
        outputs.iter().find(|output| output["name"] == name)?["value"].as_str()
    }

    /// How many pods it took.
    pub(crate) fn pods(&self) -> usize {
        pods(&self.object)
            .filter(|node| node["phase"] != "Omitted" && node["phase"] != "Skipped")
            .count()
    }

    /// Every node with its phase and message, for people.
    pub(crate) fn table(&self) -> String {
        let nodes =
            self.object["status"]["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
        let mut lines: Vec<_> = nodes
            .map(|node| {
                let text = |key: &str| node[key].as_str().unwrap_or_default();
                format!(
                    "{} {:<10} {:<10} {} {}",
                    text("startedAt"),
                    text("type"),
                    text("phase"),
                    text("name"),
                    text("message")
                )
            })
            .collect();
        lines.sort();
        format!("{}\n{}", self.object["status"]["message"], lines.join("\n"))
    }
}

fn pods(object: &Value) -> impl Iterator<Item = &Value> {
    let nodes = object["status"]["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
    nodes.filter(|node| node["type"] == "Pod")
}

fn is_of(node: &Value, template: &str) -> bool {
    node["templateName"] == template || node["templateRef"]["template"] == template
}

/// The task or step that a node is: the last part of its full name, without the number of a retry.
fn task(node: &Value) -> &str {
    let name = node["name"].as_str().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or(name);
    last.split('(').next().unwrap_or(last)
}
