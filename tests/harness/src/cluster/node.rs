//! The node: containerd, kubelet and kube-proxy.

use super::{NODE, configure};
use crate::server::Server;
use crate::tools::tool;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// Starts containerd; it answers when this returns.
pub(super) fn containerd(folder: &Path) -> Server {
    configure(folder, "cni/10-pods.conflist", include_str!("config/pods.conflist"));
    let config = configure(folder, "containerd.toml", include_str!("config/containerd.toml"));
    let mut command = Command::new(tool("containerd"));
    command.arg("--config").arg(config).current_dir(folder);
    let mut server = Server::start("containerd", command, &folder.join("containerd.log"), &[]);
    server.wait_ready(|| ctr(folder).arg("version").output().unwrap().status.success());
    server
}

/// containerd's own client, in the name space that Kubernetes uses.
pub(super) fn ctr(folder: &Path) -> Command {
    let mut command = Command::new(tool("ctr"));
    command.arg("--address").arg(folder.join("containerd.sock")).args(["--namespace", "k8s.io"]);
    command
}

/// Starts kubelet and kube-proxy.
pub(super) fn start(folder: &Path) -> [Server; 2] {
    let config = configure(folder, "kubelet.yaml", include_str!("config/kubelet.yaml"));
    let mut kubelet = Command::new(tool("kubelet"));
    kubelet.arg("--config").arg(config);
    kubelet.arg("--root-dir").arg(folder.join("kubelet"));
    kubelet.args(["--kubeconfig=node.kubeconfig", "--cert-dir=kubelet-certificates"]);
    kubelet.args(["--hostname-override=n1", &format!("--node-ip={NODE}")]);
    let config = configure(folder, "kube-proxy.yaml", include_str!("config/kube-proxy.yaml"));
    let mut proxy = Command::new(tool("kube-proxy"));
    proxy.arg("--config").arg(config);
    [("kubelet", kubelet, 10248), ("kube-proxy", proxy, 10256)].map(
        |(name, mut command, health)| {
            command.current_dir(folder);
            let mut server = Server::start(name, command, &folder.join(format!("{name}.log")), &[]);
            server.wait_ready(|| TcpStream::connect(("127.0.0.1", health)).is_ok());
            server
        },
    )
}
