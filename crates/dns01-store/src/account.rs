//! ACME accounts: their keys and what the CA knows them by.

use std::sync::Arc;
use std::time::Duration;

use dns01_core::{PrivateKey, SecretText, ca_name, fail_point};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::journal::{Extra, Patience};
use crate::store::put_if_absent;
use crate::{Doc, Name, Store, StoreError, Version};

const FORMAT: u64 = 1;
const DEADLINE: Duration = Duration::from_mins(1);

/// The accounts at one address.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Arc<dyn Store>,
}

/// An account as it is kept.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its key, stored before the CA hears of it.
    pub key: PrivateKey,
    /// The key it changes to; present while a rollover is unfinished.
    pub next_key: Option<PrivateKey>,
    /// What the CA knows; `None` until it answered.
    pub record: Option<AccountRecord>,
}

/// What is known about an account at its CA.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountRecord {
    /// The format; 1.
    pub v: u64,
    /// The URL of the ACME directory.
    pub directory: String,
    /// The account's URL (its `kid`).
    pub url: String,
    /// Contacts as the CA got them: `mailto:…`.
    #[serde(default)]
    pub contact: Vec<String>,
    /// The key id of the external account binding.
    pub eab_kid: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl AccountRecord {
    /// The record of an account at `url`.
    pub fn new(directory: &str, url: &str) -> Self {
        Self {
            v: FORMAT,
            directory: directory.to_owned(),
            url: url.to_owned(),
            contact: Vec::new(),
            eab_kid: None,
            extra: Extra::new(),
        }
    }
}

/// Our name for an account: the issuer's name in the configuration, else `letsencrypt` or `letsencrypt-staging`, else
/// `ca-` and ten hexadecimal digits of the SHA-256 of directory URL and EAB key id.
pub fn id(
    issuer: Option<&str>,
    directory: &str,
    eab_kid: Option<&str>,
) -> Result<Name, StoreError> {
    let known = ca_name(directory).filter(|name| name.starts_with("letsencrypt"));
    match (issuer, known) {
        (Some(name), _) | (None, Some(name)) => name.parse(),
        (None, None) => {
            let digest = Sha256::digest(format!("{directory}\n{}", eab_kid.unwrap_or_default()));
            format!("ca-{}", &format!("{digest:x}")[..10]).parse()
        }
    }
}

impl Accounts {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The account `id`, or `None` where no key is kept for it.
    pub async fn read(&self, id: &Name) -> Result<Option<Account>, StoreError> {
        let Some((key, _)) = self.key(&Doc::AccountKey(id.clone())).await? else {
            return Ok(None);
        };
        let next_key = self.key(&Doc::AccountNextKey(id.clone())).await?.map(|(key, _)| key);
        let record = self.record(id).await?.map(|(record, _)| record);
        Ok(Some(Account { key, next_key, record }))
    }

    /// Keeps `key` as the account's unless one is kept already; gives the one that is kept then.
    pub async fn put_key(&self, id: &Name, key: &PrivateKey) -> Result<PrivateKey, StoreError> {
        let doc = Doc::AccountKey(id.clone());
        let kept = put_if_absent(&*self.store, &doc, key, Patience::new(DEADLINE)).await?;
        fail_point::pass("store::account::key");
        Ok(kept)
    }

    /// Keeps what the CA said; the last writer wins, because every writer has asked the same CA.
    pub async fn put_record(&self, id: &Name, record: &AccountRecord) -> Result<(), StoreError> {
        let doc = Doc::Account(id.clone());
        let text = serde_json::to_string(record)
            .map_err(|error| StoreError::Unsound { doc: doc.clone(), cause: error.into() })?;
        let text = SecretText::from(text);
        let mut patience = Patience::new(DEADLINE);
        loop {
            let found = self.record(id).await?;
            if found.as_ref().is_some_and(|(found, _)| found == record) {
                return Ok(());
            }
            let version = found.map(|(_, version)| version);
            match self.store.put(&doc, &text, version.as_ref()).await {
                Ok(_) => {
                    fail_point::pass("store::account::record");
                    return Ok(());
                }
                Err(error) if error.is_worth_another_look() => patience.pause(&doc, error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Keeps the key that the account is about to change to, unless a rollover is unfinished; gives the one kept then.
    pub async fn put_next_key(
        &self,
        id: &Name,
        key: &PrivateKey,
    ) -> Result<PrivateKey, StoreError> {
        let doc = Doc::AccountNextKey(id.clone());
        let kept = put_if_absent(&*self.store, &doc, key, Patience::new(DEADLINE)).await?;
        fail_point::pass("store::account::next-key");
        Ok(kept)
    }

    /// Makes the next key the account's key. The CA was asked before which of the two is live.
    pub async fn promote_next_key(&self, id: &Name) -> Result<(), StoreError> {
        let doc = Doc::AccountKey(id.clone());
        let mut patience = Patience::new(DEADLINE);
        loop {
            let Some((next, _)) = self.key(&Doc::AccountNextKey(id.clone())).await? else {
                return Ok(());
            };
            let found = self.key(&doc).await?;
            if found.as_ref().is_some_and(|(key, _)| key.spki() == next.spki()) {
                return self.drop_next_key(id).await;
            }
            let version = found.map(|(_, version)| version);
            match self.store.put(&doc, next.pem(), version.as_ref()).await {
                Ok(_) => fail_point::pass("store::account::promoted"),
                Err(error) if error.is_worth_another_look() => patience.pause(&doc, error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Forgets the next key: the CA does not know it.
    pub async fn drop_next_key(&self, id: &Name) -> Result<(), StoreError> {
        self.store.delete(&Doc::AccountNextKey(id.clone())).await
    }

    async fn key(&self, doc: &Doc) -> Result<Option<(PrivateKey, Version)>, StoreError> {
        let Some(found) = self.store.get(doc).await? else { return Ok(None) };
        let key = PrivateKey::from_pem(&found.text).map_err(|e| StoreError::damaged(doc, e))?;
        Ok(Some((key, found.version)))
    }

    async fn record(&self, id: &Name) -> Result<Option<(AccountRecord, Version)>, StoreError> {
        let doc = Doc::Account(id.clone());
        let Some(found) = self.store.get(&doc).await? else { return Ok(None) };
        let record: AccountRecord = serde_json::from_str(found.text.expose())
            .map_err(|_| StoreError::damaged(&doc, "it is no JSON object of an account"))?;
        if record.v > FORMAT {
            return Err(StoreError::Newer { doc, found: record.v, known: FORMAT });
        }
        Ok(Some((record, found.version)))
    }
}

#[cfg(test)]
mod tests;
