//! An account at a CA, and what it may ask for.

use dns01_core::{Challenge, Identifier, SecretText};
use tokio::time::Instant;

use crate::{AccountKey, AcmeError, Authorization, Order};

/// The credentials with which a CA ties an ACME account to a customer (RFC 8555 §7.3.4).
#[derive(Clone, Debug)]
pub struct ExternalAccount {
    /// The key identifier.
    pub kid: String,
    /// The HMAC key as the CA shows it: base64url, with or without padding (plain base64 is understood too).
    pub hmac: SecretText,
}

/// An account: a key and the URL under which the CA knows it.
#[derive(Clone, Debug)]
pub struct Account {}

impl Account {
    /// The account's URL.
    pub fn url(&self) -> &str {
        todo!()
    }

    /// The account's key.
    pub fn key(&self) -> &AccountKey {
        todo!()
    }

    /// Places an order (RFC 8555 §7.4). `replaces` is the ARI id of the certificate that it renews; it is left out when
    /// the CA has no ARI, and given up when the CA says `alreadyReplaced` (RFC 9773 §5).
    pub async fn place(
        &self,
        _names: &[Identifier],
        _profile: Option<&str>,
        _replaces: Option<&str>,
    ) -> Result<Order, AcmeError> {
        todo!()
    }

    /// Asks for an order as the CA has it now.
    pub async fn order(&self, _url: &str) -> Result<Order, AcmeError> {
        todo!()
    }

    /// Asks for all authorizations of an order, at once.
    pub async fn authorizations(&self, _order: &Order) -> Result<Vec<Authorization>, AcmeError> {
        todo!()
    }

    /// The challenge that an authorization asks this account to meet.
    pub fn challenge(&self, _authorization: &Authorization) -> Result<Challenge, AcmeError> {
        todo!()
    }

    /// Tells the CA to look at these challenges now, all at once. An answer may come back before the CA has looked.
    pub async fn validate(&self, _challenge_urls: &[String]) -> Result<(), AcmeError> {
        todo!()
    }

    /// Asks for the order, at once and again, until it is no longer `pending`. An order that became `invalid` is
    /// [`AcmeError::Invalid`], with the names and the CA's words; the deadline passing is [`AcmeError::NotYet`].
    pub async fn wait_ready(&self, _url: &str, _deadline: Instant) -> Result<Order, AcmeError> {
        todo!()
    }

    /// Hands in the CSR. Where the CA's answer is lost, the order is asked for: what comes back is how it stands.
    pub async fn finalize(&self, _order: &Order, _csr_der: &[u8]) -> Result<Order, AcmeError> {
        todo!()
    }

    /// Asks for the order until it is `valid`; at once only if `order` is not so already. Errors as
    /// [`Account::wait_ready`].
    pub async fn wait_valid(&self, _order: Order, _deadline: Instant) -> Result<Order, AcmeError> {
        todo!()
    }

    /// Downloads the chain of a valid order as PEM, leaf first. With `preferred_chain` the alternates are fetched too, and
    /// the first whose topmost certificate was issued by that common name is taken, else the CA's default.
    pub async fn download(
        &self,
        _order: &Order,
        _preferred_chain: Option<&str>,
    ) -> Result<String, AcmeError> {
        todo!()
    }

    /// Replaces the account's key (RFC 8555 §7.3.5). After a lost answer ask [`crate::Ca::find_account`] which one is live.
    pub async fn change_key(&self, _new: &AccountKey) -> Result<(), AcmeError> {
        todo!()
    }
}

