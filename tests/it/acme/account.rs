//! Accounts: found, made, bound, given another key.

use dns01_acme::{AccountKey, AcmeError, ExternalAccount};
use dns01_core::{Exit, Explain as _};
use harness::{Lab, Pebble};

use super::{connect, issue, names, pebble, register};

const HMAC: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_account_is_found_only_once_it_was_made_and_made_only_once() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let ca = connect(&lab, &pebble.directory()).await;
    let key = AccountKey::generate().unwrap();
    assert_eq!(ca.find_account(&key).await.unwrap(), None);
    let contact = ["ops@example.org".to_owned()];
    let url = ca.create_account(&key, &contact, None).await.unwrap();
    assert_eq!(ca.find_account(&key).await.unwrap(), Some(url.clone()));
    assert_eq!(ca.create_account(&key, &[], None).await.unwrap(), url);
    assert!(ca.terms_of_service().is_some() && !ca.external_account_required());
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_ca_for_customers_wants_their_key_and_refuses_a_wrong_one() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).eab("kid-1", HMAC).always_valid().start();
    let ca = connect(&lab, &pebble.directory()).await;
    assert!(ca.external_account_required());
    let key = AccountKey::generate().unwrap();
    assert_eq!(ca.find_account(&key).await.unwrap(), None);
    let external = |hmac: &str| ExternalAccount { kid: "kid-1".into(), hmac: hmac.into() };

    let without = ca.create_account(&key, &[], None).await.unwrap_err();
    assert_eq!(without.exit(), Exit::CaRejected);
    assert!(without.hint().unwrap().contains("--eab-kid"), "{without}");
    let wrong = external(&HMAC.to_lowercase());
    let refused = ca.create_account(&key, &[], Some(&wrong)).await.unwrap_err();
    assert!(matches!(refused, AcmeError::Refused(_)), "{refused}");
    let garbled = ca.create_account(&key, &[], Some(&external("not base64!"))).await.unwrap_err();
    assert_eq!(garbled.exit(), Exit::Config);

    let url = ca.create_account(&key, &[], Some(&external(HMAC))).await.unwrap();
    assert_eq!(ca.find_account(&key).await.unwrap(), Some(url));
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn after_a_key_change_only_the_new_key_has_the_account() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let ca = connect(&lab, &pebble.directory()).await;
    let account = register(&ca).await;
    let new = AccountKey::generate().unwrap();
    account.change_key(&new).await.unwrap();
    assert_eq!(ca.find_account(account.key()).await.unwrap(), None);
    assert_eq!(ca.find_account(&new).await.unwrap().as_deref(), Some(account.url()));
    let account = ca.account(new, account.url().to_owned());
    issue(&account, &names(&["example.org"])).await.unwrap();
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn only_asking_tells_whether_a_key_change_went_through() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let ca = connect(&lab, &pebble.directory()).await;
    let (one, other) = (register(&ca).await, register(&ca).await);
    // The key is taken: pebble changes nothing, and yet its status is 200 (RFC 8555 §7.3.5 wants 409).
    one.change_key(other.key()).await.ok();
    assert_eq!(ca.find_account(other.key()).await.unwrap().as_deref(), Some(other.url()));
    assert_eq!(ca.find_account(one.key()).await.unwrap().as_deref(), Some(one.url()));
}
