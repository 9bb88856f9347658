//! Objects that are not ours, read by name: definitions, an account key to adopt, an HMAC key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dns01_core::SecretText;

use super::{Cluster, Kind, KubeError, KubeStore};
use crate::StoreError;

impl Cluster {
    /// The entries of the `ConfigMap` `name` in our namespace; `None` where there is none.
    pub async fn config_map(
        &self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, KubeError> {
        let found = self.get(&self.object(Kind::ConfigMap, None, name)).await?;
        Ok(found.map(|object| object.data.unwrap_or_default()))
    }
}

impl KubeStore {
    /// One entry of the Secret `name` in our namespace.
    pub(super) async fn entry_of(&self, name: &str, entry: &str) -> Result<SecretText, StoreError> {
        let missing = || StoreError::NoEntry { secret: name.to_owned(), entry: entry.to_owned() };
        let object = self.cluster.get(&self.cluster.object(Kind::Secret, None, name)).await?;
        let object = object.ok_or_else(missing)?;
        let text = object.entry(entry).and_then(|value| BASE64_STANDARD.decode(value).ok());
        let text = text.and_then(|octets| String::from_utf8(octets).ok()).ok_or_else(missing)?;
        Ok(text.trim().into())
    }
}
