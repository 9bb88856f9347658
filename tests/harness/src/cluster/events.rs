//! Argo Events: its controller as a pod, and a NATS server (with `JetStream`) on the node that every event bus uses.

use super::image::{ARGO_EVENTS, manifests, of_program};
use super::nats::Nats;
use super::{Kubectl, NODE, restricted_namespace};
use crate::lab::Lab;
use crate::server::Server;
use crate::tools::tool;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const NAMESPACE: &str = "argo-events";
/// Where NATS listens on the node.
const PORT: u16 = 4222;
/// How many event buses there may be.
const BUSES: u32 = 16;
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Starts both; the controller runs when this returns.
pub(super) fn start(kubectl: &Kubectl, lab: &Lab, folder: &Path) -> Server {
    let program = tool("argo-events");
    of_program(
        folder,
        ARGO_EVENTS,
        &program,
        "/bin/argo-events",
        &["/bin/argo-events".to_owned()],
        "9731",
    );
    let nats = nats(lab, folder);
    kubectl.apply(None, &restricted_namespace(NAMESPACE).to_string());
    // Its own manifests, with what Pod Security `restricted` asks of them.
    let overlay = folder.join("argo-events");
    fs::create_dir_all(&overlay).unwrap();
    let copied = Command::new("cp").arg("-R").arg(manifests("argo-events")).arg(&overlay).status();
    assert!(copied.unwrap().success());
    let kustomization = json!({
        "namespace": NAMESPACE,
        "resources": ["argo-events/cluster-install"],
        "patches": [{"patch": patch().to_string(), "target": {"kind": "Deployment", "name": "controller-manager"}}],
    });
    fs::write(overlay.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    kubectl.apply_kustomization(None, &overlay);
    kubectl.until(Some(NAMESPACE), "deployment/controller-manager", |deployment| {
        deployment["status"]["readyReplicas"].as_u64().unwrap_or_default() > 0
    });
    nats
}

fn patch() -> Value {
    let security = json!({
        "allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    let env = [("ARGO_EVENTS_IMAGE", ARGO_EVENTS), ("IMAGE_PULL_POLICY", "IfNotPresent")]
        .map(|(name, value)| json!({"name": name, "value": value}));
    let container = json!({
        "name": "controller-manager", "image": ARGO_EVENTS, "imagePullPolicy": "IfNotPresent",
        "env": env, "securityContext": security,
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "controller-manager"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    })
}

/// Argo Events always speaks TLS to it.
fn nats(lab: &Lab, folder: &Path) -> Server {
    let leaf = lab.ca().server(&["nats", &NODE.to_string()]);
    let mut config = format!(
        "listen: \"{NODE}:{PORT}\"\njetstream {{ store_dir: \"{}\" }}\n\
         tls {{ cert_file: \"{}\", key_file: \"{}\" }}\naccounts {{\n",
        folder.join("nats").display(),
        leaf.cert_file.display(),
        leaf.key_file.display(),
    );
    // A stream is always called `default`: buses are kept apart by their accounts.
    for bus in 0..BUSES {
        let user = format!("{{user: bus{bus}, password: bus}}");
        writeln!(config, "A{bus} {{ jetstream: enabled, users: [{user}] }}").unwrap();
    }
    config.push_str("}\n");
    fs::write(folder.join("nats.conf"), config).unwrap();
    let mut command = Command::new(tool("nats-server"));
    command.args(["--config", "nats.conf"]).current_dir(folder);
    let mut server = Server::start("nats-server", command, &folder.join("nats.log"), &[]);
    server.wait_ready(|| std::net::TcpStream::connect((NODE, PORT)).is_ok());
    server
}

/// The event bus `default` of a namespace: on that server, or (`own` false) one that Argo Events starts itself.
pub(super) fn bus(kubectl: &Kubectl, namespace: &str, own: bool) {
    let bus = |spec: Value| json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "EventBus", "metadata": {"name": "default"}, "spec": spec});
    if !own {
        let spec = json!({"jetstream": {"version": "latest", "replicas": 3}});
        return kubectl.apply(Some(namespace), &bus(spec).to_string());
    }
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    assert!(number < BUSES, "more event buses than accounts");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nats"},
        "stringData": {"auth": format!("username: bus{number}\npassword: bus\n")},
    });
    let spec = json!({"jetstreamExotic": {
        "url": format!("nats://{NODE}:{PORT}"), "accessSecret": {"name": "nats", "key": "auth"},
        "streamConfig": "maxMsgs: 50000\nmaxAge: 168h\nmaxBytes: -1\nreplicas: 1\nduplicates: 300s\n",
    }});
    for object in [secret, bus(spec)] {
        kubectl.apply(Some(namespace), &object.to_string());
    }
}

/// Hands the newest event of a namespace's bus out once more.
pub(super) fn redeliver(kubectl: &Kubectl, lab: &Lab, namespace: &str, source: &str, event: &str) {
    let secret = kubectl.get(namespace, "secret/nats").unwrap();
    let auth = STANDARD.decode(secret["data"]["auth"].as_str().unwrap()).unwrap();
    let auth = String::from_utf8(auth).unwrap();
    let of = |key: &str| auth.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let (user, password) = (of("username: "), of("password: "));
    let mut nats = Nats::connect((NODE, PORT).into(), lab.ca().pem(), user, password);
    nats.redeliver(&format!("default.{source}.{event}"));
}
