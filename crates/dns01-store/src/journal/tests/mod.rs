//! Each test is named after the rule of the journal's contract that it holds.

mod keys;
mod phases;
mod trust;
mod writes;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use dns01_core::{Exit, Explain as _};
use serde_json::{Value, json};

use super::*;
use crate::fixture::{bundle, key, name, spec, state};
use crate::{DirStore, KubeError, Versioned};

/// What goes wrong with one write.
#[derive(Debug)]
enum Fault {
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is not done, and nobody says so.
    RequestLost,
    /// Another process is faster, with this text.
    OtherIsFaster(String),
    /// It is done, its answer is lost, and another process writes this text right after it.
    AnswerLostAndOverwritten(String),
}

/// A store in which writes go wrong as told.
#[derive(Debug)]
struct Faulty {
    inner: DirStore,
    faults: Mutex<VecDeque<Fault>>,
}

fn lost() -> StoreError {
    KubeError::Unavailable { object: "x".into(), cause: "reset".into() }.into()
}

impl Faulty {
    async fn overwrite(&self, doc: &Doc, text: &str) -> Result<(), StoreError> {
        let version = self.inner.get(doc).await?.map(|found| found.version);
        self.inner.put(doc, &text.into(), version.as_ref()).await.map(|_| ())
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, doc: &Doc) -> Result<Option<Versioned>, StoreError> {
        self.inner.get(doc).await
    }

    async fn put(
        &self,
        doc: &Doc,
        text: &SecretText,
        expected: Option<&Version>,
    ) -> Result<Version, StoreError> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None => self.inner.put(doc, text, expected).await,
            Some(Fault::RequestLost) => Err(lost()),
            Some(Fault::AnswerLost) => {
                self.inner.put(doc, text, expected).await?;
                Err(lost())
            }
            Some(Fault::OtherIsFaster(other)) => {
                self.overwrite(doc, &other).await?;
                self.inner.put(doc, text, expected).await
            }
            Some(Fault::AnswerLostAndOverwritten(other)) => {
                self.inner.put(doc, text, expected).await?;
                self.overwrite(doc, &other).await?;
                Err(lost())
            }
        }
    }

    async fn delete(&self, doc: &Doc) -> Result<(), StoreError> {
        self.inner.delete(doc).await
    }

    async fn journals(&self) -> Result<Vec<Name>, StoreError> {
        self.inner.journals().await
    }

    async fn keys(&self, name: &Name) -> Result<Vec<u64>, StoreError> {
        self.inner.keys(name).await
    }
}

struct Room {
    folder: tempfile::TempDir,
    journal: Journal,
}

fn room(faults: impl IntoIterator<Item = Fault>) -> Room {
    let folder = tempfile::tempdir().unwrap();
    let inner = DirStore::new(folder.path());
    let store = Faulty { inner, faults: Mutex::new(faults.into_iter().collect()) };
    Room { journal: Journal::new(Arc::new(store), name("shop")), folder }
}

impl Room {
    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("journal/shop/state.json")).unwrap()
    }

    async fn put_text(&self, text: &str) {
        let doc = self.journal.doc();
        let version = self.journal.store.get(&doc).await.unwrap().map(|found| found.version);
        self.journal.store.put(&doc, &text.into(), version.as_ref()).await.unwrap();
    }

    async fn begin(&self) -> State {
        self.journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap()
    }
}

/// What another process writes: the state with one more revision and another run.
fn by_another(state: &State) -> State {
    State { rev: state.rev + 1, write: "other".into(), run: "run-2".into(), ..state.clone() }
}

/// A state with something in every field, generation 2.
fn full() -> State {
    let chain = bundle(1).chain;
    let leaf = chain.leaf();
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    State {
        rev: 41,
        write: "41".into(),
        generation: 2,
        phase: Phase::Issued,
        key: Some(KeptKey {
            kept: Kept::Journal,
            spki: leaf.spki.clone(),
            csr: None,
            extra: Extra::new(),
        }),
        order: Some(Order {
            url: "https://ca.example/order/1".into(),
            expires: Some(at),
            replaces: None,
            extra: Extra::new(),
        }),
        validating_at: Some(at),
        challenges: vec![Wanted {
            generation: 2,
            domain: "shop.example.org".parse().unwrap(),
            fqdn: "_acme-challenge.shop.example.org".parse().unwrap(),
            owner: "shop.challenges.example.net".parse().unwrap(),
            value: "v".repeat(43),
            url: Some("https://ca.example/challenge/1".into()),
            state: Presence::Wanted,
            extra: Extra::new(),
        }],
        issued: Some(Issued {
            chain: chain.pem(),
            serial: leaf.serial.clone(),
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            fingerprint: leaf.fingerprint.clone(),
            ari: None,
            extra: Extra::new(),
        }),
        sinks: vec![SinkRecord {
            id: "secret:web/shop".into(),
            fingerprint: None,
            at,
            error: Some("not found".into()),
            extra: Extra::new(),
        }],
        delivered: Some(Delivered {
            generation: 1,
            chain: chain.pem(),
            not_after: at + TimeDelta::days(1),
            ari: None,
            ari_draw: Some("0.5".into()),
            extra: Extra::new(),
        }),
        attempts: vec![Attempt {
            at,
            run: "run-1".into(),
            act: Act::Finalize,
            code: Some(0),
            why: None,
            extra: Extra::new(),
        }],
        retry_at: Some(Utc::now()),
        ..state()
    }
}
