//! `kube:`: documents as entries of a `ConfigMap` or a Secret in this pod's namespace.
//!
//! State is in ConfigMap `dns01-NAME`, keys in Secret `dns01-NAME-key`, an account in Secret `dns01-account-ID`. None
//! has an owner, so that no workflow's end takes a key away.

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dns01_core::{LABEL_PREFIX, SecretText, fail_point};
use serde_json::{Value, json};

use super::{Cluster, Kind, KubeError, MANAGED_BY, Object, ObjectName};
use crate::store::generation_of;
use crate::{Doc, Name, Store, StoreError, Version, Versioned};

/// Documents in one namespace.
#[derive(Clone, Debug)]
pub(crate) struct KubeStore {
    pub(super) cluster: Cluster,
}

impl KubeStore {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    fn object(&self, doc: &Doc) -> ObjectName {
        let (kind, name) = match doc {
            Doc::State(name) => (Kind::ConfigMap, format!("dns01-{name}")),
            Doc::Key(name, _) => (Kind::Secret, format!("dns01-{name}-key")),
            Doc::Account(id) | Doc::AccountKey(id) | Doc::AccountNextKey(id) => {
                (Kind::Secret, format!("dns01-account-{id}"))
            }
        };
        self.cluster.object(kind, None, &name)
    }

    async fn make(&self, doc: &Doc, object: &ObjectName) -> Result<Object, KubeError> {
        let body = json!({
            "apiVersion": "v1",
            "kind": object.kind.name(),
            "metadata": {
                "name": object.name,
                "labels": {
                    MANAGED_BY: "dns01",
                    format!("{LABEL_PREFIX}/{}", label_of(doc)): doc.name().as_str(),
                },
            },
        });
        let made = self.cluster.make(object, &body).await?;
        fail_point::pass("store::kube::made");
        Ok(made)
    }

    async fn merge(
        &self,
        doc: &Doc,
        object: &ObjectName,
        version: &str,
        value: Value,
    ) -> Result<Object, StoreError> {
        let body = json!({
            "metadata": {"resourceVersion": version},
            "data": {doc.entry(): value},
        });
        let merged = self.cluster.merge(object, &body).await;
        merged.map_err(|error| match error {
            KubeError::Conflict { .. } => StoreError::Conflict { doc: doc.clone() },
            error => error.into(),
        })
    }
}

#[async_trait]
impl Store for KubeStore {
    async fn get(&self, doc: &Doc) -> Result<Option<Versioned>, StoreError> {
        let object = self.object(doc);
        let Some(found) = self.cluster.get(&object).await? else { return Ok(None) };
        let version = Version(found.version().to_owned());
        let Some(value) = found.entry(&doc.entry()) else { return Ok(None) };
        let text = match object.kind {
            Kind::ConfigMap => value.to_owned(),
            Kind::Secret => {
                decode(value).ok_or_else(|| StoreError::damaged(doc, "it is no text"))?
            }
        };
        if text.len() > doc.largest() {
            return Err(StoreError::damaged(doc, "it is larger than any real one"));
        }
        Ok(Some(Versioned { text: text.into(), version }))
    }

    async fn put(
        &self,
        doc: &Doc,
        text: &SecretText,
        expected: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let (octets, largest) = (text.expose().len(), doc.largest());
        if octets > largest {
            return Err(StoreError::TooLarge { doc: doc.clone(), octets, largest });
        }
        let object = self.object(doc);
        let found = match (self.cluster.get(&object).await?, expected) {
            (Some(found), _) => found,
            (None, Some(_)) => return Err(StoreError::Conflict { doc: doc.clone() }),
            (None, None) => self.make(doc, &object).await?,
        };
        let is_expected = match expected {
            None => found.entry(&doc.entry()).is_none(),
            Some(Version(version)) => version == found.version(),
        };
        if !is_expected {
            return Err(StoreError::Conflict { doc: doc.clone() });
        }
        let value = match object.kind {
            Kind::ConfigMap => text.expose().to_owned(),
            Kind::Secret => BASE64_STANDARD.encode(text.expose()),
        };
        let written = self.merge(doc, &object, found.version(), value.into()).await?;
        fail_point::pass("store::kube::written");
        Ok(Version(written.version().to_owned()))
    }

    async fn delete(&self, doc: &Doc) -> Result<(), StoreError> {
        let object = self.object(doc);
        let Some(found) = self.cluster.get(&object).await? else { return Ok(()) };
        if found.entry(&doc.entry()).is_none() {
            return Ok(());
        }
        self.merge(doc, &object, found.version(), Value::Null).await?;
        fail_point::pass("store::kube::removed");
        Ok(())
    }

    async fn journals(&self) -> Result<Vec<Name>, StoreError> {
        let label = format!("{LABEL_PREFIX}/certificate");
        let mut names: Vec<Name> = self
            .cluster
            .labelled(&label)
            .await?
            .iter()
            .filter(|found| found.entry("state.json").is_some())
            .filter_map(|found| found.metadata.name.as_ref()?.strip_prefix("dns01-")?.parse().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    async fn keys(&self, name: &Name) -> Result<Vec<u64>, StoreError> {
        let object = self.object(&Doc::Key(name.clone(), 0));
        let found = self.cluster.get(&object).await?;
        let data = found.and_then(|found| found.data).unwrap_or_default();
        let mut generations: Vec<u64> =
            data.keys().filter_map(|entry| generation_of(entry)).collect();
        generations.sort_unstable();
        Ok(generations)
    }

    async fn secret_entry(&self, secret: &str, entry: &str) -> Result<SecretText, StoreError> {
        self.entry_of(secret, entry).await
    }
}

fn label_of(doc: &Doc) -> &'static str {
    match doc {
        Doc::State(_) | Doc::Key(..) => "certificate",
        Doc::Account(_) | Doc::AccountKey(_) | Doc::AccountNextKey(_) => "account",
    }
}

fn decode(value: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()
}
