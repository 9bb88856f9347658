//! Authorizations: the CA's permission, name by name.

use chrono::{DateTime, Utc};
use dns01_core::DomainName;
pub use instant_acme::{AuthorizationStatus, ChallengeStatus};

use crate::Problem;

/// The CA's permission for one name (RFC 8555 §7.1.4).
#[derive(Clone, Debug)]
pub struct Authorization {
    /// Its URL.
    pub url: String,
    /// The name, without `*.`.
    pub domain: DomainName,
    /// Whether it is for `*.domain`.
    pub wildcard: bool,
    /// How it stands.
    pub status: AuthorizationStatus,
    /// Until when it can be used.
    pub expires: Option<DateTime<Utc>>,
    /// The DNS-01 challenge, where the CA offers one.
    pub dns01: Option<Dns01>,
}

/// A DNS-01 challenge as the CA states it (RFC 8555 §8.4).
#[derive(Clone, Debug)]
pub struct Dns01 {
    /// Its URL.
    pub url: String,
    /// The token, base64url.
    pub token: String,
    /// How it stands.
    pub status: ChallengeStatus,
    /// Why the CA was not satisfied.
    pub error: Option<Problem>,
}
