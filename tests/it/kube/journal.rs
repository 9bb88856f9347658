//! `kube:` as a journal.

use dns01_core::{Exit, Explain as _, KeyType, PrivateKey};
use dns01_store::account::AccountRecord;
use dns01_store::journal::{Engine, Extra, Phase, Spec, State};
use dns01_store::{Backend, Cluster, Name, StoreError};
use serde_json::{Value, json};

use super::{Corner, rule};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn state() -> State {
    let spec = Spec {
        engine: Engine::Native,
        names: vec!["shop.example.org".parse().unwrap()],
        directory: "https://ca.example/directory".into(),
        account: name("corp"),
        thumbprint: "t".repeat(43),
        profile: None,
        key_type: KeyType::P256,
        extra: Extra::new(),
    };
    State::first(name("shop"), "run-1", spec)
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::P256).unwrap()
}

/// What `order` needs, and nothing else: each object by its name.
fn rules(verbs: &[&str]) -> Value {
    json!([
        rule("configmaps", "dns01-shop", verbs),
        rule("secrets", "dns01-shop-key", verbs),
        rule("secrets", "dns01-account-corp", verbs),
    ])
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_role_bounded_by_names_makes_the_journals_objects_and_no_other() {
    let corner = Corner::new();
    let cluster = corner.cluster("order", &rules(&["get", "patch", "create"])).await;
    let backend = Backend::in_cluster(cluster);
    let journal = backend.journal(&name("shop"));
    assert!(journal.read().await.unwrap().is_none());
    let written = journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap();
    assert_eq!(journal.read().await.unwrap(), Some(written));
    let ours = journal.put_key(1, &key()).await.unwrap();
    assert_eq!(journal.put_key(1, &key()).await.unwrap().spki(), ours.spki());
    assert_eq!(journal.key(1, None).await.unwrap().unwrap().spki(), ours.spki());
    journal.put_key(2, &key()).await.unwrap();
    journal.drop_keys_before(2).await.unwrap();

    let accounts = backend.accounts();
    let corp = name("corp");
    let first = accounts.put_key(&corp, &key()).await.unwrap();
    let record = AccountRecord::new("https://ca.example/directory", "https://ca.example/acct/1");
    accounts.put_record(&corp, &record).await.unwrap();
    let account = accounts.read(&corp).await.unwrap().unwrap();
    assert_eq!((account.key.spki(), account.record), (first.spki(), Some(record)));

    let state = corner.get("configmaps", "dns01-shop").unwrap();
    assert_eq!(state["metadata"]["labels"]["dns01.dev/certificate"], "shop");
    assert!(state["data"]["state.json"].is_string());
    let keys = corner.get("secrets", "dns01-shop-key").unwrap();
    let entries: Vec<_> = keys["data"].as_object().unwrap().keys().collect();
    assert_eq!(entries, ["2.pem"]);
    for object in [state, keys, corner.get("secrets", "dns01-account-corp").unwrap()] {
        assert_eq!(object["metadata"]["ownerReferences"], Value::Null);
    }

    let other = backend.journal(&name("other"));
    let error = other.update(|_| Ok::<_, StoreError>(state_of("other"))).await.unwrap_err();
    assert_eq!(error.exit(), Exit::AuthRefused, "{error}");
    assert!(corner.get("configmaps", "dns01-other").is_none());
}

fn state_of(certificate: &str) -> State {
    State { certificate: name(certificate), ..state() }
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_forbidden_journal_is_20_and_prints_the_role_that_is_missing() {
    let corner = Corner::new();
    let none = Backend::in_cluster(corner.cluster("none", &json!([])).await);
    let error = none.journal(&name("shop")).read().await.unwrap_err();
    assert_eq!(error.exit(), Exit::AuthRefused, "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains(&format!(r#""namespace":"{}""#, corner.namespace)), "{hint}");
    assert!(hint.contains(r#""resources":["configmaps"],"verbs":["get"]"#), "{hint}");

    // The object is missing, and so is the right to make it: what is printed is enough.
    let reads = Backend::in_cluster(corner.cluster("reads", &rules(&["get", "patch"])).await);
    let journal = reads.journal(&name("shop"));
    let error = journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap_err();
    assert_eq!(error.exit(), Exit::AuthRefused, "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains(r#""verbs":["get","patch","create"]"#), "{hint}");
    let rule = json!([rule("configmaps", "dns01-shop", &["get", "patch", "create"])]);
    let granted = Backend::in_cluster(corner.cluster("granted", &rule).await);
    granted.journal(&name("shop")).update(|_| Ok::<_, StoreError>(state())).await.unwrap();

    let error = reads.journals().await.unwrap_err();
    assert!(error.hint().unwrap().contains(r#"["configmaps"],"verbs":["list"]"#), "{error}");
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_token_that_is_not_accepted_is_20() {
    let corner = Corner::new();
    let file = corner.api.kubeconfig(&corner.namespace, "canary-token");
    let backend = Backend::in_cluster(Cluster::from_kubeconfig(&file).await.unwrap());
    let error = backend.journal(&name("shop")).read().await.unwrap_err();
    assert_eq!(error.exit(), Exit::AuthRefused, "{error}");
    assert!(!format!("{error} {error:?} {backend:?}").contains("canary"));
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn what_the_chart_made_without_data_is_written_with_get_and_patch() {
    let corner = Corner::new();
    let labels = json!({"app.kubernetes.io/managed-by": "Helm", "dns01.dev/certificate": "shop"});
    for (kind, name) in [
        ("configmaps", "dns01-shop"),
        ("secrets", "dns01-shop-key"),
        ("secrets", "dns01-account-corp"),
    ] {
        corner.create(kind, &json!({"metadata": {"name": name, "labels": labels}}));
    }
    let backend = Backend::in_cluster(corner.cluster("order", &rules(&["get", "patch"])).await);
    let journal = backend.journal(&name("shop"));
    journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap();
    journal.put_key(1, &key()).await.unwrap();
    backend.accounts().put_key(&name("corp"), &key()).await.unwrap();
    let labelled = corner.get("configmaps", "dns01-shop").unwrap();
    assert_eq!(labelled["metadata"]["labels"], labels, "labels of the chart stay");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs kube-apiserver"]
async fn of_runs_at_once_each_ones_change_survives_and_all_have_one_key() {
    let corner = Corner::new();
    let cluster = corner.cluster("order", &rules(&["get", "patch", "create"])).await;
    let journal = Backend::in_cluster(cluster).journal(&name("shop"));
    let runs: Vec<_> = (0..4)
        .map(|run| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for step in 0..4 {
                    let join = |there: Option<State>| {
                        let mut state = there.unwrap_or_else(state);
                        state.extra.insert(format!("{run}-{step}"), json!(true));
                        Ok::<_, StoreError>(state)
                    };
                    journal.update(join).await.unwrap();
                }
                journal.put_key(1, &key()).await.unwrap().spki_hash()
            })
        })
        .collect();
    let mut keys = Vec::new();
    for run in runs {
        keys.push(run.await.unwrap());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1);
    let state = journal.read().await.unwrap().unwrap();
    assert_eq!((state.rev, state.extra.len(), state.phase), (16, 16, Phase::New));
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn journals_are_listed_by_their_label() {
    let corner = Corner::new();
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps", "secrets"],
        "verbs": ["get", "list", "patch", "create"]}]);
    let backend = Backend::in_cluster(corner.cluster("sweep", &rules).await);
    for certificate in ["shop", "api"] {
        let journal = backend.journal(&name(certificate));
        journal.update(|_| Ok::<_, StoreError>(state_of(certificate))).await.unwrap();
    }
    corner.create("configmaps", &json!({"metadata": {"name": "dns01-definitions"}}));
    let empty = json!({"name": "dns01-empty", "labels": {"dns01.dev/certificate": "empty"}});
    corner.create("configmaps", &json!({"metadata": empty}));
    assert_eq!(backend.journals().await.unwrap(), [name("api"), name("shop")]);
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_damaged_journal_is_25_and_a_newer_one_11_and_neither_is_written() {
    let corner = Corner::new();
    let backend = Backend::in_cluster(corner.cluster("order", &rules(&["get", "patch"])).await);
    let journal = backend.journal(&name("shop"));
    for (text, exit) in [("{\"v\":1,", Exit::Integrity), ("{\"v\":2}", Exit::Config)] {
        let object = json!({"metadata": {"name": "dns01-shop"}, "data": {"state.json": text}});
        match corner.get("configmaps", "dns01-shop") {
            Some(_) => corner.api.replace(&corner.path("configmaps", "dns01-shop"), &object),
            None => corner.create("configmaps", &object),
        }
        let error = journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap_err();
        assert_eq!(error.exit(), exit, "{error}");
        assert_eq!(corner.get("configmaps", "dns01-shop").unwrap()["data"]["state.json"], text);
    }
}
