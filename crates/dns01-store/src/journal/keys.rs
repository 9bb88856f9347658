//! The secret half of a journal: one private key per generation.

use dns01_core::{PrivateKey, SpkiHash, fail_point};

use super::{Journal, Patience};
use crate::store::put_if_absent;
use crate::{Doc, StoreError};

impl Journal {
    /// Keeps `key` for `generation` unless one is kept already. Gives the key that is kept then: with two runs at
    /// once, both go on with the same.
    pub async fn put_key(
        &self,
        generation: u64,
        key: &PrivateKey,
    ) -> Result<PrivateKey, StoreError> {
        let doc = Doc::Key(self.name.clone(), generation);
        let kept = put_if_absent(&*self.store, &doc, key, Patience::new(self.deadline)).await?;
        fail_point::pass("store::journal::key");
        Ok(kept)
    }

    /// The key of `generation`, or `None`. With `named`, a key other than that one is refused (25).
    pub async fn key(
        &self,
        generation: u64,
        named: Option<&SpkiHash>,
    ) -> Result<Option<PrivateKey>, StoreError> {
        let doc = Doc::Key(self.name.clone(), generation);
        let Some(found) = self.store.get(&doc).await? else { return Ok(None) };
        let key = PrivateKey::from_pem(&found.text).map_err(|e| StoreError::damaged(&doc, e))?;
        match named {
            Some(named) if key.spki_hash() != *named => {
                Err(StoreError::OtherKey { doc, found: key.spki_hash(), named: named.clone() })
            }
            _ => Ok(Some(key)),
        }
    }

    /// Removes the keys of older generations. A newer one may have begun meanwhile: its key stays.
    pub async fn drop_keys_before(&self, kept: u64) -> Result<(), StoreError> {
        for generation in self.store.keys(&self.name).await? {
            if generation < kept {
                self.store.delete(&Doc::Key(self.name.clone(), generation)).await?;
                fail_point::pass("store::journal::key-dropped");
            }
        }
        Ok(())
    }
}
