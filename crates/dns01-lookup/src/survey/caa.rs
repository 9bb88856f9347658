//! Who may issue: the CAA records that a CA goes by (RFC 8659), for people who wonder why it refuses what everyone sees.

use dns01_core::OwnerName;
use hickory_proto::rr::{RData, RecordType};
use serde::Serialize;

use crate::resolver::Resolver;

/// The CAA records that apply to a domain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Caa {
    /// The name that has them: the domain or one above it.
    pub domain: OwnerName,
    /// Each as `tag value`, such as `issue letsencrypt.org`.
    pub records: Vec<String>,
    /// Why they cannot be had; a CA refuses then.
    pub trouble: Option<String>,
}

impl Caa {
    /// The same for people.
    pub(super) fn line(&self) -> String {
        let Self { domain, records, trouble } = self;
        match trouble {
            Some(trouble) => {
                format!("CAA of `{domain}` cannot be had ({trouble}): a CA refuses then")
            }
            None => format!("CAA of `{domain}`: {}", records.join(", ")),
        }
    }
}

/// Those of the domain whose challenge `name` answers; none where anyone may issue.
pub(super) async fn look(resolver: &Resolver, name: &OwnerName) -> Option<Caa> {
    let domain = name.as_str().strip_prefix("_acme-challenge.").unwrap_or(name.as_str());
    let mut at: OwnerName = domain.parse().ok()?;
    while let Some(parent) = at.parent() {
        let reply = match resolver.ask(&at, RecordType::CAA).await {
            Ok(reply) => reply,
            Err(error) => {
                let trouble = Some(error.to_string());
                return Some(Caa { domain: at, records: Vec::new(), trouble });
            }
        };
        let records: Vec<_> = reply
            .answers
            .iter()
            .filter_map(|record| match &record.data {
                RData::CAA(caa) => {
                    Some(format!("{} {}", caa.tag, String::from_utf8_lossy(&caa.value)))
                }
                _ => None,
            })
            .collect();
        if !records.is_empty() {
            return Some(Caa { domain: at, records, trouble: None });
        }
        at = parent;
    }
    None
}
