//! The account: its key is stored before the CA hears of it, and whoever comes second adopts the first one's.

use dns01_acme::{AccountKey, Ca, ExternalAccount};
use dns01_core::{Exit, KeyType, PrivateKey, SecretText};
use dns01_step::{Attempt, ChosenIssuer, Failure, HmacKey};
use dns01_store::account::{Account, AccountRecord};
use dns01_store::{Backend, Name};

/// The key of the account `id`, made or adopted on first use.
pub(crate) async fn key(
    backend: &Backend,
    id: &Name,
    issuer: &ChosenIssuer,
) -> Result<(AccountKey, Account), Failure> {
    let what = || format!("read the account `{id}`");
    if let Some(account) = backend.accounts().read(id).await.attempt(what)? {
        let key = AccountKey::new(account.key.clone()).attempt(what)?;
        return Ok((key, account));
    }
    let fresh = match &issuer.adopt {
        Some(reference) => {
            let what = || format!("adopt the account key in Secret `{}`", reference.name);
            let entry = secret_entry(backend, &reference.name, &reference.key).await?;
            let key = PrivateKey::from_pem(&entry).attempt(what)?;
            // Looked at before it is stored: it is adopted once, and one that cannot be used would stay.
            AccountKey::new(key.clone()).attempt(what)?;
            key
        }
        None => PrivateKey::generate(KeyType::P256).attempt(|| "make an account key".into())?,
    };
    let key = backend
        .accounts()
        .put_key(id, &fresh)
        .await
        .attempt(|| format!("store the key of account `{id}`"))?;
    let account = Account { key: key.clone(), next_key: None, record: None };
    Ok((AccountKey::new(key).attempt(what)?, account))
}

/// The account at the CA: known from before, found by its key, or created.
pub(crate) async fn at_ca(
    backend: &Backend,
    ca: &Ca,
    id: &Name,
    issuer: &ChosenIssuer,
    directory: &str,
    (key, account): (AccountKey, Account),
) -> Result<dns01_acme::Account, Failure> {
    if let Some(record) = account.record.filter(|record| record.directory == directory) {
        return Ok(ca.account(key, record.url));
    }
    let found =
        ca.find_account(&key).await.attempt(|| format!("ask `{directory}` for account `{id}`"))?;
    let mut record = AccountRecord::new(directory, "");
    record.url = match found {
        Some(url) => url,
        None => create(backend, ca, id, issuer, &key, &mut record).await?,
    };
    dns01_core::fail_point::pass("order::account-known");
    backend.accounts().put_record(id, &record).await.attempt(|| format!("store account `{id}`"))?;
    Ok(ca.account(key, record.url))
}

async fn create(
    backend: &Backend,
    ca: &Ca,
    id: &Name,
    issuer: &ChosenIssuer,
    key: &AccountKey,
    record: &mut AccountRecord,
) -> Result<String, Failure> {
    if let (Some(terms), false) = (ca.terms_of_service(), issuer.agreed) {
        return Err(Failure::new(
            Exit::Config,
            "a new account needs your agreement to the CA's terms of service",
        )
        .hint("read them, then give --agree-tos, or set termsOfServiceAgreed: true in the issuer")
        .fact("terms", terms));
    }
    record.contact = issuer.email.iter().map(|address| format!("mailto:{address}")).collect();
    let external = match &issuer.external_account {
        Some((kid, source)) => {
            record.eab_kid = Some(kid.clone());
            let hmac = match source {
                HmacKey::Here(key) => key.clone(),
                HmacKey::Secret(reference) => {
                    secret_entry(backend, &reference.name, &reference.key).await?
                }
            };
            Some(ExternalAccount { kid: kid.clone(), hmac })
        }
        None => None,
    };
    ca.create_account(key, &record.contact, external.as_ref())
        .await
        .attempt(|| format!("create account `{id}` at the CA"))
}

async fn secret_entry(backend: &Backend, name: &str, key: &str) -> Result<SecretText, Failure> {
    let entry = backend.secret_entry(name, key).await;
    entry.attempt(|| format!("read `{key}` of Secret `{name}`"))
}
