//! The room that speaks to CAs, against a real one and against hostile ones.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod account;
mod faults;
mod hostile;
mod order;

use std::time::Duration;

use dns01_acme::{Account, AccountKey, AcmeError, AuthorizationStatus, Ca, CaSettings, Order, csr};
use dns01_core::{Chain, Identifier, KeyType, PrivateKey};
use harness::{Lab, Pebble};
use tokio::time::Instant;

/// How to reach a CA of this lab: patient enough for a busy machine, not for a test that hangs.
fn settings(lab: &Lab, directory: &str) -> CaSettings {
    CaSettings {
        roots_pem: Some(lab.ca().pem().to_owned()),
        retry_budget: Duration::from_secs(20),
        request_timeout: Duration::from_secs(10),
        ..CaSettings::new(directory)
    }
}

async fn connect(lab: &Lab, directory: &str) -> Ca {
    Ca::connect(&settings(lab, directory)).await.unwrap()
}

/// A pebble that accepts every challenge.
fn pebble(lab: &Lab) -> Pebble {
    Pebble::builder(lab, lab.address()).always_valid().start()
}

async fn register(ca: &Ca) -> Account {
    let key = AccountKey::generate().unwrap();
    let url = ca.create_account(&key, &[], None).await.unwrap();
    ca.account(key, url)
}

fn names(names: &[&str]) -> Vec<Identifier> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Places an order and has its challenges met.
async fn ready(account: &Account, names: &[Identifier]) -> Result<Order, AcmeError> {
    meet(account, account.place(names, None, None).await?).await
}

async fn meet(account: &Account, order: Order) -> Result<Order, AcmeError> {
    let authorizations = account.authorizations(&order).await?;
    // Even where pebble is told to reuse no authorization, it reuses one in a hundred.
    let pending =
        authorizations.into_iter().filter(|one| one.status == AuthorizationStatus::Pending);
    let challenges: Vec<_> = pending.map(|one| one.dns01.unwrap().url).collect();
    account.validate(&challenges).await?;
    account.wait_ready(&order.url, soon()).await
}

/// A whole order, checked as a step would.
async fn issue(account: &Account, names: &[Identifier]) -> Result<Chain, AcmeError> {
    finish(account, account.place(names, None, None).await?, names).await
}

async fn finish(account: &Account, order: Order, names: &[Identifier]) -> Result<Chain, AcmeError> {
    let order = meet(account, order).await?;
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let order = account.finalize(&order, &csr(names, &key)?).await?;
    let order = account.wait_valid(order, soon()).await?;
    let chain = Chain::from_pem(&account.download(&order, None).await?).unwrap();
    chain.check(names, &key.spki_hash(), chrono::Utc::now()).unwrap();
    Ok(chain)
}
