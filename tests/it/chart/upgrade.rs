//! Journals that are in use, under everything that helm does to a release.

use std::path::Path;

use dns01_core::{Exit, Explain as _, KeyType, PrivateKey};
use dns01_store::journal::{Engine, Extra, Spec, State};
use dns01_store::{Backend, Cluster, Name, StoreError};
use harness::KubeApi;
use serde_json::{Value, json};

use super::{chart, helm, three};

/// A namespace, and somebody who may do everything in it, as a person with helm.
struct Corner {
    api: &'static KubeApi,
    namespace: String,
    kubeconfig: std::path::PathBuf,
}

impl Corner {
    fn new() -> Self {
        let api = KubeApi::shared();
        let namespace = api.namespace();
        let all = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
        let token = api.service_account(&namespace, "person", &all);
        let kubeconfig = api.kubeconfig(&namespace, &token);
        Self { api, namespace, kubeconfig }
    }

    fn get(&self, object: &str) -> Value {
        let path = format!("/api/v1/namespaces/{}/{object}", self.namespace);
        self.api.get(&path).unwrap_or_else(|| panic!("{object} is gone"))
    }

    /// helm with this verb on the release `dns01`.
    fn helm(&self, verb: &[&str], values: &Value) {
        let place =
            ["--kubeconfig", self.kubeconfig.to_str().unwrap(), "--namespace", &self.namespace];
        let output = helm(&[verb, &place].concat(), values);
        assert!(
            output.status.success(),
            "helm {}: {}",
            verb.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The journals and accounts, as the service account `name` of the release.
    async fn backend(&self, name: &str) -> Backend {
        let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", self.namespace);
        let asked = json!({"spec": {"expirationSeconds": 3600}});
        let token = self.api.create(&format!("{accounts}/{name}/token"), &asked);
        let token = token["status"]["token"].as_str().unwrap();
        let file = self.api.kubeconfig(&self.namespace, token);
        Backend::in_cluster(Cluster::from_kubeconfig(Path::new(&file)).await.unwrap())
    }
}

/// The parts that need no Argo in the cluster.
fn values(config: &Value) -> Value {
    json!({"templates": {"enabled": false}, "config": config})
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn state(certificate: &str) -> State {
    let spec = Spec {
        engine: Engine::Native,
        names: vec!["shop.example.org".parse().unwrap()],
        directory: "https://ca.example/directory".into(),
        account: name("letsencrypt"),
        thumbprint: "t".repeat(43),
        profile: None,
        key_type: KeyType::P256,
        extra: Extra::new(),
    };
    State::first(name(certificate), "run-1", spec)
}

/// Places an order for `certificate` as far as the journal is concerned.
async fn begin(backend: &Backend, certificate: &str) -> Result<(), StoreError> {
    let journal = backend.journal(&name(certificate));
    journal.update(|_| Ok::<_, StoreError>(state(certificate))).await?;
    let key = || PrivateKey::generate(KeyType::P256).unwrap();
    journal.put_key(1, &key()).await?;
    backend.accounts().put_key(&name("letsencrypt"), &key()).await?;
    Ok(())
}

const OBJECTS: [&str; 3] =
    ["configmaps/dns01-shop", "secrets/dns01-shop-key", "secrets/dns01-account-letsencrypt"];

#[tokio::test]
#[ignore = "needs helm, kube-apiserver"]
async fn a_journal_in_use_survives_upgrade_rollback_uninstall_and_another_install() {
    let corner = Corner::new();
    let chart = chart();
    let chart = chart.to_str().unwrap();
    corner.helm(&["install", "dns01", chart, "-f", "-"], &values(&three()));
    let content = |object: &str| corner.get(object)["data"].clone();
    assert!(OBJECTS.iter().all(|object| content(object).is_null()), "made empty");

    begin(&corner.backend("dns01-order").await, "shop").await.unwrap();
    let before = OBJECTS.map(content);
    assert!(before.iter().all(|data| data.as_object().is_some_and(|data| !data.is_empty())));

    let mut fewer = three();
    fewer["certificates"].as_array_mut().unwrap().remove(0);
    let upgrade = ["upgrade", "dns01", chart, "-f", "-"];
    let forced = [&upgrade[..], &["--force-replace", "--server-side=false"]].concat();
    let client_side = [&upgrade[..], &["--server-side=false"]].concat();
    let back = ["rollback", "dns01", "1"];
    for (verb, config) in [
        (&upgrade[..], &three()),
        (&forced, &three()),
        (&client_side, &three()),
        (&back, &three()),
        (&upgrade, &fewer),
        (&upgrade, &three()),
        (&["uninstall", "dns01"], &three()),
        (&["install", "dns01", chart, "-f", "-"], &three()),
    ] {
        corner.helm(verb, &values(config));
        for (object, before) in OBJECTS.iter().zip(&before) {
            assert_eq!(&content(object), before, "{object} after helm {}", verb.join(" "));
        }
    }
}

#[tokio::test]
#[ignore = "needs helm, kube-apiserver"]
async fn a_certificate_that_has_a_journal_already_can_be_added_to_the_definitions() {
    let corner = Corner::new();
    let chart = chart();
    let chart = chart.to_str().unwrap();
    let mut open = values(&json!({}));
    open["journal"] = json!({"create": "namespace"});
    corner.helm(&["install", "dns01", chart, "-f", "-"], &open);
    begin(&corner.backend("dns01-order").await, "shop").await.unwrap();
    let before = OBJECTS.map(|object| corner.get(object)["data"].clone());
    corner.helm(&["upgrade", "dns01", chart, "-f", "-"], &values(&three()));
    assert_eq!(OBJECTS.map(|object| corner.get(object)["data"].clone()), before);
}

#[tokio::test]
#[ignore = "needs helm, kube-apiserver"]
async fn the_accounts_of_the_chart_may_do_their_own_work_and_no_other() {
    let corner = Corner::new();
    let chart = chart();
    corner.helm(&["install", "dns01", chart.to_str().unwrap(), "-f", "-"], &values(&three()));
    let order = corner.backend("dns01-order").await;
    begin(&order, "shop").await.unwrap();
    let denied = |error: StoreError| assert_eq!(error.exit(), Exit::AuthRefused, "{error}");
    denied(begin(&order, "other").await.unwrap_err());
    let check = corner.backend("dns01-check").await;
    assert!(check.journal(&name("shop")).read().await.unwrap().is_some());
    denied(check.journal(&name("shop")).key(1, None).await.unwrap_err());
    denied(check.accounts().read(&name("letsencrypt")).await.unwrap_err());
    let cleanup = corner.backend("dns01-cleanup").await;
    denied(cleanup.journal(&name("shop")).key(1, None).await.unwrap_err());
    let issue = corner.backend("dns01-issue").await;
    assert!(issue.journal(&name("shop")).key(1, None).await.unwrap().is_some());
    denied(
        issue
            .journal(&name("shop"))
            .put_key(2, &PrivateKey::generate(KeyType::P256).unwrap())
            .await
            .unwrap_err(),
    );
}
