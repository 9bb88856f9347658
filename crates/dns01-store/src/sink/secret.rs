//! `secret:[NAMESPACE/]NAME`: a `kubernetes.io/tls` Secret, written by server-side apply.
//!
//! Our label is the mark of ownership. What has another one, or none, is not touched unless told so; `cert-manager.io/`
//! is never written.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::SecondsFormat;
use dns01_core::{Bundle, Certificate, Chain, LABEL_PREFIX, PrivateKey, SecretText, fail_point};
use serde_json::{Map, Value, json};

use super::{Held, Place, SinkError, SinkOptions, Stored, refuse_older};
use crate::Name;
use crate::kube::{Cluster, Kind, KubeError, MANAGED_BY, Object, ObjectName};

const TLS: &str = "kubernetes.io/tls";
const CERT_MANAGER: &str = "cert-manager.io/certificate-name";

/// So often somebody else may be faster before we give up (75).
const MOST_CONFLICTS: usize = 10;

/// A Secret as a sink.
#[derive(Clone, Debug)]
pub(super) struct TlsSecret {
    cluster: Cluster,
    object: ObjectName,
    options: SinkOptions,
    certificate: Name,
}

impl TlsSecret {
    pub(super) fn new(
        cluster: Cluster,
        namespace: Option<&str>,
        name: &str,
        options: &SinkOptions,
        certificate: &Name,
    ) -> Self {
        let object = cluster.object(Kind::Secret, namespace, name);
        Self { cluster, object, options: options.clone(), certificate: certificate.clone() }
    }

    /// Refuses what is not ours, and what cannot become what we need.
    fn check_found(&self, found: &Object) -> Result<(), SinkError> {
        let sink = self.object.to_string();
        if found.immutable == Some(true) {
            return Err(SinkError::Unusable { sink, why: "it is immutable".into() });
        }
        let kind = found.r#type.as_deref().unwrap_or("Opaque");
        if kind != TLS {
            let why = format!("it has the type `{kind}`, which cannot become `{TLS}`");
            return Err(SinkError::Unusable { sink, why });
        }
        let owner = found.label(&format!("{LABEL_PREFIX}/certificate"));
        if owner == Some(self.certificate.as_str()) || self.options.take_over {
            return Ok(());
        }
        if let Some(certificate) = found.annotation(CERT_MANAGER) {
            return Err(SinkError::CertManager { sink, certificate: certificate.into() });
        }
        let why = match owner {
            Some(owner) => format!("it holds the certificate `{owner}`"),
            None => format!("it has no label `{LABEL_PREFIX}/certificate`"),
        };
        Err(SinkError::Foreign { sink, why })
    }

    /// One look and one write; a conflict where somebody else wrote in between.
    async fn write_once(&self, wanted: &mut Value, bundle: &Bundle) -> Result<Stored, SinkError> {
        let found = self.cluster.get(&self.object).await.map_err(KubeError::before_write)?;
        let found = match found {
            Some(found) => found,
            None => self.make(&wanted["metadata"]["labels"]).await?,
        };
        self.check_found(&found)?;
        refuse_older(&self.object, held(&found).as_ref(), bundle)?;
        if is_there(wanted, &found) {
            return Ok(Stored::Unchanged);
        }
        wanted["metadata"]["resourceVersion"] = found.version().into();
        self.cluster.apply(&self.object, wanted).await?;
        fail_point::pass("store::sink::secret::applied");
        Ok(Stored::Written)
    }

    /// An empty Secret. To apply it filled, two first deliveries at once would not see each other: they are one manager.
    async fn make(&self, labels: &Value) -> Result<Object, KubeError> {
        let ours = [MANAGED_BY.to_owned(), format!("{LABEL_PREFIX}/certificate")];
        let labels: Map<_, _> =
            ours.map(|key| (key.clone(), labels[&key].clone())).into_iter().collect();
        let body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": TLS,
            "metadata": {"name": self.object.name, "labels": labels},
            "data": {"tls.crt": "", "tls.key": ""},
        });
        let made = self.cluster.make(&self.object, &body).await?;
        fail_point::pass("store::sink::secret::made");
        Ok(made)
    }

    /// The whole object as we want it.
    fn wanted(&self, bundle: &Bundle, key: &PrivateKey) -> Value {
        let mut labels = strings(&self.options.labels);
        labels.insert(MANAGED_BY.into(), "dns01".into());
        labels.insert(format!("{LABEL_PREFIX}/certificate"), self.certificate.as_str().into());
        let mut annotations = strings(&self.options.annotations);
        annotations.extend(described(bundle.chain.leaf()));
        let chain = bundle.chain.pem();
        let mut data = Map::new();
        let mut put =
            |name: &str, text: &str| data.insert(name.into(), BASE64_STANDARD.encode(text).into());
        put("tls.crt", &chain);
        put("tls.key", key.pem().expose());
        if self.options.is_combined() {
            put("tls-combined.pem", &format!("{}{chain}", key.pem().expose()));
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": TLS,
            "metadata": {"name": self.object.name, "labels": labels, "annotations": annotations},
            "data": data,
        })
    }
}

#[async_trait]
impl Place for TlsSecret {
    async fn held(&self) -> Result<Option<Held>, SinkError> {
        Ok(self.cluster.get(&self.object).await?.as_ref().and_then(held))
    }

    async fn check(&self) -> Result<(), SinkError> {
        let found = self.cluster.get(&self.object).await?;
        found.as_ref().map_or(Ok(()), |found| self.check_found(found))
    }

    async fn write(&self, bundle: &Bundle) -> Result<Stored, SinkError> {
        let Some(key) = &bundle.key else {
            return Err(SinkError::KeyNeeded { sink: self.object.to_string() });
        };
        let mut wanted = self.wanted(bundle, key);
        for _ in 0..MOST_CONFLICTS {
            match self.write_once(&mut wanted, bundle).await {
                Err(SinkError::Kube(KubeError::Conflict { .. })) => {}
                done => return done,
            }
        }
        self.write_once(&mut wanted, bundle).await
    }
}

fn held(found: &Object) -> Option<Held> {
    let text = |entry| {
        let octets = BASE64_STANDARD.decode(found.entry(entry)?).ok()?;
        Some(SecretText::from(String::from_utf8(octets).ok()?))
    };
    let chain = Chain::from_pem(text("tls.crt")?.expose()).ok()?;
    let key = text("tls.key").and_then(|pem| PrivateKey::from_pem(&pem).ok());
    Some(Held { chain, key: key.map(|key| key.spki_hash()) })
}

/// Whether everything wanted is there already; more labels and annotations of others are welcome.
fn is_there(wanted: &Value, found: &Object) -> bool {
    let all = |part: &Value, there: &dyn Fn(&str) -> Option<String>| {
        part.as_object().is_some_and(|part| {
            part.iter().all(|(key, value)| value.as_str() == there(key).as_deref())
        })
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let entries = found.data.as_ref().map_or(0, BTreeMap::len);
    all(&wanted["data"], &|key| owned(found.entry(key)))
        && wanted["data"].as_object().is_some_and(|data| data.len() == entries)
        && all(&wanted["metadata"]["labels"], &|key| owned(found.label(key)))
        && all(&wanted["metadata"]["annotations"], &|key| owned(found.annotation(key)))
}

/// What people want to see without decoding; annotations, because labels can hold neither names nor times.
fn described(leaf: &Certificate) -> Vec<(String, Value)> {
    let names: Vec<String> = leaf.names.iter().map(ToString::to_string).collect();
    [
        ("names", names.join(",")),
        ("serial", leaf.serial.clone()),
        ("not-after", leaf.not_after.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ("issuer", leaf.issuer.clone()),
        ("fingerprint", leaf.fingerprint.clone()),
    ]
    .into_iter()
    .map(|(key, value)| (format!("{LABEL_PREFIX}/{key}"), value.into()))
    .collect()
}

fn strings(map: &BTreeMap<String, String>) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect()
}
