//! The one configuration, `dns01.yaml`: the same document on a host and in a ConfigMap.
//!
//! This room reads it, says everything that is wrong with it at once and where, and answers what applies to a
//! certificate. It never reads a credential, never asks a CA or a name server, and judges no provider: one solver that
//! names what nothing is called must not keep the certificates of others from being issued.

mod certificate;
mod check;
mod directory;
mod duration;
mod error;
mod format;
mod issuer;
mod load;
mod locate;
mod reference;
mod refused;
mod report;
mod schema;
mod select;
mod shape;
mod sink;
mod solver;
mod tree;
mod twins;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use certificate::{Algorithm, Certificate, PrivateKeySpec, RotationPolicy};
pub use directory::directory_url;
pub use duration::{DurationError, GoDuration};
pub use error::{ConfigError, Problem};
pub use issuer::{AccountKeyRef, ExternalAccountBinding, Issuer, SecretKeyRef};
pub use load::{CONFIG_VARIABLE, documents, find};
pub use reference::reference;
pub use schema::schema;
pub use select::{Home, Resolved};
pub use sink::{DirFiles, DirLayout, DirSink, FileMode, FileModeError, Format, SecretSink, Sink};
pub use solver::{CnameStrategy, Credentials, Propagation, Selector, Solver};
pub use twins::check_together;

/// The whole of `dns01.yaml`.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// CAs and the accounts at them, by name. The name is also the account's: a DNS-1123 label of at most 50 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub issuers: BTreeMap<String, Issuer>,
    /// Who writes the TXT records of which names: a solver that lists the name, else the one with the longest zone, else the one without selector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub solvers: Vec<Solver>,
    /// What holds for every certificate that does not say otherwise.
    #[serde(default, skip_serializing_if = "Defaults::is_empty")]
    pub defaults: Defaults,
    /// What is to be issued, renewed and delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// What the document is called in messages: its path, or `configmap:NAME`.
    #[serde(skip)]
    pub origin: String,
}

/// What holds for every certificate that does not say otherwise.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// The issuer. Needed only when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The private key.
    #[serde(default, skip_serializing_if = "PrivateKeySpec::is_empty")]
    pub private_key: PrivateKeySpec,
}

impl Default for Config {
    /// An empty document of the current version.
    fn default() -> Self {
        Self {
            version: 1,
            issuers: BTreeMap::new(),
            solvers: Vec::new(),
            defaults: Defaults::default(),
            certificates: Vec::new(),
            origin: String::new(),
        }
    }
}

impl Defaults {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests;
