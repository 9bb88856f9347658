//! TSIG keys: made at random, written as a BIND key file, told as the variables that lego documents.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fs::{self, File};
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The hash of a TSIG key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hmac {
    /// hmac-sha1: real servers take it, dns01 refuses it.
    Sha1,
    /// hmac-sha256.
    Sha256,
    /// hmac-sha384.
    Sha384,
    /// hmac-sha512.
    Sha512,
}

impl Hmac {
    /// The name that BIND, Knot and lego use, without a final dot.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "hmac-sha1",
            Self::Sha256 => "hmac-sha256",
            Self::Sha384 => "hmac-sha384",
            Self::Sha512 => "hmac-sha512",
        }
    }

    fn secret_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A key and the BIND key file that holds it.
#[derive(Clone, Debug)]
pub struct TsigKey {
    /// The key's name, without a final dot.
    pub name: String,
    /// Its hash.
    pub algorithm: Hmac,
    /// Its secret, base64.
    pub secret: String,
    /// A file in the syntax of BIND's `key` statement, as `tsig-keygen` writes it.
    pub file: PathBuf,
}

impl TsigKey {
    /// A key with a random secret; its file goes to `folder`.
    pub fn new(folder: &Path, name: &str, algorithm: Hmac) -> Self {
        let mut secret = vec![0; algorithm.secret_length()];
        File::open("/dev/urandom").unwrap().read_exact(&mut secret).unwrap();
        let secret = BASE64_STANDARD.encode(secret);
        let file = folder.join(format!("{name}.key"));
        let text = format!(
            "key \"{name}\" {{\n\talgorithm {};\n\tsecret \"{secret}\";\n}};\n",
            algorithm.name()
        );
        fs::write(&file, text).unwrap();
        Self { name: name.to_owned(), algorithm, secret, file }
    }

    /// The settings of provider `rfc2136` for this key at `nameserver`.
    pub fn rfc2136(&self, nameserver: IpAddr) -> Vec<(String, String)> {
        [
            ("RFC2136_NAMESERVER", format!("{nameserver}:53")),
            ("RFC2136_TSIG_KEY", self.name.clone()),
            ("RFC2136_TSIG_ALGORITHM", format!("{}.", self.algorithm.name())),
            ("RFC2136_TSIG_SECRET", self.secret.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
