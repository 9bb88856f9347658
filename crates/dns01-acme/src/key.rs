//! The key of an account: ES256 on P-256, all that instant-acme signs with.

use dns01_core::{PrivateKey, SecretText};

use crate::AcmeError;

/// An account's private key.
#[derive(Clone, Debug)]
pub struct AccountKey {}

impl AccountKey {
    /// Makes a new one.
    pub fn generate() -> Result<Self, AcmeError> {
        todo!()
    }

    /// Takes a key that exists; it must be on P-256.
    pub fn new(_key: PrivateKey) -> Result<Self, AcmeError> {
        todo!()
    }

    /// Reads a PEM.
    pub fn from_pem(_pem: &SecretText) -> Result<Self, AcmeError> {
        todo!()
    }

    /// The key as PKCS #8 PEM.
    pub fn pem(&self) -> &SecretText {
        todo!()
    }

    /// Its name in key authorizations and in state: base64url of the SHA-256 of the canonical JWK (RFC 7638).
    pub fn thumbprint(&self) -> &str {
        todo!()
    }

    /// The private JWK as JSON (RFC 7517), as certbot's account folder holds it.
    pub fn private_jwk(&self) -> SecretText {
        todo!()
    }
}
