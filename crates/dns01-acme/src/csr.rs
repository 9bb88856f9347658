//! Certificate signing requests: made for an order, and read when a user brings one.

use dns01_core::{Identifier, PrivateKey, SpkiHash};

use crate::AcmeError;

/// What a certificate signing request asks for.
#[derive(Clone, Debug)]
pub struct ReadCsr {
    /// The names, sorted.
    pub names: Vec<Identifier>,
    /// The key to be certified.
    pub spki: SpkiHash,
    /// The request itself.
    pub der: Vec<u8>,
}

/// A PKCS #10 request for these names as DER: subject alternative names only, the subject empty.
pub fn csr(_names: &[Identifier], _key: &PrivateKey) -> Result<Vec<u8>, AcmeError> {
    todo!()
}

/// [`csr`] as PEM.
pub fn csr_pem(_names: &[Identifier], _key: &PrivateKey) -> Result<String, AcmeError> {
    todo!()
}

/// Reads a request in PEM or DER and checks that its own signature verifies.
pub fn read_csr(_pem_or_der: &[u8]) -> Result<ReadCsr, AcmeError> {
    todo!()
}
