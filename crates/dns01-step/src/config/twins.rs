//! What only one certificate may have: its name, its identity at the CA, and each of its sinks.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use dns01_core::Identifier;

use super::error::ConfigError;
use super::report::Report;
use super::select::Home;
use super::sink::Sink;
use super::tree::Seg::{Index, Key};
use super::{Certificate, Config};

/// Something that belongs to one certificate alone.
#[derive(Clone, Eq, Hash, PartialEq)]
enum Claim {
    Name(String),
    /// The CA could not tell two such certificates apart, and would count them against one limit.
    Identity {
        directory: String,
        account: String,
        names: Vec<Identifier>,
        profile: Option<String>,
    },
    Secret {
        namespace: Option<String>,
        name: String,
    },
    Dir(PathBuf),
}

/// Reports what two certificates of one document both claim.
pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let mut owners = HashMap::new();
    for (position, certificate) in config.certificates.iter().enumerate() {
        for claim in claims(config, certificate) {
            let said = format!("{claim} is defined twice");
            if let Some(first) = owners.insert(claim, position) {
                let first = &config.certificates[first].name;
                let hint = (*first != certificate.name)
                    .then(|| format!("remove it from `{first}` or from `{}`", certificate.name));
                report.at(&[Key("certificates"), Index(position), Key("name")], said, hint);
            }
        }
    }
}

/// Checks what several documents define beside each other, such as those of a folder or of several config maps: no two
/// may define a certificate of the same name, with the same names from the same account, or for the same sink.
pub fn check_together<'a>(
    configs: impl IntoIterator<Item = &'a Config>,
) -> Result<(), ConfigError> {
    let mut owners: HashMap<Claim, &Config> = HashMap::new();
    for config in configs {
        for claim in config.certificates.iter().flat_map(|defined| claims(config, defined)) {
            let what = claim.to_string();
            if let Some(first) = owners.insert(claim, config) {
                return Err(ConfigError::Twice {
                    what,
                    first: first.origin.clone(),
                    second: config.origin.clone(),
                });
            }
        }
    }
    Ok(())
}

fn claims(config: &Config, certificate: &Certificate) -> Vec<Claim> {
    let mut claims = vec![Claim::Name(certificate.name.clone())];
    if let Some(resolved) = config.resolved(certificate) {
        let mut names = certificate.dns_names.clone();
        names.sort();
        names.dedup();
        claims.push(Claim::Identity {
            directory: resolved.directory.to_owned(),
            account: resolved.account.to_owned(),
            names,
            profile: resolved.profile.map(str::to_owned),
        });
    }
    claims.extend(certificate.sinks(Home::Kubernetes).into_iter().map(|sink| match sink {
        Sink::Secret(secret) => Claim::Secret { namespace: secret.namespace, name: secret.name },
        Sink::Dir(dir) => Claim::Dir(dir.path),
    }));
    claims
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "certificate `{name}`"),
            Self::Identity { account, names, .. } => {
                let names: Vec<_> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
                write!(f, "a certificate with these names ({}) from `{account}`", names.join(", "))
            }
            Self::Secret { namespace: Some(namespace), name } => {
                write!(f, "a delivery to Secret `{namespace}/{name}`")
            }
            Self::Secret { namespace: None, name } => write!(f, "a delivery to Secret `{name}`"),
            Self::Dir(path) => write!(f, "a delivery to `{}`", path.display()),
        }
    }
}
