//! The key of an account: ES256 on P-256, all that instant-acme signs with.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use dns01_core::{KeyType, PrivateKey, SecretText};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::AcmeError;

/// An account's private key. Cheap to clone; `Debug` shows its thumbprint.
#[derive(Clone)]
pub struct AccountKey(Arc<Inner>);

struct Inner {
    key: PrivateKey,
    pair: EcdsaKeyPair,
    public_jwk: String,
    thumbprint: String,
}

impl AccountKey {
    /// Makes a new one.
    pub fn generate() -> Result<Self, AcmeError> {
        Self::new(PrivateKey::generate(KeyType::P256)?)
    }

    /// Takes a key that exists; it must be on P-256.
    pub fn new(key: PrivateKey) -> Result<Self, AcmeError> {
        let pkcs8 = pkcs8(&key)?;
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.secret_pkcs8_der())
                .map_err(|_| AcmeError::NotP256)?;
        // An uncompressed point: 4, then x and y of 32 octets each (SEC 1 §2.3.3).
        let point = pair.public_key().as_ref();
        let (x, y) =
            point.get(1..).and_then(|xy| xy.split_at_checked(32)).ok_or(AcmeError::NotP256)?;
        let encode = |octets| BASE64_URL_SAFE_NO_PAD.encode(octets);
        // The members that count, in the order of RFC 7638 §3.2, without white space: the text that is hashed.
        let public_jwk =
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y));
        let thumbprint = encode(digest(&SHA256, public_jwk.as_bytes()).as_ref());
        Ok(Self(Arc::new(Inner { key, pair, public_jwk, thumbprint })))
    }

    /// Reads a PEM.
    pub fn from_pem(pem: &SecretText) -> Result<Self, AcmeError> {
        Self::new(PrivateKey::from_pem(pem)?)
    }

    /// The key as PKCS #8 PEM.
    pub fn pem(&self) -> &SecretText {
        self.0.key.pem()
    }

    /// Its name in key authorizations and in state: base64url of the SHA-256 of the canonical JWK (RFC 7638).
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// The private JWK as JSON (RFC 7518 §6.2.2), as certbot's account folder holds it.
    pub fn private_jwk(&self) -> Result<SecretText, AcmeError> {
        let private: EcPrivateKeyBin<'_> =
            self.0.pair.private_key().as_be_bytes().map_err(|_| AcmeError::Signing)?;
        let public = self.0.public_jwk.trim_end_matches('}');
        let d = SecretText::from(BASE64_URL_SAFE_NO_PAD.encode(private.as_ref()));
        Ok(format!(r#"{public},"d":"{}"}}"#, d.expose()).into())
    }

    /// The public JWK as JSON.
    pub(crate) fn public_jwk(&self) -> &str {
        &self.0.public_jwk
    }

    pub(crate) fn pkcs8(&self) -> Result<PrivatePkcs8KeyDer<'static>, AcmeError> {
        pkcs8(&self.0.key)
    }

    /// An ES256 signature: r and s, 32 octets each (RFC 7518 §3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AcmeError> {
        let signature = self.0.pair.sign(&SystemRandom::new(), message);
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| AcmeError::Signing)
    }
}

fn pkcs8(key: &PrivateKey) -> Result<PrivatePkcs8KeyDer<'static>, AcmeError> {
    PrivatePkcs8KeyDer::from_pem_slice(key.pem().expose().as_bytes())
        .map_err(|_| AcmeError::NotP256)
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey({})", self.0.thumbprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 7515 A.3 as SEC 1 DER: version 1, the private octets, the curve.
    fn of_rfc7515() -> AccountKey {
        let d =
            BASE64_URL_SAFE_NO_PAD.decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI").unwrap();
        let mut der = vec![0x30, 0x31, 2, 1, 1, 4, 0x20];
        der.extend(&d);
        der.extend([0xa0, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
        let body = base64::prelude::BASE64_STANDARD.encode(der);
        let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n");
        AccountKey::from_pem(&pem.into()).unwrap()
    }

    #[test]
    fn the_public_and_private_jwk_are_those_of_rfc_7515() {
        let key = of_rfc7515();
        assert_eq!(
            key.public_jwk(),
            concat!(
                r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
                r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
            )
        );
        let jwk: serde_json::Value =
            serde_json::from_str(key.private_jwk().unwrap().expose()).unwrap();
        assert_eq!(jwk["d"], "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    }

    #[test]
    fn our_thumbprint_is_the_one_that_instant_acme_puts_into_key_authorizations() {
        let key = of_rfc7515();
        // From the JWK above by `openssl dgst -sha256 -binary | basenc --base64url`.
        assert_eq!(key.thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
        assert!(instant_acme::Key::from_pkcs8_der(key.pkcs8().unwrap()).is_ok());
    }

    #[test]
    fn other_kinds_of_key_are_refused() {
        let other = PrivateKey::generate(KeyType::P384).unwrap();
        assert!(matches!(AccountKey::new(other), Err(AcmeError::NotP256)));
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", of_rfc7515());
        assert!(!shown.contains("jpsQnn") && !shown.contains("PRIVATE"), "{shown}");
    }
}
