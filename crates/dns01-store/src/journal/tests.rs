//! Each test is named after the rule of the journal's contract that it holds.

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

#[tokio::test]
async fn every_write_carries_a_revision_and_a_mark_of_its_own() {
    let room = room([]);
    assert!(room.journal.read().await.unwrap().is_none());
    let first = room.begin().await;
    let second = room
        .journal
        .update_generation(1, |state| {
            state.run = "run-2".into();
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    assert_eq!((first.rev, second.rev), (1, 2));
    assert_ne!(first.write, second.write);
    assert_eq!(room.journal.read().await.unwrap(), Some(second));
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changes() {
    let room = room([]);
    let first = room.begin().await;
    let same = room.journal.update_generation(1, |_| Ok::<_, StoreError>(())).await.unwrap();
    assert_eq!(same, first);
    assert_eq!(room.journal.read().await.unwrap().unwrap().rev, 1);
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_reading_and_nothing_is_written_twice() {
    let room = room([Fault::AnswerLost]);
    let decisions = AtomicU32::new(0);
    let written = room
        .journal
        .update(|current| {
            decisions.fetch_add(1, Ordering::Relaxed);
            assert_eq!(current, None);
            Ok::<_, StoreError>(state())
        })
        .await
        .unwrap();
    assert_eq!((written.rev, decisions.into_inner()), (1, 1));
    assert_eq!(room.journal.read().await.unwrap(), Some(written));
}

#[tokio::test]
async fn a_lost_request_is_repeated_as_it_was() {
    let room = room([Fault::RequestLost, Fault::RequestLost]);
    let decisions = AtomicU32::new(0);
    let written = room
        .journal
        .update(|_| {
            decisions.fetch_add(1, Ordering::Relaxed);
            Ok::<_, StoreError>(state())
        })
        .await
        .unwrap();
    assert_eq!((written.rev, decisions.into_inner()), (1, 1));
    assert_eq!(room.journal.read().await.unwrap(), Some(written));
}

#[tokio::test]
async fn on_conflict_it_is_decided_anew_from_what_is_there() {
    let first = State { rev: 1, write: "first".into(), ..state() };
    let other = serde_json::to_string(&by_another(&first)).unwrap();
    for fault in [
        Fault::OtherIsFaster(other.clone()),
        Fault::AnswerLostAndOverwritten(
            serde_json::to_string(&by_another(&by_another(&first))).unwrap(),
        ),
    ] {
        let room = room([]);
        room.put_text(&serde_json::to_string(&first).unwrap()).await;
        let faulty =
            Faulty { inner: DirStore::new(room.folder.path()), faults: Mutex::new([fault].into()) };
        let journal = Journal::new(Arc::new(faulty), name("shop"));
        let mut seen = Vec::new();
        let written = journal
            .update(|current| {
                let mut state = current.unwrap();
                seen.push(state.run.clone());
                state.forced_by = Some("run-3".into());
                Ok::<_, StoreError>(state)
            })
            .await
            .unwrap();
        assert_eq!(seen, ["run-1", "run-2"]);
        assert_eq!((written.run.as_str(), written.forced_by.as_deref()), ("run-2", Some("run-3")));
        assert_eq!(room.journal.read().await.unwrap(), Some(written));
    }
}

#[tokio::test]
async fn a_store_that_never_answers_is_75_after_the_deadline() {
    let mut room = room((0..100).map(|_| Fault::RequestLost));
    room.journal.deadline = Duration::from_millis(300);
    let error = room.journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap_err();
    assert!(matches!(error, StoreError::Deadline { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Transient);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_runs_at_once_each_ones_change_survives() {
    let room = room([]);
    room.begin().await;
    let runs: Vec<_> = (0..4)
        .map(|run| {
            let journal = room.journal.clone();
            tokio::spawn(async move {
                for step in 0..5 {
                    let change = |state: &mut State| {
                        state.extra.insert(format!("{run}-{step}"), json!(true));
                        Ok::<_, StoreError>(())
                    };
                    journal.update_generation(1, change).await.unwrap();
                }
            })
        })
        .collect();
    for run in runs {
        run.await.unwrap();
    }
    let state = room.journal.read().await.unwrap().unwrap();
    assert_eq!((state.rev, state.extra.len()), (21, 20));
}

#[tokio::test]
async fn unknown_fields_survive_a_write_at_every_level() {
    let room = room([]);
    let mut text = serde_json::to_value(full()).unwrap();
    for pointer in [
        "",
        "/spec",
        "/key",
        "/order",
        "/challenges/0",
        "/issued",
        "/sinks/0",
        "/delivered",
        "/attempts/0",
    ] {
        text.pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert("later".into(), json!({"a": [1, 2.5, null]}));
    }
    room.put_text(&text.to_string()).await;
    let rerun = |state: &mut State| {
        state.run = "run-9".into();
        Ok::<_, StoreError>(())
    };
    let written = room.journal.update_generation(2, rerun).await.unwrap();
    text["run"] = json!("run-9");
    text["rev"] = json!(written.rev);
    text["write"] = json!(written.write);
    assert_eq!(serde_json::from_str::<Value>(&room.text()).unwrap(), text);
}

#[tokio::test]
async fn a_newer_format_is_refused_and_nothing_is_written() {
    let room = room([]);
    let text = json!({"v": 2, "whatever": true}).to_string();
    room.put_text(&text).await;
    let error = room.journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Config, "{error}");
    assert_eq!(room.journal.read().await.unwrap_err().exit(), Exit::Config);
    assert_eq!(room.text(), text);
}

#[tokio::test]
async fn a_truncated_journal_is_25_and_nothing_is_written() {
    let whole = serde_json::to_string(&full()).unwrap();
    for length in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
        let room = room([]);
        room.put_text(&whole[..length]).await;
        let error = room.journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Integrity, "{error}");
        assert!(error.hint().is_some());
        assert_eq!(room.text(), whole[..length]);
    }
}

#[tokio::test]
async fn what_is_read_is_not_trusted() {
    let tampered = [
        ("/certificate", json!("other")),
        ("/spec/names", json!([])),
        ("/spec/names/0", json!("evil/../example.org")),
        ("/spec/directory", json!("http://ca.example/directory")),
        ("/spec/directory", json!("https://elsewhere.example/directory")),
        ("/spec/thumbprint", json!("short")),
        ("/order/url", json!("https://elsewhere.example/order/1")),
        ("/order/url", json!("https://ca.example@elsewhere.example/order/1")),
        ("/order/url", json!("https://ca.example:8443/order/1")),
        ("/order/url", json!("file:///etc/passwd")),
        ("/challenges/0/url", json!("http://ca.example/challenge/1")),
        ("/challenges/0/fqdn", json!("_acme-challenge.elsewhere.example")),
        ("/challenges/0/domain", json!("elsewhere.example")),
        ("/challenges/0/owner", json!("not a name")),
        ("/challenges/0/value", json!("short")),
        ("/challenges/0/value", json!("v=spf1 include:elsewhere.example ~all 01234")),
        ("/challenges/0/generation", json!(3)),
        ("/issued/chain", json!("-----BEGIN")),
        ("/issued/fingerprint", json!("sha256:00")),
        ("/delivered/chain", json!("")),
        ("/attempts", json!(vec![serde_json::to_value(&full().attempts[0]).unwrap(); 11])),
        ("/phase", json!("elsewhere")),
    ];
    for (pointer, value) in tampered {
        let room = room([]);
        let mut text = serde_json::to_value(full()).unwrap();
        *text.pointer_mut(pointer).unwrap() = value.clone();
        let text = text.to_string();
        room.put_text(&text).await;
        let error = room.journal.update(|_| Ok::<_, StoreError>(state())).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Integrity, "{pointer} {value}: {error}");
        assert_eq!(room.text(), text);
    }
    let (room, untouched) = (room([]), full());
    room.put_text(&serde_json::to_string(&untouched).unwrap()).await;
    assert_eq!(room.journal.read().await.unwrap(), Some(untouched));
}

/// Challenges of older generations have names and URLs of their own: cleanup still needs them.
#[test]
fn a_challenge_of_an_older_generation_may_have_another_name() {
    let mut state = full();
    state.challenges[0].generation = 1;
    state.challenges[0].domain = "old.example".parse().unwrap();
    state.challenges[0].fqdn = "_acme-challenge.old.example".parse().unwrap();
    state.challenges[0].url = Some("https://old-ca.example/challenge".into());
    state.check(&name("shop")).unwrap();
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_written() {
    let room = room([]);
    room.begin().await;
    let before = room.text();
    let steer = |state: &mut State| {
        state.spec.directory = "https://user@ca.example/".into();
        Ok::<_, StoreError>(())
    };
    let error = room.journal.update_generation(1, steer).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Integrity, "{error}");
    let grow = |state: &mut State| {
        state.extra.insert("large".into(), json!("x".repeat(256 * 1024)));
        Ok::<_, StoreError>(())
    };
    let error = room.journal.update_generation(1, grow).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert_eq!(room.text(), before);
}

#[tokio::test]
async fn a_late_pod_of_an_older_generation_is_superseded() {
    let room = room([]);
    room.put_text(&serde_json::to_string(&full()).unwrap()).await;
    let before = room.text();
    for generation in [1, 3] {
        let error = room
            .journal
            .update_generation(generation, |_| -> Result<(), StoreError> { unreachable!() })
            .await
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Conflict);
        assert!(error.to_string().contains("superseded"), "{error}");
    }
    assert_eq!(room.text(), before);
}

#[tokio::test]
async fn without_a_journal_there_is_no_generation_to_change() {
    let room = room([]);
    let error = room.journal.update_generation(1, |_| Ok::<_, StoreError>(())).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotFound);
}

#[tokio::test]
async fn only_the_transitions_of_the_table_are_written() {
    use Phase::{Dead, Delivered, Finalizing, Issued, New, Ordered};
    let native = [(New, Ordered), (Ordered, Finalizing)];
    let certbot = [(New, Finalizing), (Ordered, Finalizing)];
    let both = [
        (Finalizing, Issued),
        (Issued, Delivered),
        (New, Dead),
        (Ordered, Dead),
        (Finalizing, Dead),
    ];
    for (engine, own) in [(Engine::Native, native), (Engine::Certbot, certbot)] {
        for (from, to) in Phase::ALL.iter().flat_map(|from| Phase::ALL.map(|to| (*from, to))) {
            let allowed = from == to || own.contains(&(from, to)) || both.contains(&(from, to));
            assert_eq!(from.may_become(to, engine), allowed, "{from} to {to}, {engine:?}");
        }
    }
    for phase in Phase::ALL {
        let room = room([]);
        room.put_text(&serde_json::to_string(&State { phase, ..full() }).unwrap()).await;
        let anew = room
            .journal
            .update(|state| Ok::<_, StoreError>(state.unwrap().next("run-3", spec())))
            .await;
        match phase {
            Issued | Delivered | Dead => {
                let anew = anew.unwrap();
                assert_eq!((anew.generation, anew.phase), (3, New));
            }
            New | Ordered | Finalizing => {
                assert_eq!(anew.unwrap_err().exit(), Exit::Bug, "{phase}")
            }
        }
    }
}

#[tokio::test]
async fn a_generation_never_goes_back_or_skips_one() {
    let room = room([]);
    room.put_text(&serde_json::to_string(&State { phase: Phase::Dead, ..full() }).unwrap()).await;
    for generation in [1, 4] {
        let wished = State { generation, ..state() };
        let error = room.journal.update(|_| Ok::<_, StoreError>(wished.clone())).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Bug, "{error}");
    }
}

#[test]
fn a_new_generation_keeps_what_was_delivered_and_what_is_still_wanted() {
    let mut old = full();
    let mut gone = old.challenges[0].clone();
    gone.state = Presence::Gone;
    old.challenges.push(gone);
    old.extra.insert("later".into(), json!(1));
    let new = old.clone().next("run-3", spec());
    assert_eq!(new.challenges, old.challenges[..1]);
    assert_eq!(
        (&new.delivered, &new.attempts, &new.extra),
        (&old.delivered, &old.attempts, &old.extra)
    );
    assert_eq!(
        (new.order, new.key, new.issued, new.validating_at, new.dead),
        (None, None, None, None, None)
    );
    assert!(new.sinks.is_empty() && new.forced_by.is_none());
}

#[test]
fn attempts_keep_ten() {
    let mut state = state();
    for second in 0..15 {
        let at = chrono::DateTime::from_timestamp(second, 0).unwrap();
        state.attempt(at, "run-1", Act::Order);
    }
    assert_eq!(state.attempts.len(), 10);
    assert_eq!(state.attempts[0].at.timestamp(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_keys_for_one_generation_all_runs_go_on_with_the_same() {
    let room = room([Fault::AnswerLost, Fault::RequestLost]);
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let journal = room.journal.clone();
            tokio::spawn(async move { journal.put_key(3, &key()).await.unwrap() })
        })
        .collect();
    let kept = {
        let mut kept = Vec::new();
        for run in runs {
            kept.push(run.await.unwrap().spki_hash());
        }
        kept
    };
    let there = room.journal.key(3, None).await.unwrap().unwrap().spki_hash();
    assert!(kept.iter().all(|one| *one == there), "{kept:?}");
    assert!(room.journal.key(4, None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_key_must_match_the_spki_that_the_state_names() {
    let room = room([]);
    let ours = room.journal.put_key(1, &key()).await.unwrap();
    let named = ours.spki_hash();
    assert!(room.journal.key(1, Some(&named)).await.unwrap().is_some());
    let error = room.journal.key(1, Some(&key().spki_hash())).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Integrity);
    let path = room.folder.path().join("journal/shop/keys/1.pem");
    std::fs::write(path, "hunter2").unwrap();
    let error = room.journal.key(1, None).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Integrity);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn keys_are_kept_until_they_are_named_no_more() {
    let room = room([]);
    for generation in [1, 2, 3] {
        room.journal.put_key(generation, &key()).await.unwrap();
    }
    room.journal.drop_keys_except(&[2, 3]).await.unwrap();
    assert!(room.journal.key(1, None).await.unwrap().is_none());
    assert!(room.journal.key(2, None).await.unwrap().is_some());
    assert!(room.journal.key(3, None).await.unwrap().is_some());
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
