//! The keys.

use super::*;

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
async fn with_a_delivery_older_keys_go_and_the_key_of_a_newer_run_stays() {
    let room = room([]);
    for generation in [1, 2, 3] {
        room.journal.put_key(generation, &key()).await.unwrap();
    }
    room.journal.drop_keys_before(2).await.unwrap();
    assert!(room.journal.key(1, None).await.unwrap().is_none());
    assert!(room.journal.key(2, None).await.unwrap().is_some());
    assert!(room.journal.key(3, None).await.unwrap().is_some());
}
