//! `dir:PATH`: documents as files on a local disk, for hosts, compose files and volumes.
//!
//! `PATH/journal/NAME/state.json`, `PATH/journal/NAME/keys/G.pem`, `PATH/accounts/ID/…`; folders 0700, files 0600.

pub(crate) mod files;
pub(crate) mod lock;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use dns01_core::{SecretText, fail_point};
use sha2::{Digest as _, Sha256};

use crate::store::generation_of;
use crate::{Doc, Name, Store, StoreError, Version, Versioned};
use lock::Lock;

/// How long another process may hold a lock before we give up (83).
const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// A folder with documents.
#[derive(Clone, Debug)]
pub struct DirStore {
    root: PathBuf,
    lock_deadline: Duration,
}

impl DirStore {
    /// Documents under `root`; nothing is read or made before the first call.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), lock_deadline: LOCK_DEADLINE }
    }

    #[cfg(test)]
    pub(crate) fn with_lock_deadline(self, lock_deadline: Duration) -> Self {
        Self { lock_deadline, ..self }
    }

    /// The folder that is locked around a write: one per certificate and per account.
    fn home(&self, doc: &Doc) -> PathBuf {
        let kind = match doc {
            Doc::State(_) | Doc::Key(..) => "journal",
            Doc::Account(_) | Doc::AccountKey(_) | Doc::AccountNextKey(_) => "accounts",
        };
        self.root.join(kind).join(doc.name().as_str())
    }

    fn file(&self, doc: &Doc) -> PathBuf {
        let home = self.home(doc);
        if matches!(doc, Doc::Key(..)) {
            home.join("keys").join(doc.entry())
        } else {
            home.join(doc.entry())
        }
    }

    fn read(&self, doc: &Doc) -> Result<Option<Versioned>, StoreError> {
        let path = self.file(doc);
        for folder in self.folders(&path) {
            match files::check_folder(folder) {
                Ok(()) => {}
                Err(StoreError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        let Some(octets) = files::read(&path, doc.largest())? else { return Ok(None) };
        if octets.len() > doc.largest() {
            return Err(StoreError::damaged(doc, "it is larger than any real one"));
        }
        let version = Version(format!("{:x}", Sha256::digest(&octets)));
        let text = String::from_utf8(octets)
            .map_err(|error| StoreError::damaged(doc, error.utf8_error()))?;
        Ok(Some(Versioned { text: text.into(), version }))
    }

    fn write(
        &self,
        doc: &Doc,
        text: &SecretText,
        expected: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let octets = text.expose().as_bytes();
        if octets.len() > doc.largest() {
            return Err(StoreError::TooLarge {
                doc: doc.clone(),
                octets: octets.len(),
                largest: doc.largest(),
            });
        }
        let path = self.file(doc);
        for folder in self.folders(&path) {
            files::make_folder(folder, 0o700)?;
            files::check_folder(folder)?;
        }
        let _lock = Lock::take(&self.home(doc), self.lock_deadline)?;
        if self.read(doc)?.map(|found| found.version).as_ref() != expected {
            return Err(StoreError::Conflict { doc: doc.clone() });
        }
        files::remove_leftovers(path.parent().unwrap_or(&self.root))?;
        files::replace(&path, octets, 0o600)?;
        fail_point::pass("store::dir::replaced");
        Ok(Version(format!("{:x}", Sha256::digest(octets))))
    }

    fn remove(&self, doc: &Doc) -> Result<(), StoreError> {
        let path = self.file(doc);
        if self.read(doc)?.is_none() {
            return Ok(());
        }
        let _lock = Lock::take(&self.home(doc), self.lock_deadline)?;
        files::remove(&path)?;
        fail_point::pass("store::dir::removed");
        Ok(())
    }

    /// The folders from the root to `file`, outermost first.
    fn folders<'a>(&self, file: &'a Path) -> Vec<&'a Path> {
        let mut folders: Vec<_> =
            file.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)).collect();
        folders.reverse();
        folders
    }
}

#[async_trait]
impl Store for DirStore {
    async fn get(&self, doc: &Doc) -> Result<Option<Versioned>, StoreError> {
        // Here, because a small file on a local disk is read sooner than another thread is woken for it.
        Self::read(self, doc)
    }

    async fn put(
        &self,
        doc: &Doc,
        text: &SecretText,
        expected: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let (store, doc, text, expected) =
            (self.clone(), doc.clone(), text.clone(), expected.cloned());
        blocking(move || store.write(&doc, &text, expected.as_ref())).await
    }

    async fn delete(&self, doc: &Doc) -> Result<(), StoreError> {
        let (store, doc) = (self.clone(), doc.clone());
        blocking(move || store.remove(&doc)).await
    }

    async fn journals(&self) -> Result<Vec<Name>, StoreError> {
        let root = self.root.join("journal");
        blocking(move || {
            let mut names: Vec<Name> = files::entries(&root)?
                .into_iter()
                .filter(|entry| root.join(entry).join("state.json").exists())
                .filter_map(|entry| entry.parse().ok())
                .collect();
            names.sort();
            Ok(names)
        })
        .await
    }

    async fn keys(&self, name: &Name) -> Result<Vec<u64>, StoreError> {
        let folder = self.root.join("journal").join(name.as_str()).join("keys");
        blocking(move || {
            let mut generations: Vec<u64> =
                files::entries(&folder)?.iter().filter_map(|entry| generation_of(entry)).collect();
            generations.sort_unstable();
            Ok(generations)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(StoreError::Task)?
}
