//! A real one-node Kubernetes with Argo: control plane, kubelet with containerd and runc, kube-proxy, Argo Workflows and
//! Argo Events, all inside the private namespace of the tests. No Docker daemon, no registry, nothing left behind.
//!
//! With `DNS01_E2E_KUBECONFIG` the same handle stands for a cluster of the user's, which must have Argo and the image.

mod argo;
mod control_plane;
mod events;
mod image;
mod kubectl;
mod nats;
mod node;

pub use argo::TeamController;
pub use image::{IMAGE, image_archive};
pub use kubectl::Kubectl;

use crate::lab::Lab;
use crate::namespace::control_group;
use crate::server::Server;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::{fs, thread};

/// The node's address. Pods reach it and every address of [`Lab::on_node`], never 127.0.0.0/8.
const NODE: Ipv4Addr = Ipv4Addr::new(198, 18, 255, 1);
/// The service of the API server.
const API_SERVICE: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 1);
const API_PORT: u16 = 6443;
/// Where etcd listens.
const ETCD: &str = "127.0.0.1:2379";
/// The namespace of Argo's controllers.
const ARGO: &str = "argo";

/// How much of a controller's log a failed test shows.
const LOG_LINES: usize = 200;

/// What kubelet, containerd, runc and the network plugins write wherever they are told to work.
const OUTSIDE: [&str; 4] = ["/run", "/var/log/containers", "/var/lib/cni", "/var/lib/kubelet"];

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    kubectl: Kubectl,
    namespaces: AtomicU32,
    own: Option<Own>,
}

/// What belongs to a cluster that we started ourselves.
#[derive(Debug)]
struct Own {
    lab: Lab,
    folder: PathBuf,
    _servers: Vec<Server>,
    controller: Mutex<Server>,
    events: OnceLock<Server>,
}

impl Cluster {
    /// Where the API server of a cluster of our own listens.
    pub const API: (Ipv4Addr, u16) = (NODE, API_PORT);

    /// The cluster that all tests of a process share; the first caller starts it (about 20 seconds).
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var_os("DNS01_E2E_KUBECONFIG") {
            Some(file) => Self {
                kubectl: Kubectl::new(file.into()),
                namespaces: AtomicU32::new(0),
                own: None,
            },
            None => Self::start(&Lab::new()),
        })
    }

    /// Starts a cluster of our own in the present namespace, which can hold one.
    pub fn start(lab: &Lab) -> Self {
        let folder = lab.folder("cluster");
        let mut ip = Command::new("ip");
        ip.args(["addr", "replace", &format!("{NODE}/32"), "dev", "lo"]);
        assert!(ip.status().unwrap().success(), "`ip addr replace {NODE}/32 dev lo` failed");
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        for folder in OUTSIDE {
            hide(folder);
        }
        fs::write(folder.join("ca.pem"), lab.ca().pem()).unwrap();
        // The node's own resolver is nobody: tests name the server to ask.
        fs::write(folder.join("resolv.conf"), format!("nameserver {NODE}\n")).unwrap();
        let (mut servers, containerd) = thread::scope(|scope| {
            let containerd = scope.spawn(|| {
                let containerd = node::containerd(&folder);
                image::import_all(&folder);
                containerd
            });
            (control_plane::start(lab, &folder), containerd.join().unwrap())
        });
        servers.push(containerd);
        let kubectl = Kubectl::new(folder.join("admin.kubeconfig"));
        servers.extend(node::start(&folder));
        let controller = argo::start(&kubectl, &folder);
        kubectl.until(None, "node/n1", |node| {
            list(&node["status"]["conditions"])
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        });
        let own = Own {
            lab: lab.clone(),
            folder,
            _servers: servers,
            controller: Mutex::new(controller),
            events: OnceLock::new(),
        };
        Self { kubectl, namespaces: AtomicU32::new(0), own: Some(own) }
    }

    /// The administrator's kubectl.
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// The administrator's kubeconfig with the API server at a port of 127.0.0.1 instead.
    pub fn outside(kubeconfig: &str, port: u16) -> String {
        kubeconfig.replace(&format!("{NODE}:{API_PORT}"), &format!("127.0.0.1:{port}"))
    }

    /// containerd's socket.
    pub fn containerd(&self) -> PathBuf {
        self.own.as_ref().expect("a cluster of our own").folder.join("containerd.sock")
    }

    /// A new namespace that enforces Pod Security `restricted`; its name starts with `prefix`.
    pub fn namespace(&self, prefix: &str) -> String {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}-{}-{number}", std::process::id());
        self.kubectl.apply(None, &restricted_namespace(&name).to_string());
        name
    }

    /// Kills Argo's workflow controller and starts it anew.
    pub fn restart_controller(&self) {
        let Some(own) = &self.own else {
            let which = ["-A", "-l", "app=workflow-controller", "--grace-period=0", "--force"];
            self.kubectl.run(&[["delete", "pod"].as_slice(), &which].concat());
            return;
        };
        let mut controller = own.controller.lock().unwrap();
        controller.kill();
        controller.restart();
    }

    /// The last lines in which Argo's workflow controller names `what`, such as a namespace; nothing for a cluster of the user's.
    pub fn controller_log(&self, what: &str) -> String {
        let file = self.own.as_ref().map(|own| own.folder.join(argo::LOG));
        let text = file.and_then(|file| fs::read(file).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut lines: Vec<_> =
            text.lines().rev().filter(|line| line.contains(what)).take(LOG_LINES).collect();
        lines.reverse();
        lines.join("\n")
    }

    /// Makes sure that Argo Events' controller runs; a cluster of the user's has its own.
    pub fn start_events(&self) {
        if let Some(own) = &self.own {
            own.events.get_or_init(|| events::start(&self.kubectl, &own.lab, &own.folder));
        }
    }

    /// Makes an event bus called `default` in `namespace`: on a NATS server of ours, or one that Argo Events starts itself.
    pub fn event_bus(&self, namespace: &str) {
        self.start_events();
        events::bus(&self.kubectl, namespace, self.own.is_some());
    }

    /// Hands the newest event that `source` has sent to a namespace's bus out once more, as a bus does that has heard no
    /// acknowledgement. False, and nothing done, for a cluster of the user's: its bus is not ours to write to.
    pub fn redeliver(&self, namespace: &str, source: &str, event: &str) -> bool {
        let Some(own) = &self.own else { return false };
        events::redeliver(&self.kubectl, &own.lab, namespace, source, event);
        true
    }

    /// Every key of etcd with its value, but for those of Secrets; nothing for a cluster of the user's.
    pub fn etcd_without_secrets(&self) -> Vec<(String, Vec<u8>)> {
        self.own.as_ref().map_or_else(Vec::new, |_| control_plane::etcd_without_secrets())
    }
}

/// An empty memory file system instead of a folder of the machine, for this namespace alone.
fn hide(folder: &str) {
    fs::create_dir_all(folder).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "tmpfs", folder]).status().unwrap();
    assert!(mount.success(), "could not mount on {folder}");
}

/// The manifest of a namespace that enforces Pod Security `restricted`.
fn restricted_namespace(name: &str) -> Value {
    let labels = json!({"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"});
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

/// A configuration file with its placeholders filled in, in the cluster's folder.
fn configure(folder: &Path, name: &str, template: &str) -> PathBuf {
    let file = folder.join(name);
    let text = template
        .replace("@FOLDER@", folder.to_str().unwrap())
        .replace("@CGROUP@", control_group().to_str().unwrap());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
