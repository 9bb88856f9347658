//! `secret:` as a sink.

use dns01_core::{Bundle, Exit, Explain as _, SinkOptions};
use dns01_store::sink::{Sink, SinkError, Stored};
use dns01_store::{Cluster, Name};
use serde_json::{Value, json};

use super::{Corner, bundle, rule};

const CREATE: [&str; 3] = ["get", "patch", "create"];

fn sink(cluster: &Cluster, options: &SinkOptions) -> Sink {
    let certificate: Name = "shop".parse().unwrap();
    Sink::secret_in(cluster, None, "shop-tls", options, &certificate).unwrap()
}

async fn store_rule(corner: &Corner) -> Cluster {
    corner.cluster("store", &json!([rule("secrets", "shop-tls", &CREATE)])).await
}

async fn store(cluster: &Cluster, bundle: &Bundle) -> Result<Stored, SinkError> {
    sink(cluster, &SinkOptions::default()).store(bundle).await
}

async fn take_over(cluster: &Cluster, bundle: &Bundle) -> Result<Stored, SinkError> {
    let options = SinkOptions { take_over: true, ..SinkOptions::default() };
    sink(cluster, &options).store(bundle).await
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_secret_is_made_by_name_only_described_and_written_only_when_it_differs() {
    let corner = Corner::new();
    let cluster = store_rule(&corner).await;
    let bundle = bundle(1);
    let plain = sink(&cluster, &SinkOptions::default());
    assert_eq!(plain.read().await.unwrap(), None);
    assert_eq!(plain.store(&bundle).await.unwrap(), Stored::Written);
    assert_eq!(plain.store(&bundle).await.unwrap(), Stored::Unchanged);
    assert_eq!(plain.read().await.unwrap().unwrap().chain, bundle.chain);

    let secret = corner.get("secrets", "shop-tls").unwrap();
    let (leaf, notes) = (bundle.chain.leaf(), &secret["metadata"]["annotations"]);
    assert_eq!(secret["type"], "kubernetes.io/tls");
    assert_eq!(secret["metadata"]["labels"]["app.kubernetes.io/managed-by"], "dns01");
    assert_eq!(secret["metadata"]["labels"]["dns01.dev/certificate"], "shop");
    assert_eq!(notes["dns01.dev/names"], "shop.example.org");
    assert_eq!(notes["dns01.dev/serial"], leaf.serial);
    assert_eq!(notes["dns01.dev/fingerprint"], leaf.fingerprint);
    assert_eq!(
        notes["dns01.dev/not-after"],
        leaf.not_after.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    );
    let managers = secret["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|m| m["manager"] == "dns01" && m["operation"] == "Apply"));

    let certificate: Name = "shop".parse().unwrap();
    let other = Sink::secret_in(&cluster, None, "other", &SinkOptions::default(), &certificate);
    assert_eq!(other.unwrap().store(&bundle).await.unwrap_err().exit(), Exit::AuthRefused);
    assert!(corner.get("secrets", "other").is_none());
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn options_are_applied_and_taken_back() {
    let corner = Corner::new();
    let cluster = store_rule(&corner).await;
    let bundle = bundle(1);
    let options = SinkOptions {
        labels: [("team".to_owned(), "web".to_owned())].into(),
        annotations: [("note".to_owned(), "ours".to_owned())].into(),
        formats: [dns01_core::SinkFormat::CombinedPem].into(),
        ..SinkOptions::default()
    };
    assert_eq!(sink(&cluster, &options).store(&bundle).await.unwrap(), Stored::Written);
    assert_eq!(sink(&cluster, &options).store(&bundle).await.unwrap(), Stored::Unchanged);
    let secret = corner.get("secrets", "shop-tls").unwrap();
    assert_eq!(secret["metadata"]["labels"]["team"], "web");
    assert_eq!(secret["metadata"]["annotations"]["note"], "ours");
    assert!(secret["data"]["tls-combined.pem"].is_string());

    assert_eq!(store(&cluster, &bundle).await.unwrap(), Stored::Written);
    let secret = corner.get("secrets", "shop-tls").unwrap();
    assert_eq!(secret["data"]["tls-combined.pem"], Value::Null);
    assert_eq!(secret["metadata"]["labels"]["team"], Value::Null);
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_leaf_is_never_replaced_by_one_with_an_earlier_not_before() {
    let corner = Corner::new();
    let cluster = store_rule(&corner).await;
    let (old, new) = (bundle(30), bundle(1));
    store(&cluster, &old).await.unwrap();
    store(&cluster, &new).await.unwrap();
    for result in [store(&cluster, &old).await, take_over(&cluster, &old).await] {
        assert_eq!(result.unwrap_err().exit(), Exit::Conflict);
    }
    let held = sink(&cluster, &SinkOptions::default()).read().await.unwrap().unwrap();
    assert_eq!(held.chain, new.chain);
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn what_somebody_else_owns_is_26_and_untouched_unless_taken_over() {
    let foreign = [
        (json!({}), json!({}), "--take-over"),
        (json!({"dns01.dev/certificate": "other"}), json!({}), "--take-over"),
        (json!({}), json!({"cert-manager.io/certificate-name": "shop"}), "delete the Certificate"),
    ];
    for (labels, annotations, hint) in foreign {
        let corner = Corner::new();
        let cluster = store_rule(&corner).await;
        corner.create(
            "secrets",
            &json!({
                "metadata": {"name": "shop-tls", "labels": labels, "annotations": annotations},
                "type": "kubernetes.io/tls",
                "data": {"tls.crt": "Zm9v", "tls.key": "YmFy", "ca.crt": "Zm9v"},
            }),
        );
        let before = corner.get("secrets", "shop-tls");
        let ours = bundle(1);
        let error = store(&cluster, &ours).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Conflict, "{error}");
        assert!(error.hint().unwrap().contains(hint), "{error}");
        assert_eq!(corner.get("secrets", "shop-tls"), before);

        assert_eq!(take_over(&cluster, &ours).await.unwrap(), Stored::Written);
        assert_eq!(store(&cluster, &bundle(0)).await.unwrap(), Stored::Written);
        let after = corner.get("secrets", "shop-tls").unwrap();
        let note = "cert-manager.io/certificate-name";
        assert_eq!(after["metadata"]["annotations"].get(note), annotations.get(note));
    }
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_secret_that_cannot_become_a_tls_secret_is_26() {
    let ours = json!({"name": "shop-tls", "labels": {"dns01.dev/certificate": "shop"}});
    for object in [
        json!({"metadata": ours, "type": "Opaque"}),
        json!({"metadata": ours, "type": "kubernetes.io/tls", "immutable": true,
            "data": {"tls.crt": "", "tls.key": ""}}),
    ] {
        let corner = Corner::new();
        let cluster = store_rule(&corner).await;
        corner.create("secrets", &object);
        for result in [store(&cluster, &bundle(1)).await, take_over(&cluster, &bundle(1)).await] {
            let error = result.unwrap_err();
            assert_eq!(error.exit(), Exit::Conflict, "{error}");
            assert!(error.hint().unwrap().contains("delete"), "{error}");
        }
    }
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn what_the_chart_made_empty_is_filled_with_get_and_patch() {
    let corner = Corner::new();
    let rules = json!([rule("secrets", "shop-tls", &["get", "patch"])]);
    let cluster = corner.cluster("store", &rules).await;
    let error = store(&cluster, &bundle(1)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::AuthRefused, "{error}");
    assert!(error.hint().unwrap().contains(r#""verbs":["get","patch","create"]"#), "{error}");
    corner.create("secrets", &json!({
        "metadata": {"name": "shop-tls",
            "labels": {"app.kubernetes.io/managed-by": "Helm", "dns01.dev/certificate": "shop"}},
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": "", "tls.key": ""},
    }));
    let ours = bundle(1);
    assert_eq!(store(&cluster, &ours).await.unwrap(), Stored::Written);
    assert_eq!(store(&cluster, &ours).await.unwrap(), Stored::Unchanged);
}

#[tokio::test]
#[ignore = "needs kube-apiserver"]
async fn a_missing_namespace_is_21_and_a_certificate_without_key_12() {
    let corner = Corner::new();
    let cluster = store_rule(&corner).await;
    let keyless = Bundle { key: None, ..bundle(1) };
    assert_eq!(store(&cluster, &keyless).await.unwrap_err().exit(), Exit::Input);

    let everything = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]});
    let admin = corner.cluster("admin", &json!([everything])).await;
    corner.allow_everywhere("admin");
    let certificate: Name = "shop".parse().unwrap();
    let options = SinkOptions::default();
    let nowhere = Sink::secret_in(&admin, Some("nowhere"), "shop-tls", &options, &certificate);
    let error = nowhere.unwrap().store(&bundle(1)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs kube-apiserver"]
async fn of_deliveries_at_once_the_newest_certificate_stays() {
    let corner = Corner::new();
    let cluster = store_rule(&corner).await;
    let bundles = [1, 9, 3, 7, 5].map(bundle);
    let newest = bundles[0].chain.clone();
    let deliveries: Vec<_> = bundles
        .into_iter()
        .map(|bundle| {
            let cluster = cluster.clone();
            tokio::spawn(async move { store(&cluster, &bundle).await })
        })
        .collect();
    for delivery in deliveries {
        if let Err(error) = delivery.await.unwrap() {
            assert_eq!(error.exit(), Exit::Conflict, "{error}");
        }
    }
    let held = sink(&cluster, &SinkOptions::default()).read().await.unwrap().unwrap();
    assert_eq!(held.chain, newest);
}
