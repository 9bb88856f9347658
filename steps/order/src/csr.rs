//! The user's own CSR: its key never comes here.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dns01_core::{Exit, Identifier, SpkiHash};
use dns01_step::{Attempt, Failure};

/// A CSR that was read and understood.
#[derive(Clone, Debug)]
pub struct OwnCsr {
    /// The names it asks for.
    pub names: Vec<Identifier>,
    /// The key it is for.
    pub spki: SpkiHash,
    der: Vec<u8>,
}

impl OwnCsr {
    /// Reads PEM or DER.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let what = || format!("read the CSR `{}`", path.display());
        let octets = fs::read(path).attempt(what).map_err(|failure| {
            failure.with_exit(Exit::Config).hint("name a readable file with --csr")
        })?;
        let read = dns01_acme::read_csr(&octets).attempt(what).map_err(|failure| {
            failure.hint("make one with `openssl req -new -addext subjectAltName=DNS:…`")
        })?;
        Ok(Self { names: read.names, spki: read.spki, der: read.der })
    }

    /// The DER as base64, for the journal.
    pub(crate) fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.der)
    }
}
