//! What is read and what is written: formats, damage, tampering.

use super::*;

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
        ("/generation", json!(u64::MAX)),
        ("/rev", json!(u64::MAX)),
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
