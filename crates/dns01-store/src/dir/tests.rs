use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::time::Duration;

use dns01_core::{Exit, Explain as _};

use super::*;
use crate::fixture::name;

fn store() -> (tempfile::TempDir, DirStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DirStore::new(folder.path().join("dns01"));
    (folder, store)
}

fn state() -> Doc {
    Doc::State(name("shop"))
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

async fn put(store: &DirStore, doc: &Doc, text: &str) -> Version {
    let version = store.get(doc).await.unwrap().map(|found| found.version);
    store.put(doc, &text.into(), version.as_ref()).await.unwrap()
}

#[tokio::test]
async fn a_document_is_read_as_it_was_written_and_reading_makes_nothing() {
    let (_folder, store) = store();
    assert!(store.get(&state()).await.unwrap().is_none());
    assert!(!store.root.exists());
    let version = put(&store, &state(), "{}").await;
    let found = store.get(&state()).await.unwrap().unwrap();
    assert_eq!((found.text.expose(), &found.version), ("{}", &version));
    store.delete(&state()).await.unwrap();
    store.delete(&state()).await.unwrap();
    assert!(store.get(&state()).await.unwrap().is_none());
}

#[tokio::test]
async fn documents_lie_where_the_contract_says_and_only_we_can_read_them() {
    let (_folder, store) = store();
    for (doc, path) in [
        (state(), "journal/shop/state.json"),
        (Doc::Key(name("shop"), 7), "journal/shop/keys/7.pem"),
        (Doc::AccountKey(name("corp")), "accounts/corp/key.pem"),
        (Doc::Account(name("corp")), "accounts/corp/account.json"),
    ] {
        put(&store, &doc, "text").await;
        let path = store.root.join(path);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600, "{}", path.display());
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&store.root))
        {
            assert_eq!(
                fs::metadata(folder).unwrap().mode() & 0o7777,
                0o700,
                "{}",
                folder.display()
            );
        }
    }
    assert_eq!(store.journals().await.unwrap(), [name("shop")]);
    assert_eq!(store.keys(&name("shop")).await.unwrap(), [7]);
    assert!(store.keys(&name("other")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_write_against_another_version_is_a_conflict_and_changes_nothing() {
    let (_folder, store) = store();
    let first = put(&store, &state(), "1").await;
    put(&store, &state(), "2").await;
    for expected in [None, Some(&first)] {
        let error = store.put(&state(), &"3".into(), expected).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    }
    assert_eq!(store.get(&state()).await.unwrap().unwrap().text.expose(), "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_at_once_exactly_one_wins() {
    let (_folder, store) = store();
    for round in 0..10 {
        let version = store.get(&state()).await.unwrap().map(|found| found.version);
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (store, version) = (store.clone(), version.clone());
                let text = SecretText::from(format!("{round} {writer}"));
                tokio::spawn(async move { store.put(&state(), &text, version.as_ref()).await })
            })
            .collect();
        let mut won = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error}"),
            }
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn a_lock_that_another_process_holds_is_waited_for_and_then_83() {
    let (_folder, store) = store();
    let store = store.with_lock_deadline(Duration::from_millis(200));
    put(&store, &state(), "1").await;
    let lock = store.root.join("journal/shop/.lock");
    let mut holder = Command::new("flock")
        .arg(&lock)
        .args(["sh", "-c", "echo held; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(holder.stdout.take().unwrap()), &mut held)
        .unwrap();
    let version = store.get(&state()).await.unwrap().unwrap().version;
    let error = store.put(&state(), &"2".into(), Some(&version)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Locked, "{error}");

    let patient = store.clone().with_lock_deadline(Duration::from_secs(30));
    let waiting =
        tokio::spawn(async move { patient.put(&state(), &"3".into(), Some(&version)).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().code().is_some());
    waiting.await.unwrap().unwrap();
    assert!(lock.exists(), "the lock file is never deleted");
}

#[tokio::test]
async fn what_others_can_read_or_change_is_refused_with_the_command_that_mends_it() {
    let (_folder, store) = store();
    let key = Doc::Key(name("shop"), 1);
    put(&store, &key, "key").await;
    put(&store, &state(), "{}").await;
    let keys = store.root.join("journal/shop/keys");
    for (path, mode, safe, doc) in [
        (keys.join("1.pem"), 0o644, 0o600, &key),
        (keys.join("1.pem"), 0o640, 0o600, &key),
        (store.root.join("journal/shop/state.json"), 0o644, 0o600, &state()),
        (keys.clone(), 0o770, 0o700, &key),
        (store.root.join("journal"), 0o777, 0o700, &state()),
        (store.root.clone(), 0o722, 0o700, &state()),
    ] {
        chmod(&path, mode);
        for error in [
            store.get(doc).await.unwrap_err(),
            store.put(doc, &"new".into(), None).await.unwrap_err(),
        ] {
            assert_eq!(error.exit(), Exit::LocalIo, "{error}");
            let hint = error.hint().unwrap();
            assert!(hint.contains("chmod") && hint.contains(path.to_str().unwrap()), "{hint}");
        }
        chmod(&path, safe);
        assert!(store.get(doc).await.is_ok());
    }
}

#[test]
fn what_another_user_owns_is_refused() {
    let ours = rustix::process::geteuid().as_raw();
    for owner in [0, ours] {
        assert!(files::check_owner(Path::new("x"), owner).is_ok());
    }
    let error = files::check_owner(Path::new("x"), ours + 1).unwrap_err();
    assert_eq!(error.exit(), Exit::LocalIo);
    assert_eq!(error.hint().unwrap(), format!("run `chown {ours} x`"));
}

#[tokio::test]
async fn a_symbolic_link_or_a_folder_in_place_of_a_key_is_refused() {
    let (folder, store) = store();
    let key = Doc::Key(name("shop"), 1);
    put(&store, &key, "key").await;
    let path = store.root.join("journal/shop/keys/1.pem");
    let elsewhere = folder.path().join("elsewhere.pem");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(store.get(&key).await.unwrap_err().exit(), Exit::LocalIo);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(store.get(&key).await.unwrap_err().exit(), Exit::LocalIo);
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "key");
}

#[tokio::test]
async fn what_a_killed_writer_left_is_removed_by_the_next() {
    let (_folder, store) = store();
    put(&store, &state(), "1").await;
    let leftover = store.root.join("journal/shop/.tmp-0123");
    fs::write(&leftover, "half").unwrap();
    put(&store, &state(), "2").await;
    assert!(!leftover.exists());
}

#[test]
fn a_failed_write_leaves_the_old_content_and_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("old"), "old").unwrap();
    assert!(files::replace(&path, b"new", 0o600).is_err());
    assert_eq!(files::entries(folder.path()).unwrap(), ["file"]);
    assert_eq!(fs::read_to_string(path.join("old")).unwrap(), "old");
}

#[test]
fn a_full_disk_is_82_and_a_read_only_one_is_30() {
    for (errno, exit) in [
        (rustix::io::Errno::NOSPC, Exit::LocalResource),
        (rustix::io::Errno::DQUOT, Exit::LocalResource),
        (rustix::io::Errno::MFILE, Exit::LocalResource),
        (rustix::io::Errno::ROFS, Exit::LocalIo),
        (rustix::io::Errno::ACCESS, Exit::LocalIo),
        (rustix::io::Errno::IO, Exit::LocalIo),
    ] {
        let error = StoreError::io("write", Path::new("/x"))(errno.into());
        assert_eq!(error.exit(), exit, "{errno:?}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn what_is_larger_than_any_real_document_is_neither_written_nor_read() {
    let (_folder, store) = store();
    let large = "x".repeat(256 * 1024 + 1);
    let error = store.put(&state(), &large.as_str().into(), None).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    put(&store, &state(), "{}").await;
    let path = store.root.join("journal/shop/state.json");
    fs::write(&path, &large).unwrap();
    assert_eq!(store.get(&state()).await.unwrap_err().exit(), Exit::Integrity);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(store.get(&state()).await.unwrap_err().exit(), Exit::Integrity);
}
