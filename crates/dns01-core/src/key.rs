//! Private keys of certificates and accounts: made, read and matched, never shown.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use x509_parser::pem::Pem;

use crate::{Exit, Explain, SecretText};

/// The kinds of key that public CAs accept and we make.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// ECDSA on P-256.
    #[default]
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits.
    Rsa4096,
}

/// A private key, held as PKCS #8 PEM together with its public half.
#[derive(Clone)]
pub struct PrivateKey {
    pem: SecretText,
    spki: Vec<u8>,
}

/// The SHA-256 of a DER `SubjectPublicKeyInfo`, written `sha256:<hex>`: how state names a key without holding it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SpkiHash(String);

impl PrivateKey {
    /// Makes a new key from the system's randomness.
    pub fn generate(kind: KeyType) -> Result<Self, KeyError> {
        let ecdsa = |algorithm| {
            let pair = EcdsaKeyPair::generate(algorithm).map_err(|_| KeyError::Generate)?;
            let document = pair.to_pkcs8v1().map_err(|_| KeyError::Generate)?;
            Ok(document.as_ref().to_vec())
        };
        let rsa = |size| {
            let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Generate)?;
            let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generate)?;
            Ok(document.as_ref().to_vec())
        };
        let der = match kind {
            KeyType::P256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            KeyType::P384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)?,
            KeyType::Rsa2048 => rsa(KeySize::Rsa2048)?,
            KeyType::Rsa3072 => rsa(KeySize::Rsa3072)?,
            KeyType::Rsa4096 => rsa(KeySize::Rsa4096)?,
        };
        Self::from_der(&der)
    }

    /// Reads a PEM of label `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`; text around it is ignored.
    pub fn from_pem(pem: &SecretText) -> Result<Self, KeyError> {
        let is_key = |block: &Pem| block.label.ends_with("PRIVATE KEY");
        let mut blocks =
            Pem::iter_from_buffer(pem.expose().as_bytes()).filter_map(Result::ok).filter(is_key);
        let block = blocks.next().ok_or(KeyError::NotAKey)?;
        if block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(KeyError::Encrypted);
        }
        Self::from_der(&block.contents)
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::NotAKey)?;
            let spki: PublicKeyX509Der<'_> =
                pair.public_key().as_der().map_err(|_| KeyError::NotAKey)?;
            return Ok(Self { pem: armour(pkcs8.as_ref()), spki: spki.as_ref().to_vec() });
        }
        for algorithm in [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING] {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, der) {
                let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::NotAKey)?;
                let spki: PublicKeyX509Der<'_> =
                    pair.public_key().as_der().map_err(|_| KeyError::NotAKey)?;
                return Ok(Self { pem: armour(pkcs8.as_ref()), spki: spki.as_ref().to_vec() });
            }
        }
        Err(KeyError::NotAKey)
    }

    /// The key as PKCS #8 PEM.
    pub fn pem(&self) -> &SecretText {
        &self.pem
    }

    /// The DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The name of this key in state.
    pub fn spki_hash(&self) -> SpkiHash {
        SpkiHash::of(&self.spki)
    }
}

impl SpkiHash {
    /// The hash of a DER `SubjectPublicKeyInfo`.
    pub fn of(spki: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(spki))))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn armour(pkcs8: &[u8]) -> SecretText {
    let body = zeroize::Zeroizing::new(BASE64_STANDARD.encode(pkcs8));
    let mut pem = String::with_capacity(body.len() * 66 / 64 + 64);
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|octet| char::from(*octet)));
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem.into()
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.spki_hash().0)
    }
}

impl fmt::Display for SpkiHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "ec256",
            Self::P384 => "ec384",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        })
    }
}

impl FromStr for KeyType {
    type Err = KeyError;

    /// Our names, and those of lego (`EC256`, `2048`), certbot and acme.sh (`ec-256`), OpenSSL (`P-256`).
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let plain: String = text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        Ok(match plain.as_str() {
            "ec256" | "p256" | "ecdsa256" => Self::P256,
            "ec384" | "p384" | "ecdsa384" => Self::P384,
            "rsa2048" | "2048" => Self::Rsa2048,
            "rsa3072" | "3072" => Self::Rsa3072,
            "rsa4096" | "4096" => Self::Rsa4096,
            _ => return Err(KeyError::UnknownType { text: text.chars().take(20).collect() }),
        })
    }
}

/// Why a key cannot be used. Never quotes it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The system's cryptography failed.
    #[error("no key could be made")]
    Generate,
    /// Neither RSA nor P-256 nor P-384 in a known encoding.
    #[error("this is no unencrypted RSA, P-256 or P-384 private key in PEM")]
    NotAKey,
    /// It is encrypted.
    #[error("the private key is encrypted")]
    Encrypted,
    /// No such kind.
    #[error("`{text}` is no key type: it is ec256, ec384, rsa2048, rsa3072 or rsa4096")]
    UnknownType {
        /// What was given.
        text: String,
    },
}

impl Explain for KeyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Generate => Exit::LocalResource,
            Self::NotAKey | Self::Encrypted | Self::UnknownType { .. } => Exit::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Generate | Self::NotAKey | Self::UnknownType { .. } => None,
            Self::Encrypted => {
                Some("decrypt it first: `openssl pkey -in FILE -out NEWFILE`".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_a_round_trip_through_pem() {
        for kind in [KeyType::P256, KeyType::P384, KeyType::Rsa2048] {
            let key = PrivateKey::generate(kind).unwrap();
            let again = PrivateKey::from_pem(key.pem()).unwrap();
            assert_eq!(key.spki_hash(), again.spki_hash(), "{kind}");
            assert!(!format!("{key:?}").contains("BEGIN"));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_quoting_it() {
        for text in [
            "",
            "hunter2",
            "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
        ] {
            let error = PrivateKey::from_pem(&text.into()).unwrap_err();
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn other_clients_names_of_key_types_are_understood() {
        for (text, kind) in [
            ("EC256", KeyType::P256),
            ("P-384", KeyType::P384),
            ("ec-256", KeyType::P256),
            ("2048", KeyType::Rsa2048),
        ] {
            assert_eq!(text.parse::<KeyType>().unwrap(), kind);
        }
        assert!("ed25519".parse::<KeyType>().is_err());
    }
}
