//! The contract of a backend: small documents, read whole, written only by compare-and-swap.

use std::fmt;

use async_trait::async_trait;
use dns01_core::{PrivateKey, SecretText};

use crate::journal::Patience;
use crate::{Name, StoreError};

/// The largest `state` document that is read or written, in octets.
pub(crate) const LARGEST_STATE: usize = 256 * 1024;

/// The largest key or account document, in octets: several times an RSA-4096 key.
const LARGEST_SECRET: usize = 16 * 1024;

/// Which document is meant. What it is decides where it lies and whether it is a secret.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Doc {
    /// The public state of a certificate.
    State(Name),
    /// The private key of one generation of a certificate.
    Key(Name, u64),
    /// What is known about an account at its CA.
    Account(Name),
    /// The key of an account.
    AccountKey(Name),
    /// The key that an account changes to, while it does.
    AccountNextKey(Name),
}

/// What tells one content of a document from every other. Only compared, never understood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version(pub(crate) String);

/// A document as it was read. Its text is treated as a secret whatever the document is.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The whole document.
    pub text: SecretText,
    /// What a later [`Store::put`] must be given to replace it.
    pub version: Version,
}

/// Somewhere documents are kept. Everything is durable when a call returns.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The document, or `None` where there is none.
    async fn get(&self, doc: &Doc) -> Result<Option<Versioned>, StoreError>;

    /// Writes the document if it still has the version `expected`; `None` means: if it does not exist.
    /// [`StoreError::Conflict`] where it does not; an error whose
    /// [`may_have_written`](StoreError::may_have_written) is true leaves open whether it was written.
    async fn put(
        &self,
        doc: &Doc,
        text: &SecretText,
        expected: Option<&Version>,
    ) -> Result<Version, StoreError>;

    /// Removes the document; done as well where there is none.
    async fn delete(&self, doc: &Doc) -> Result<(), StoreError>;

    /// The certificates that have a journal, sorted.
    async fn journals(&self) -> Result<Vec<Name>, StoreError>;

    /// The generations of a certificate whose keys are kept, sorted.
    async fn keys(&self, name: &Name) -> Result<Vec<u64>, StoreError>;

    /// One entry of a Secret that is not ours. Only on Kubernetes.
    async fn secret_entry(&self, secret: &str, _entry: &str) -> Result<SecretText, StoreError> {
        Err(StoreError::NoSecrets { secret: secret.to_owned() })
    }
}

impl Doc {
    /// The certificate or account it belongs to.
    pub fn name(&self) -> &Name {
        match self {
            Self::State(name) | Self::Key(name, _) => name,
            Self::Account(id) | Self::AccountKey(id) | Self::AccountNextKey(id) => id,
        }
    }

    /// The name of the document inside the folder or object of its owner.
    pub(crate) fn entry(&self) -> String {
        match self {
            Self::State(_) => "state.json".into(),
            Self::Key(_, generation) => format!("{generation}.pem"),
            Self::Account(_) => "account.json".into(),
            Self::AccountKey(_) => "key.pem".into(),
            Self::AccountNextKey(_) => "next-key.pem".into(),
        }
    }

    /// The most octets it may have.
    pub(crate) fn largest(&self) -> usize {
        if matches!(self, Self::State(_)) { LARGEST_STATE } else { LARGEST_SECRET }
    }
}

impl fmt::Display for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(name) => write!(f, "journal of `{name}`"),
            Self::Key(name, generation) => write!(f, "key of `{name}`, generation {generation}"),
            Self::Account(id) => write!(f, "account `{id}`"),
            Self::AccountKey(id) => write!(f, "key of account `{id}`"),
            Self::AccountNextKey(id) => write!(f, "next key of account `{id}`"),
        }
    }
}

/// The generation of a key from the name of its entry.
pub(crate) fn generation_of(entry: &str) -> Option<u64> {
    let generation = entry.strip_suffix(".pem")?.parse().ok()?;
    (entry == format!("{generation}.pem")).then_some(generation)
}

/// Stores `key` unless there is one; gives the one that is there then. The loser of a race adopts the winner's.
pub(crate) async fn put_if_absent(
    store: &dyn Store,
    doc: &Doc,
    key: &PrivateKey,
    mut patience: Patience,
) -> Result<PrivateKey, StoreError> {
    loop {
        if let Some(found) = store.get(doc).await? {
            return PrivateKey::from_pem(&found.text).map_err(|e| StoreError::damaged(doc, e));
        }
        match store.put(doc, key.pem(), None).await {
            Ok(_) => return Ok(key.clone()),
            Err(error) if error.is_worth_another_look() => patience.pause(doc, error).await?,
            Err(error) => return Err(error),
        }
    }
}
