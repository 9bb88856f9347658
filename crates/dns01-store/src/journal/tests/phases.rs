//! Generations and phases.

use super::*;

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
                assert_eq!(anew.unwrap_err().exit(), Exit::Bug, "{phase}");
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
