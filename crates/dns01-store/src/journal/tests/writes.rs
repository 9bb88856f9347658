//! One write: compare and swap, lost answers, several runs at once.

use super::*;

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
