//! etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

use super::{API_PORT, API_SERVICE, ETCD, NODE};
use crate::http::{Request, exchange, exchange_plain};
use crate::lab::Lab;
use crate::server::Server;
use crate::tools::tool;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Who signs in with a token: kubeconfig, user, groups.
const USERS: [(&str, &str, &str); 5] = [
    ("admin", "admin", "system:masters"),
    ("node", "system:node:n1", "system:nodes"),
    ("kube-controller-manager", "system:kube-controller-manager", ""),
    ("kube-scheduler", "system:kube-scheduler", ""),
    ("kube-proxy", "system:kube-proxy", ""),
];

/// Starts it; the API server answers when this returns.
pub(super) fn start(lab: &Lab, folder: &Path) -> Vec<Server> {
    let etcd = etcd(folder);
    users(lab, folder);
    let mut api = api_server(lab, folder);
    let probe = Request::new("GET", &host(), "/readyz")
        .with_header("authorization", &format!("Bearer {}", token("admin")));
    let (address, ca) = (SocketAddr::new(NODE.into(), API_PORT), lab.ca().pem().to_owned());
    api.wait_ready(|| {
        exchange(address, &NODE.to_string(), &ca, &probe).is_ok_and(|reply| reply.status == 200)
    });
    let mut controllers = Command::new(tool("kube-controller-manager"));
    controllers.args([
        "--kubeconfig=kube-controller-manager.kubeconfig",
        "--service-account-private-key-file=sa.key",
        "--root-ca-file=ca.pem",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        // Many short pods and namespaces at once.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]);
    let mut scheduler = Command::new(tool("kube-scheduler"));
    scheduler.args([
        "--kubeconfig=kube-scheduler.kubeconfig",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]);
    let [controllers, scheduler] =
        [("kube-controller-manager", controllers), ("kube-scheduler", scheduler)].map(
            |(name, mut command)| {
                command.current_dir(folder);
                Server::start(name, command, &folder.join(format!("{name}.log")), &[])
            },
        );
    vec![scheduler, controllers, api, etcd]
}

fn etcd(folder: &Path) -> Server {
    let (client, peer) = (format!("http://{ETCD}"), "http://127.0.0.1:2380");
    let mut etcd = Command::new(tool("etcd"));
    etcd.args(["--data-dir", "etcd", "--unsafe-no-fsync", "--listen-client-urls", &client]);
    etcd.args(["--advertise-client-urls", &client, "--listen-peer-urls", peer]);
    etcd.args(["--initial-advertise-peer-urls", peer, "--initial-cluster"]);
    etcd.arg(format!("default={peer}")).current_dir(folder);
    Server::start("etcd", etcd, &folder.join("etcd.log"), &[])
}

fn api_server(lab: &Lab, folder: &Path) -> Server {
    let names = [&NODE.to_string(), &API_SERVICE.to_string(), "localhost", "127.0.0.1"];
    let services = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    let leaf = lab.ca().server(&[names.as_slice(), &services].concat());
    let to_kubelet = lab.ca().client("kube-apiserver-kubelet-client", "system:masters");
    let key = rcgen::KeyPair::generate().unwrap();
    fs::write(folder.join("sa.key"), key.serialize_pem()).unwrap();
    fs::write(folder.join("sa.pub"), key.public_key_pem()).unwrap();
    let mut api = Command::new(tool("kube-apiserver"));
    api.args([
        format!("--etcd-servers=http://{ETCD}"),
        format!("--bind-address={NODE}"),
        format!("--advertise-address={NODE}"),
        format!("--secure-port={API_PORT}"),
        format!("--tls-cert-file={}", leaf.cert_file.display()),
        format!("--tls-private-key-file={}", leaf.key_file.display()),
        format!("--kubelet-client-certificate={}", to_kubelet.cert_file.display()),
        format!("--kubelet-client-key={}", to_kubelet.key_file.display()),
    ]);
    api.args([
        "--kubelet-preferred-address-types=InternalIP",
        "--token-auth-file=tokens.csv",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=sa.pub",
        "--service-account-signing-key-file=sa.key",
        "--service-cluster-ip-range=198.19.0.0/24",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        // Nothing asks these two of it, and they cost seconds of two cores.
        "--enable-priority-and-fairness=false",
        "--profiling=false",
    ]);
    api.current_dir(folder);
    Server::start("kube-apiserver", api, &folder.join("kube-apiserver.log"), &[])
}

/// Writes who may sign in, and a kubeconfig for each.
fn users(lab: &Lab, folder: &Path) {
    let mut tokens = String::new();
    for (name, user, groups) in USERS {
        writeln!(tokens, "{},{user},{name},\"{groups}\"", token(name)).unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "tests",
            "clusters": [{"name": "tests", "cluster": {
                "server": format!("https://{}", host()),
                "certificate-authority-data": STANDARD.encode(lab.ca().pem()),
            }}],
            "users": [{"name": name, "user": {"token": token(name)}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": name}}],
        });
        fs::write(folder.join(format!("{name}.kubeconfig")), config.to_string()).unwrap();
    }
    fs::write(folder.join("tokens.csv"), tokens).unwrap();
}

fn token(name: &str) -> String {
    format!("{name}-token-of-the-tests")
}

fn host() -> String {
    format!("{NODE}:{API_PORT}")
}

/// All keys and values, by etcd's JSON gateway, but for those of Secrets.
pub(super) fn etcd_without_secrets() -> Vec<(String, Vec<u8>)> {
    let all = json!({"key": STANDARD.encode("/"), "range_end": STANDARD.encode("0")});
    let request =
        Request::new("POST", ETCD, "/v3/kv/range").with_body("application/json", all.to_string());
    let reply: Value =
        serde_json::from_slice(&exchange_plain(ETCD.parse().unwrap(), &request).unwrap().body)
            .unwrap();
    let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap_or_default()).unwrap();
    let pairs = reply["kvs"].as_array().into_iter().flatten();
    pairs
        .map(|pair| (String::from_utf8(decode(&pair["key"])).unwrap(), decode(&pair["value"])))
        .filter(|(key, _)| !key.starts_with("/registry/secrets/"))
        .collect()
}
