//! Where journals are: `dir:PATH` or `kube:`.

use std::sync::Arc;

use dns01_core::SecretText;

use crate::account::Accounts;
use crate::journal::{Journal, Known};
use crate::kube::KubeStore;
use crate::{Cluster, DirStore, Name, Store, StoreError};

/// The documents at one address.
#[derive(Clone, Debug)]
pub struct Backend {
    store: Arc<dyn Store>,
    known: Known,
}

/// Opens `dir:PATH`, or `kube:` (the namespace of this pod, or of the current context of `KUBECONFIG`).
///
/// A folder is not touched before something is read from it or written to it.
pub async fn open(address: &str) -> Result<Backend, StoreError> {
    match address.split_once(':') {
        Some(("dir", path)) if !path.is_empty() => Ok(Backend::new(Arc::new(DirStore::new(path)))),
        Some(("kube", "")) => Ok(Backend::in_cluster(Cluster::infer().await?)),
        _ => Err(StoreError::Address { text: address.chars().take(80).collect() }),
    }
}

impl Backend {
    /// The documents in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, known: Known::default() }
    }

    /// The documents in the namespace that the cluster's configuration names.
    pub fn in_cluster(cluster: Cluster) -> Self {
        Self::new(Arc::new(KubeStore::new(cluster)))
    }

    /// The journal of one certificate; nothing is read yet.
    pub fn journal(&self, name: &Name) -> Journal {
        Journal::remembering(Arc::clone(&self.store), name.clone(), self.known.clone())
    }

    /// The accounts.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(Arc::clone(&self.store))
    }

    /// One entry of another Secret beside the journal, which this step may get by name: an account key to adopt, an
    /// HMAC key. Only on Kubernetes.
    pub async fn secret_entry(&self, secret: &str, entry: &str) -> Result<SecretText, StoreError> {
        self.store.secret_entry(secret, entry).await
    }

    /// The certificates that have a journal, sorted; on Kubernetes this needs `list` on `configmaps`.
    pub async fn journals(&self) -> Result<Vec<Name>, StoreError> {
        self.store.journals().await
    }
}
