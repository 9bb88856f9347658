//! Who writes TXT records: a provider, its settings, and which names it is for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dns01_core::{Identifier, OwnerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::GoDuration;
use super::format::{DnsName, DnsZone};

/// A provider with its settings and credentials, for some names or for all others.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Solver {
    /// A name of your choice: a DNS-1123 label of at most 50 characters. It prefixes the keys of a Secret shared by several solvers.
    pub name: String,
    /// The names it is for. Absent: all that no other solver is for.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub selector: Selector,
    /// The provider, as `dns01 providers` lists it.
    pub provider: String,
    /// The provider's variables that are not secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Where the provider's secret variables are. Absent: the environment, or what the machine itself may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// Whether a CNAME at `_acme-challenge.` is followed to the name that is written.
    #[serde(default, skip_serializing_if = "CnameStrategy::is_default")]
    #[schemars(extend("default" = "Follow"))]
    pub cname_strategy: CnameStrategy,
    /// How to wait until the records are visible.
    #[serde(default, skip_serializing_if = "Propagation::is_empty")]
    pub propagation: Propagation,
    /// The time to live of the TXT records, in seconds. Absent: the provider's lowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub ttl: Option<u32>,
}

/// The names a solver is for.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// These very names. `*.` makes no difference: a name and its wildcard are proven by the same record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<DnsName>")]
    pub dns_names: Vec<Identifier>,
    /// These zones and all names below them; the longest zone wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<DnsZone>")]
    pub dns_zones: Vec<OwnerName>,
}

/// Where a provider's secret variables are. Exactly one of `secretName`, `envFile` and `directory`.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// On Kubernetes: a Secret whose keys are the provider's variables, or `<solver>.<VARIABLE>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Variables whose key in that Secret has another name: `VARIABLE: key`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, String>,
    /// On a host: a file with lines `VARIABLE=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_file: Option<PathBuf>,
    /// On a host: a folder with a file for each variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
}

/// What to do with a CNAME at the challenge's name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CnameStrategy {
    /// Write at the end of the CNAME chain, as the CA looks there.
    #[default]
    Follow,
    /// Write at the challenge's name itself.
    None,
}

/// How to wait until the records are visible.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Propagation {
    /// For how long at most. Absent: the step's own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
    /// What counts as visible, as `--strategy` of wait-propagation takes it. Absent: `stable`, and with `gateResolvers` `stable,resolvers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Recursive resolvers that have to show the records too, after the authorities: IP, IP:port or https:// URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate_resolvers: Vec<String>,
}

impl Selector {
    /// Whether it selects nothing in particular, so that its solver is for all other names.
    pub fn is_empty(&self) -> bool {
        self.dns_names.is_empty() && self.dns_zones.is_empty()
    }
}

impl CnameStrategy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Propagation {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
