//! Orders, as the CA tells them.

use chrono::{DateTime, Utc};
use dns01_core::Identifier;
pub use instant_acme::OrderStatus;

use crate::Problem;

/// An order as the CA last described it (RFC 8555 §7.1.3).
#[derive(Clone, Debug)]
pub struct Order {
    /// Its URL.
    pub url: String,
    /// How it stands.
    pub status: OrderStatus,
    /// Until when the CA keeps it.
    pub expires: Option<DateTime<Utc>>,
    /// What it is for, sorted.
    pub identifiers: Vec<Identifier>,
    /// The URLs of its authorizations.
    pub authorizations: Vec<String>,
    /// Where the certificate is, once `valid`.
    pub certificate: Option<String>,
    /// Why it is `invalid`, where the CA says so.
    pub error: Option<Problem>,
    /// The ARI id of the certificate that it replaces, as the CA confirmed it.
    pub replaces: Option<String>,
}
