use dns01_core::{Exit, Explain as _};

use super::*;
use crate::DirStore;
use crate::fixture::{key, name};

fn accounts() -> (tempfile::TempDir, Accounts) {
    let folder = tempfile::tempdir().unwrap();
    let store = DirStore::new(folder.path());
    (folder, Accounts::new(Arc::new(store)))
}

#[test]
fn an_account_is_named_after_the_issuer_or_the_ca() {
    let directory = "https://ca.corp.example/acme/directory";
    for (issuer, directory, kid, expected) in [
        (Some("corp"), directory, None, "corp"),
        (None, "https://acme-v02.api.letsencrypt.org/directory", None, "letsencrypt"),
        (
            None,
            "https://acme-staging-v02.api.letsencrypt.org/directory",
            None,
            "letsencrypt-staging",
        ),
    ] {
        assert_eq!(id(issuer, directory, kid).unwrap(), name(expected));
    }
    let plain = id(None, directory, None).unwrap();
    assert!(plain.as_str().starts_with("ca-") && plain.as_str().len() == 13);
    assert_eq!(plain, id(None, directory, None).unwrap());
    assert_ne!(plain, id(None, directory, Some("kid")).unwrap());
    assert_ne!(plain, id(None, "https://other.example/directory", None).unwrap());
    assert!(id(Some("../corp"), directory, None).is_err());
}

#[tokio::test]
async fn the_key_is_put_if_absent_and_the_loser_adopts() {
    let (_folder, accounts) = accounts();
    let corp = name("corp");
    assert!(accounts.read(&corp).await.unwrap().is_none());
    let first = accounts.put_key(&corp, &key()).await.unwrap();
    let second = accounts.put_key(&corp, &key()).await.unwrap();
    assert_eq!(first.spki_hash(), second.spki_hash());
    let account = accounts.read(&corp).await.unwrap().unwrap();
    assert_eq!(account.key.spki_hash(), first.spki_hash());
    assert!(account.next_key.is_none() && account.record.is_none());
}

#[tokio::test]
async fn a_record_is_read_as_it_was_written_and_a_newer_one_is_refused() {
    let (folder, accounts) = accounts();
    let corp = name("corp");
    accounts.put_key(&corp, &key()).await.unwrap();
    let mut record =
        AccountRecord::new("https://ca.example/directory", "https://ca.example/acct/1");
    accounts.put_record(&corp, &record).await.unwrap();
    record.contact = vec!["mailto:ops@example.org".into()];
    accounts.put_record(&corp, &record).await.unwrap();
    assert_eq!(accounts.read(&corp).await.unwrap().unwrap().record, Some(record.clone()));

    let path = folder.path().join("accounts/corp/account.json");
    for (text, exit) in [
        (r#"{"v":2,"directory":"","url":"","eab_kid":null}"#, Exit::Config),
        ("{", Exit::Integrity),
    ] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(accounts.put_record(&corp, &record).await.unwrap_err().exit(), exit);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_rollover_may_stop_anywhere_and_go_on() {
    let (_folder, accounts) = accounts();
    let corp = name("corp");
    let old = accounts.put_key(&corp, &key()).await.unwrap();
    let next = accounts.put_next_key(&corp, &key()).await.unwrap();
    let again = accounts.put_next_key(&corp, &key()).await.unwrap();
    assert_eq!(next.spki_hash(), again.spki_hash(), "an unfinished rollover goes on with its key");
    let account = accounts.read(&corp).await.unwrap().unwrap();
    assert_eq!(account.key.spki_hash(), old.spki_hash());

    // Promoted, but killed before the next key was forgotten.
    let doc = Doc::AccountKey(corp.clone());
    let version = accounts.store.get(&doc).await.unwrap().unwrap().version;
    accounts.store.put(&doc, next.pem(), Some(&version)).await.unwrap();
    for _ in 0..2 {
        accounts.promote_next_key(&corp).await.unwrap();
        let account = accounts.read(&corp).await.unwrap().unwrap();
        assert_eq!(account.key.spki_hash(), next.spki_hash());
        assert!(account.next_key.is_none());
    }

    accounts.put_next_key(&corp, &key()).await.unwrap();
    accounts.drop_next_key(&corp).await.unwrap();
    let last = accounts.put_next_key(&corp, &key()).await.unwrap();
    accounts.promote_next_key(&corp).await.unwrap();
    let account = accounts.read(&corp).await.unwrap().unwrap();
    assert_eq!(account.key.spki_hash(), last.spki_hash());
}
