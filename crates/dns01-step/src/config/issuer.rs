//! CAs and the accounts at them.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A CA and the account at it: the fields of cert-manager's `Issuer.spec.acme`.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Issuer {
    /// The URL of the CA's ACME directory (https), or a short name such as `letsencrypt`, `letsencrypt-staging`, `zerossl`. Absent: the issuer's own name must be such a short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Whether you agree to the CA's terms of service. Nothing is ordered without.
    #[serde(default)]
    pub terms_of_service_agreed: bool,
    /// Where the CA may write to about the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The CA's certificate profile, such as `tlsserver` or `shortlived`. Absent: the CA's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The common name of the root, where the CA offers several chains. Absent, or none matches: the CA's default chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_chain: Option<String>,
    /// A Secret with the key of an account that exists already; it is adopted once. Absent: an account is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key_secret_ref: Option<AccountKeyRef>,
    /// Certificates to trust when talking to this CA, besides those of the system: PEM, or base64 of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// The same in a PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle_file: Option<PathBuf>,
    /// The credentials with which the CA ties the account to a customer (RFC 8555 §7.3.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<ExternalAccountBinding>,
}

/// A Secret with an account's key.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountKeyRef {
    /// The Secret's name.
    pub name: String,
    /// The key in it.
    #[serde(default = "tls_key")]
    pub key: String,
}

fn tls_key() -> String {
    "tls.key".into()
}

/// External account binding. The HMAC key stands in a Secret or in a file, never in this document.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalAccountBinding {
    /// The key identifier that the CA gave you.
    #[serde(rename = "keyID")]
    pub key_id: String,
    /// On Kubernetes: the Secret with the HMAC key, base64url as the CA gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_secret_ref: Option<SecretKeyRef>,
    /// On a host: the file with the HMAC key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

/// One key of a Secret.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKeyRef {
    /// The Secret's name.
    pub name: String,
    /// The key in it.
    pub key: String,
}

impl Issuer {
    /// The PEM of `caBundle`, whichever way it is written; `None` if there is none, or it is neither.
    pub fn ca_bundle_pem(&self) -> Option<String> {
        let given = self.ca_bundle.as_ref()?;
        let is_pem = |text: &String| text.contains("-----BEGIN CERTIFICATE-----");
        if is_pem(given) {
            return Some(given.clone());
        }
        let packed: String = given.split_whitespace().collect();
        let decoded = BASE64_STANDARD.decode(packed).ok()?;
        String::from_utf8(decoded).ok().filter(is_pem)
    }
}
