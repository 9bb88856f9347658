//! JSON Web Signatures (RFC 7515) in the flattened form that ACME asks for (RFC 8555 §6.2), for the calls that
//! instant-acme doesn't have.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::{AccountKey, AcmeError, ExternalAccount};

/// Who signs: a key that the CA may not know yet, or an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer<'a> {
    Key(&'a AccountKey),
    Account(&'a AccountKey, &'a str),
}

impl Signer<'_> {
    /// The signed body of a POST to `url`. An empty payload makes it a POST-as-GET (RFC 8555 §6.3). Only the inner
    /// signature of a key change has no nonce.
    pub(crate) fn sign(
        self,
        nonce: Option<&str>,
        url: &str,
        payload: &[u8],
    ) -> Result<Value, AcmeError> {
        let (key, mut protected) = match self {
            Self::Key(key) => {
                // The key's own JSON is sound: it is made of base64url alone.
                let jwk: Value = serde_json::from_str(key.public_jwk()).unwrap_or_default();
                (key, json!({ "alg": "ES256", "jwk": jwk, "url": url }))
            }
            Self::Account(key, kid) => (key, json!({ "alg": "ES256", "kid": kid, "url": url })),
        };
        if let Some(nonce) = nonce {
            protected["nonce"] = nonce.into();
        }
        flattened(&protected, payload, |message| key.sign(message))
    }
}

/// The proof that the holder of `key` is the CA's customer (RFC 8555 §7.3.4).
pub(crate) fn external_binding(
    external: &ExternalAccount,
    key: &AccountKey,
    new_account: &str,
) -> Result<Value, AcmeError> {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &external.decoded()?);
    let protected = json!({ "alg": "HS256", "kid": external.kid, "url": new_account });
    flattened(&protected, key.public_jwk().as_bytes(), |message| {
        Ok(hmac::sign(&secret, message).as_ref().to_vec())
    })
}

fn flattened(
    protected: &Value,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, AcmeError>,
) -> Result<Value, AcmeError> {
    let protected = BASE64_URL_SAFE_NO_PAD.encode(protected.to_string());
    let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
    let signature = sign(format!("{protected}.{payload}").as_bytes())?;
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    Ok(json!({ "protected": protected, "payload": payload, "signature": signature }))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn decoded(jws: &Value, part: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(jws[part].as_str().unwrap()).unwrap()
    }

    fn verifies(jws: &Value, key: &AccountKey) -> bool {
        let jwk: Value = serde_json::from_str(key.public_jwk()).unwrap();
        let point = [vec![4], decoded(&jwk, "x"), decoded(&jwk, "y")].concat();
        let message =
            format!("{}.{}", jws["protected"].as_str().unwrap(), jws["payload"].as_str().unwrap());
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(message.as_bytes(), &decoded(jws, "signature"))
            .is_ok()
    }

    #[test]
    fn a_post_as_get_has_the_empty_payload_and_the_accounts_url() {
        let key = AccountKey::generate().unwrap();
        let jws = Signer::Account(&key, "https://ca.example/a/1")
            .sign(Some("n1"), "https://ca.example/o/1", b"")
            .unwrap();
        assert_eq!(jws["payload"], "");
        let protected: Value = serde_json::from_slice(&decoded(&jws, "protected")).unwrap();
        assert_eq!(
            protected,
            json!({ "alg": "ES256", "kid": "https://ca.example/a/1", "nonce": "n1",
                "url": "https://ca.example/o/1" })
        );
        assert!(verifies(&jws, &key) && !verifies(&jws, &AccountKey::generate().unwrap()));
    }

    #[test]
    fn a_new_key_shows_itself_and_an_inner_signature_has_no_nonce() {
        let key = AccountKey::generate().unwrap();
        let jws = Signer::Key(&key).sign(None, "https://ca.example/k", b"{}").unwrap();
        let protected: Value = serde_json::from_slice(&decoded(&jws, "protected")).unwrap();
        assert_eq!(protected["jwk"]["kty"], "EC");
        assert!(protected.get("nonce").is_none() && protected.get("kid").is_none());
        assert!(verifies(&jws, &key));
    }

    #[test]
    fn an_external_binding_signs_the_public_key_with_the_customers_secret() {
        let key = AccountKey::generate().unwrap();
        let external = ExternalAccount {
            kid: "kid-1".into(),
            hmac: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W".into(),
        };
        let jws = external_binding(&external, &key, "https://ca.example/new").unwrap();
        assert_eq!(decoded(&jws, "payload"), key.public_jwk().as_bytes());
        let message =
            format!("{}.{}", jws["protected"].as_str().unwrap(), jws["payload"].as_str().unwrap());
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &external.decoded().unwrap());
        assert!(hmac::verify(&secret, message.as_bytes(), &decoded(&jws, "signature")).is_ok());
    }
}
