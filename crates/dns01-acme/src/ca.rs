//! A certificate authority: its directory, and what it tells without an account.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Account, AccountKey, AcmeError, ExternalAccount};

/// Where a CA is and how patient we are with it.
#[derive(Clone, Debug)]
pub struct CaSettings {
    /// The directory's URL; `https`, or `http` to a loopback address.
    pub directory: String,
    /// PEM certificates trusted besides the system's (or, when set, those of `SSL_CERT_FILE`).
    pub roots_pem: Option<String>,
    /// How long one call may wait and repeat: the longest Retry-After, rejected nonces, lost connections.
    pub retry_budget: Duration,
    /// How long one exchange may take.
    pub request_timeout: Duration,
}

impl CaSettings {
    /// The defaults for this directory: one minute of patience, thirty seconds for an exchange.
    pub fn new(directory: impl Into<String>) -> Self {
        Self {
            directory: directory.into(),
            roots_pem: None,
            retry_budget: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// When a CA wants a certificate to be renewed (RFC 9773 §4.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RenewalWindow {
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The last; later than `start`.
    pub end: DateTime<Utc>,
    /// A page about it, for people.
    pub explanation_url: Option<String>,
    /// When to ask again: between a minute and a day from now (RFC 9773 §4.3.1).
    pub retry_after: Duration,
}

/// A certificate authority, and the one connection to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ca {}

impl Ca {
    /// Fetches the directory (RFC 8555 §7.1.1).
    pub async fn connect(_settings: &CaSettings) -> Result<Self, AcmeError> {
        todo!()
    }

    /// Where the terms of service can be read.
    pub fn terms_of_service(&self) -> Option<&str> {
        todo!()
    }

    /// Whether an account needs [`ExternalAccount`] credentials.
    pub fn external_account_required(&self) -> bool {
        todo!()
    }

    /// The certificate profiles on offer: name and description, sorted by name.
    pub fn profiles(&self) -> &[(String, String)] {
        todo!()
    }

    /// Whether the CA gives renewal information.
    pub fn offers_ari(&self) -> bool {
        todo!()
    }

    /// When the certificate of this ARI id should be renewed; `None` when the CA doesn't tell. Needs no account.
    pub async fn renewal_window(&self, _ari_id: &str) -> Result<Option<RenewalWindow>, AcmeError> {
        todo!()
    }

    /// The URL of the account that this key has at the CA, if any; makes none (RFC 8555 §7.3.1).
    pub async fn find_account(&self, _key: &AccountKey) -> Result<Option<String>, AcmeError> {
        todo!()
    }

    /// Makes an account, agreeing to the terms of service, and gives its URL. With a key that has an account already, that
    /// one's URL comes back. Contacts are e-mail addresses or `mailto:` URLs.
    pub async fn create_account(
        &self,
        _key: &AccountKey,
        _contact: &[String],
        _external: Option<&ExternalAccount>,
    ) -> Result<String, AcmeError> {
        todo!()
    }

    /// The account of `key` at `url`. Asks nobody.
    pub fn account(&self, _key: AccountKey, _url: String) -> Account {
        todo!()
    }
}
