//! Argo Workflows: its full resource definitions and its controller, a process on the node.

use super::image::{ARGOEXEC, manifests};
use super::{ARGO, Kubectl, restricted_namespace};
use crate::server::Server;
use crate::tools::tool;
use serde_json::json;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// Installs the definitions and starts the controller, for all namespaces.
pub(super) fn start(kubectl: &Kubectl, folder: &Path) -> Server {
    let definitions = manifests("argo-workflows").join("base/crds/full");
    kubectl.run(&["apply", "--server-side", "-k", definitions.to_str().unwrap()]);
    // The controller gives up when they aren't served yet.
    kubectl.run(&["wait", "--for=condition=Established", "customresourcedefinition", "--all"]);
    kubectl.apply(None, &restricted_namespace(ARGO).to_string());
    // Nothing is set here that our templates need: they bring their own security contexts.
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "workflow-controller-configmap"},
    });
    kubectl.apply(Some(ARGO), &config.to_string());
    let mut command = Command::new(tool("workflow-controller"));
    command.arg("--kubeconfig").arg(kubectl.kubeconfig());
    command.args(["--namespace", ARGO, "--configmap", "workflow-controller-configmap"]);
    command.args(["--executor-image", ARGOEXEC, "--executor-image-pull-policy", "IfNotPresent"]);
    command.args(["--qps", "200", "--burst", "400"]);
    command.env("LEADER_ELECTION_DISABLE", "true");
    // Argo's own default is 10 s, which would be most of every test.
    command.env("DEFAULT_REQUEUE_TIME", "1s").current_dir(folder);
    let log = folder.join("workflow-controller.log");
    let mut controller = Server::start("workflow-controller", command, &log, &[]);
    controller.wait_ready(|| TcpStream::connect(("127.0.0.1", 6060)).is_ok());
    controller
}
