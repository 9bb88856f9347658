//! What is delivered: a certificate chain and, where we hold it, its key.

use crate::{Chain, PrivateKey};

/// A certificate chain with its private key. Does not implement `Serialize`, on purpose.
#[derive(Debug)]
pub struct Bundle {
    /// Leaf first; parsed, so that nothing unreadable reaches a sink.
    pub chain: Chain,
    /// Absent when the certificate was made from the user's own CSR.
    pub key: Option<PrivateKey>,
}
