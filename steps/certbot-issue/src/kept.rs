//! What the journal keeps for a generation and both engines start from: the account, and the request for the key.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dns01_acme::{AccountKey, Ca};
use dns01_core::Exit;
use dns01_step::{Attempt, Failure};
use dns01_store::Backend;
use dns01_store::journal::{Kept, KeptKey, Phase, State};

use crate::journal::Generation;

/// The account that the generation belongs to: its key, and its URL at the CA where that is on record.
pub(crate) async fn account(
    backend: &Backend,
    state: &State,
) -> Result<(AccountKey, Option<String>), Failure> {
    let spec = &state.spec;
    let stored = backend.accounts().read(&spec.account).await;
    let stored = stored.attempt(|| format!("read the account `{}`", spec.account))?;
    let stored = stored.ok_or_else(|| no_account(spec.account.as_str()))?;
    let record = stored.record.filter(|record| record.directory == spec.directory);
    let key = AccountKey::new(stored.key);
    let key = key.attempt(|| format!("use the account `{}`", spec.account))?;
    // Once the order may be finalized the CA says whether it is this account's: to refuse would leave it open for good.
    if key.thumbprint() != spec.thumbprint && state.phase != Phase::Finalizing {
        let what = format!(
            "the account `{}` has another key than the one that placed the order",
            spec.account
        );
        return Err(Failure::new(Exit::Integrity, what)
            .hint("start a new run, or restore the account's key"));
    }
    Ok((key, record.map(|record| record.url)))
}

/// The account's URL where the record of it is lost: the CA knows it by its key.
pub(crate) async fn account_url(ca: &Ca, key: &AccountKey, id: &str) -> Result<String, Failure> {
    let found = ca.find_account(key).await;
    let found = found.attempt(|| format!("ask the CA for the account `{id}`"))?;
    found.ok_or_else(|| no_account(id))
}

fn no_account(id: &str) -> Failure {
    Failure::new(Exit::Config, format!("the account `{id}` is not in this journal"))
        .hint("run `order` with the same --journal first; it makes the account")
}

/// The certificate signing request, DER: the user's own, or one for the journalled key, which is read back here. A
/// lost key is the end of the generation.
pub(crate) async fn csr(
    generation: &Generation<'_>,
    state: &State,
    key: &KeptKey,
) -> Result<Vec<u8>, Failure> {
    if let (Kept::Csr, Some(csr)) = (key.kept, &key.csr) {
        let der = BASE64_STANDARD.decode(csr);
        return der.map_err(|_| Failure::new(Exit::Integrity, "the CSR in the journal is damaged"));
    }
    let read = generation.journal.key(generation.number, Some(&key.spki)).await;
    let Some(key) = read.attempt(|| "read back the private key".into())? else {
        let failure = Failure::new(Exit::OrderDead, "the private key of this generation is lost");
        return Err(generation.dead(failure, "key lost").await?);
    };
    dns01_acme::csr(&state.spec.names, &key).attempt(|| "make a CSR".into())
}
