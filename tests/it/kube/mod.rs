//! Journals, accounts and Secrets on a real API server, with no more rights than a step's Role gives.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod journal;
mod secret;

use std::time::{Duration, SystemTime};

use dns01_core::{Bundle, Chain, KeyType, PrivateKey};
use dns01_store::Cluster;
use harness::KubeApi;
use serde_json::{Value, json};

/// A namespace, and a service account in it.
struct Corner {
    api: &'static KubeApi,
    namespace: String,
}

impl Corner {
    fn new() -> Self {
        let api = KubeApi::shared();
        Self { api, namespace: api.namespace() }
    }

    /// The cluster as a pod sees it whose Role has these rules.
    async fn cluster(&self, account: &str, rules: &Value) -> Cluster {
        let token = self.api.service_account(&self.namespace, account, rules);
        let file = self.api.kubeconfig(&self.namespace, &token);
        Cluster::from_kubeconfig(&file).await.unwrap()
    }

    /// Lets `account` do everything, in namespaces that do not exist too.
    fn allow_everywhere(&self, account: &str) {
        let name = format!("{}-{account}", self.namespace);
        let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        self.api.create(path, &json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.namespace}],
        }));
    }

    fn path(&self, kind: &str, name: &str) -> String {
        format!("/api/v1/namespaces/{}/{kind}/{name}", self.namespace)
    }

    fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.api.get(&self.path(kind, name))
    }

    fn create(&self, kind: &str, object: &Value) {
        self.api.create(&format!("/api/v1/namespaces/{}/{kind}", self.namespace), object);
    }
}

/// One rule of a Role: these verbs on objects of this kind with exactly this name.
fn rule(kind: &str, name: &str, verbs: &[&str]) -> Value {
    json!({"apiGroups": [""], "resources": [kind], "resourceNames": [name], "verbs": verbs})
}

/// A self-signed certificate for `shop.example.org` whose validity began so many days ago, with its key.
fn bundle(days_old: u32) -> Bundle {
    const DAY: Duration = Duration::from_hours(24);
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let pair = rcgen::KeyPair::from_pem(key.pem().expose()).unwrap();
    let mut params = rcgen::CertificateParams::new(["shop.example.org".to_owned()]).unwrap();
    let begin = SystemTime::now() - DAY * days_old;
    params.not_before = begin.into();
    params.not_after = (begin + DAY * 90).into();
    let chain = Chain::from_pem(&params.self_signed(&pair).unwrap().pem()).unwrap();
    Bundle { chain, key: Some(key) }
}
