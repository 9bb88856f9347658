//! What is to be issued, and with which key.

use dns01_core::Identifier;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::GoDuration;
use super::format::DnsName;
use super::sink::Sink;

/// A certificate: its names, where it comes from and where it goes.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// A name of your choice, which `--certificate` takes: a DNS-1123 label of at most 50 characters.
    pub name: String,
    /// The names to certify; `*.` as the first label makes a wildcard, and needs quotes in YAML.
    #[schemars(with = "Vec<DnsName>", length(min = 1))]
    pub dns_names: Vec<Identifier>,
    /// The issuer. Absent: that of `defaults`, else the only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The CA's certificate profile. Absent: the issuer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The private key. What is absent here comes from `defaults`.
    #[serde(default, skip_serializing_if = "PrivateKeySpec::is_empty")]
    pub private_key: PrivateKeySpec,
    /// Renew when this much of the lifetime is left. Absent: when the CA suggests (ARI), else when a third is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<GoDuration>,
    /// The same as a percentage of the lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99))]
    pub renew_before_percentage: Option<u8>,
    /// Whether to leave it alone: no renewal until this is false again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub suspend: bool,
    /// The Secret to deliver to: short for a single sink `secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Everywhere it is delivered to. Absent: the Secret `<name>-tls`, on a host the folder `live/<name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<Sink>,
    /// On a host: a program and its arguments, run after a delivery that changed something. No shell is involved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deploy_hook: Vec<String>,
}

/// A private key. Absent everywhere: a new ECDSA key on P-256 for every certificate.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateKeySpec {
    /// What kind of key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "ECDSA"))]
    pub algorithm: Option<Algorithm>,
    /// ECDSA: 256 or 384. RSA: 2048, 3072 or 4096. Absent: the smallest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// What a renewal does with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Always"))]
    pub rotation_policy: Option<RotationPolicy>,
}

/// The algorithm of a private key.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Algorithm {
    /// Elliptic curve.
    #[default]
    #[serde(rename = "ECDSA")]
    Ecdsa,
    /// For clients that know nothing else.
    #[serde(rename = "RSA")]
    Rsa,
}

/// Whether a renewal makes a new key.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum RotationPolicy {
    /// Every renewal makes a new key.
    #[default]
    Always,
    /// Renewals keep the key.
    Never,
}

impl PrivateKeySpec {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
