//! A real Kubernetes API (etcd and kube-apiserver with RBAC, no node, no controllers) for Secrets and config maps.

use crate::http::{Reply, Request, exchange};
use crate::lab::Lab;
use crate::server::Server;
use crate::tools::tool;
use serde_json::{Value, json};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const PORT: u16 = 6443;
const ADMIN: &str = "admin-token-of-the-tests";

/// The API server that all tests of a process share; each test takes a namespace of its own.
#[derive(Debug)]
pub struct KubeApi {
    lab: Lab,
    address: IpAddr,
    namespaces: AtomicU32,
    servers: [Server; 2],
}

impl KubeApi {
    /// The shared server; the first caller starts it (about five seconds). It ends with the test run.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<KubeApi> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&Lab::new()))
    }

    fn start(lab: &Lab) -> Self {
        let (address, folder) = (lab.address(), lab.folder("kube"));
        let urls = [2379, 2380].map(|port| format!("http://{address}:{port}"));
        let mut etcd = Command::new(tool("etcd"));
        etcd.args([
            "--data-dir",
            "etcd",
            "--unsafe-no-fsync",
            "--listen-client-urls",
            &urls[0],
            "--advertise-client-urls",
            &urls[0],
        ]);
        etcd.args(["--listen-peer-urls", &urls[1], "--initial-advertise-peer-urls", &urls[1]])
            .current_dir(&folder);
        etcd.arg("--initial-cluster").arg(format!("default={}", urls[1]));
        let etcd = Server::start("etcd", etcd, &folder.join("etcd.log"), &[]);

        let leaf = lab.ca().server(&[&address.to_string(), "localhost", "kubernetes.default.svc"]);
        fs::write(folder.join("tokens.csv"), format!("{ADMIN},admin,1,\"system:masters\"\n"))
            .unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(folder.join("sa.key"), key.serialize_pem()).unwrap();
        fs::write(folder.join("sa.pub"), key.public_key_pem()).unwrap();
        let flags = [
            format!("--etcd-servers={}", urls[0]),
            format!("--bind-address={address}"),
            format!("--secure-port={PORT}"),
            format!("--tls-cert-file={}", leaf.cert_file.display()),
            format!("--tls-private-key-file={}", leaf.key_file.display()),
        ];
        let mut api = Command::new(tool("kube-apiserver"));
        // The advertised address must not be loopback; without the reconciler nobody ever uses it.
        api.args(flags).args([
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            "--authorization-mode=RBAC",
        ]);
        api.args([
            "--token-auth-file=tokens.csv",
            "--service-account-issuer=https://kubernetes.default.svc",
        ]);
        api.args([
            "--service-account-key-file=sa.pub",
            "--service-account-signing-key-file=sa.key",
            "--service-cluster-ip-range=198.19.0.0/24",
        ]);
        api.current_dir(&folder);
        let api = Server::start("kube-apiserver", api, &folder.join("apiserver.log"), &[]);

        let mut kube =
            Self { lab: lab.clone(), address, namespaces: AtomicU32::new(0), servers: [etcd, api] };
        let probe = Request::new("GET", &kube.host(), "/readyz")
            .with_header("authorization", &format!("Bearer {ADMIN}"));
        let (name, ca) = (address.to_string(), lab.ca().pem().to_owned());
        kube.servers[1].wait_ready(|| {
            exchange(SocketAddr::new(address, PORT), &name, &ca, &probe)
                .is_ok_and(|reply| reply.status == 200)
        });
        kube
    }

    /// The API's URL.
    pub fn url(&self) -> String {
        format!("https://{}", self.host())
    }

    /// For a program in a pod: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.
    pub fn service_env(&self) -> Vec<(String, String)> {
        [
            ("KUBERNETES_SERVICE_HOST", self.address.to_string()),
            ("KUBERNETES_SERVICE_PORT", PORT.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// A new namespace.
    pub fn namespace(&self) -> String {
        let name = format!("test-{}", self.namespaces.fetch_add(1, Ordering::Relaxed));
        self.create("/api/v1/namespaces", &json!({"metadata": {"name": name}}));
        name
    }

    /// A service account of `namespace` that may do there what `rules` (the `rules` of a Role) say; gives its token.
    pub fn service_account(&self, namespace: &str, name: &str, rules: &Value) -> String {
        let core = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        self.create(&core, &json!({"metadata": {"name": name}}));
        self.grant(namespace, name, namespace, rules);
        let token = self
            .create(&format!("{core}/{name}/token"), &json!({"spec": {"expirationSeconds": 7200}}));
        token["status"]["token"].as_str().unwrap().to_owned()
    }

    /// Lets the service account `name` of `namespace` do what `rules` say in namespace `target`.
    pub fn grant(&self, namespace: &str, name: &str, target: &str, rules: &Value) {
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{target}");
        let metadata = json!({"name": format!("{namespace}-{name}")});
        self.create(&format!("{rbac}/roles"), &json!({"metadata": metadata, "rules": rules}));
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": metadata["name"]});
        let subjects = json!([{"kind": "ServiceAccount", "name": name, "namespace": namespace}]);
        self.create(
            &format!("{rbac}/rolebindings"),
            &json!({"metadata": metadata, "roleRef": role, "subjects": subjects}),
        );
    }

    /// A kubeconfig file for this token and namespace: for `KUBECONFIG`.
    pub fn kubeconfig(&self, namespace: &str, token: &str) -> PathBuf {
        let ca = self.lab.ca().file();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url(), "certificate-authority": ca}}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
        });
        let file = self.lab.folder("kubeconfig").join("config");
        fs::write(&file, config.to_string()).unwrap();
        file
    }

    /// A folder as a pod finds it (`token`, `ca.crt`, `namespace`): for [`crate::Sandbox::service_account`].
    pub fn pod_folder(&self, namespace: &str, token: &str) -> PathBuf {
        let folder = self.lab.folder("serviceaccount");
        for (name, text) in
            [("token", token), ("namespace", namespace), ("ca.crt", self.lab.ca().pem())]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        folder
    }

    /// The object at `path` as the administrator sees it; `None` when there is none.
    pub fn get(&self, path: &str) -> Option<Value> {
        let reply = self.request("GET", path, None);
        (reply.status != 404).then(|| serde_json::from_slice(&reply.body).unwrap())
    }

    /// Creates an object as the administrator; `path` is its collection.
    pub fn create(&self, path: &str, object: &Value) -> Value {
        let reply = self.request("POST", path, Some(object));
        assert!(reply.status < 300, "POST {path}: {}", reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Replaces the object at `path` as the administrator.
    pub fn replace(&self, path: &str, object: &Value) {
        let reply = self.request("PUT", path, Some(object));
        assert!(reply.status < 300, "PUT {path}: {}", reply.text());
    }

    /// Deletes the object at `path` as the administrator.
    pub fn delete(&self, path: &str) {
        let reply = self.request("DELETE", path, None);
        assert!(reply.status < 300, "DELETE {path}: {}", reply.text());
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let mut request = Request::new(method, &self.host(), path)
            .with_header("authorization", &format!("Bearer {ADMIN}"));
        if let Some(body) = body {
            request = request.with_body("application/json", body.to_string());
        }
        exchange(
            SocketAddr::new(self.address, PORT),
            &self.address.to_string(),
            self.lab.ca().pem(),
            &request,
        )
        .unwrap()
    }

    fn host(&self) -> String {
        format!("{}:{PORT}", self.address)
    }
}
