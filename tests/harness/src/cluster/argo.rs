//! Argo Workflows: its full resource definitions and its controller, a process on the node.
//!
//! `DNS01_E2E_ARGO=3.7` takes the older release of the longer tests instead.

use super::image::manifests;
use super::{ARGO, Cluster, Kubectl, restricted_namespace};
use crate::lab::Lab;
use crate::server::Server;
use crate::tools::tool;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The controller's log, in the cluster's folder.
pub(super) const LOG: &str = "workflow-controller.log";

/// The release of Argo Workflows under test.
pub(super) struct Release {
    /// What the names of its programs end with.
    suffix: &'static str,
    /// The name of its executor's image.
    pub(super) executor: &'static str,
}

impl Release {
    /// The one that this run is for.
    pub(super) fn chosen() -> Self {
        match std::env::var("DNS01_E2E_ARGO").as_deref() {
            Err(_) | Ok("4.0") => Self { suffix: "", executor: "quay.io/argoproj/argoexec:v4.0.7" },
            Ok("3.7") => Self { suffix: "-3.7", executor: "quay.io/argoproj/argoexec:v3.7.14" },
            Ok(other) => panic!("DNS01_E2E_ARGO={other}: 4.0 or 3.7"),
        }
    }

    /// One of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        tool(&format!("{name}{}", self.suffix))
    }
}

/// Installs the definitions and starts the controller, for all namespaces.
pub(super) fn start(kubectl: &Kubectl, folder: &Path) -> Server {
    let release = Release::chosen();
    let definitions =
        manifests(&format!("argo-workflows{}", release.suffix)).join("base/crds/full");
    kubectl.apply_kustomization(None, &definitions);
    // The controller gives up when they aren't served yet.
    kubectl.run(&["wait", "--for=condition=Established", "customresourcedefinition", "--all"]);
    kubectl.apply(None, &restricted_namespace(ARGO).to_string());
    // Nothing is set here that our templates need: they bring their own security contexts.
    let mut command = controller(kubectl, ARGO, &json!({}));
    command.current_dir(folder);
    let log = folder.join(LOG);
    let mut controller = Server::start("workflow-controller", command, &log, &[]);
    controller.wait_ready(|| TcpStream::connect(("127.0.0.1", 6060)).is_ok());
    until_it_sees_templates(kubectl);
    controller
}

/// Waits until the controller follows templates as well as Workflows. It watches each kind by itself: on a server that
/// has just begun to serve them, a Workflow can reach it seconds before the template that it was made of, and fails.
fn until_it_sees_templates(kubectl: &Kubectl) {
    let of = |kind: &str, name: &str, spec: Value| {
        let metadata = json!({"name": name});
        let version = "argoproj.io/v1alpha1";
        json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}).to_string()
    };
    // Ends without a pod.
    let never = json!([[{"name": "never", "template": "wait", "when": "false"}]]);
    let templates = json!([{"name": "main", "steps": never}, {"name": "wait", "suspend": {}}]);
    let spec = json!({"entrypoint": "main", "templates": templates});
    kubectl.apply(Some(ARGO), &of("WorkflowTemplate", "seen", spec));
    let seen = (0..20).any(|number| {
        let name = format!("seen-{number}");
        let spec = json!({"workflowTemplateRef": {"name": "seen"}});
        kubectl.apply(Some(ARGO), &of("Workflow", &name, spec));
        let ended = kubectl.until(Some(ARGO), &format!("workflow/{name}"), |workflow| {
            matches!(workflow["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Error"))
        });
        ended["status"]["phase"] == "Succeeded"
    });
    assert!(seen, "the workflow controller does not see the templates of its namespace");
    kubectl.run(&["-n", ARGO, "delete", "workflows,workflowtemplates", "--all"]);
}

/// A controller with this ConfigMap, in this namespace.
fn controller(kubectl: &Kubectl, namespace: &str, data: &Value) -> Command {
    let release = Release::chosen();
    let name = "workflow-controller-configmap";
    let metadata = json!({"name": name});
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
    kubectl.apply(Some(namespace), &config.to_string());
    let mut command = Command::new(release.program("workflow-controller"));
    command.arg("--kubeconfig").arg(kubectl.kubeconfig());
    command.args(["--namespace", namespace, "--configmap", name]);
    command.args([
        "--executor-image",
        release.executor,
        "--executor-image-pull-policy",
        "IfNotPresent",
    ]);
    command.args(["--qps", "200", "--burst", "400"]);
    command.env("LEADER_ELECTION_DISABLE", "true");
    // Argo's own default is 10 s, which would be most of every test.
    let requeue = std::env::var("DNS01_E2E_REQUEUE").unwrap_or_else(|_| "1s".to_owned());
    command.env("DEFAULT_REQUEUE_TIME", requeue);
    command
}

/// One more workflow controller, for one namespace and the Workflows that carry its instance ID.
#[derive(Debug)]
pub struct TeamController {
    log: PathBuf,
    _server: Server,
}

impl TeamController {
    /// Starts it. Its health port is taken by the first controller's, which it only logs.
    pub fn start(cluster: &Cluster, lab: &Lab, namespace: &str, instance_id: &str) -> Self {
        let config = json!({"instanceID": instance_id, "metricsConfig": "{enabled: false}"});
        let mut command = controller(cluster.kubectl(), namespace, &config);
        command.args(["--namespaced", "--managed-namespace", namespace]);
        // Argo's own default passes progress on once a minute.
        command.env("ARGO_PROGRESS_PATCH_TICK_DURATION", "1s");
        command.env("ARGO_PROGRESS_FILE_TICK_DURATION", "1s");
        let folder = lab.folder("team-controller");
        let log = folder.join(LOG);
        command.current_dir(&folder);
        Self { _server: Server::start("workflow-controller", command, &log, &[]), log }
    }

    /// What it has logged so far: it names every Workflow that it looks after.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}
