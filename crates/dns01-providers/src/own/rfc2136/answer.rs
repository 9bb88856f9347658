//! What an answer's codes mean, in words.

use std::time::SystemTime;

use dns01_core::Zone;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::TSIG;
use hickory_proto::rr::rdata::tsig::TsigError;

use super::Rfc2136;
use crate::ProviderError;

/// What the answer to an update says.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The change was made.
    Done,
    /// NOTAUTH without a TSIG error: the server does not have the zone, or (Knot) does not let us write.
    NotAuth,
    /// The change was not made.
    Failed(ProviderError),
}

impl Rfc2136 {
    /// Reads the answer to an UPDATE of `zone` (RFC 2136 §2.2, RFC 8945 §5.2).
    pub(super) fn judge(&self, answer: &Message, zone: &Zone) -> Verdict {
        let server = &self.client.server;
        let tsig = answer.signature().map(|record| &record.data);
        if let Some((tsig, error)) = tsig.and_then(|tsig| Some((tsig, tsig.error?))) {
            return Verdict::Failed(self.tsig_failure(tsig, error));
        }
        let what = |words: &str, code: &str| format!("name server `{server}` {words}: {code}");
        Verdict::Failed(match answer.metadata.response_code {
            ResponseCode::NoError => return Verdict::Done,
            ResponseCode::NotAuth => return Verdict::NotAuth,
            ResponseCode::Refused => self.refused(zone, "REFUSED"),
            ResponseCode::NotZone => ProviderError::NoZone {
                what: what(&format!("has a name in the update that is not in zone `{zone}`"), "NOTZONE"),
                hint: "leave the zone to be found, or check `--zone`".into(),
            },
            ResponseCode::ServFail => ProviderError::Unavailable {
                what: what(&format!("could not update zone `{zone}`"), "SERVFAIL"),
                hint: Some(
                    "look into the server's log; BIND must be able to write the folder of the zone file"
                        .into(),
                ),
            },
            ResponseCode::FormErr => {
                ProviderError::Rejected { what: what("did not understand the update", "FORMERR") }
            }
            ResponseCode::NotImp => {
                ProviderError::Rejected { what: what("does not do dynamic updates", "NOTIMP") }
            }
            other => ProviderError::Rejected {
                what: what(&format!("did not update zone `{zone}`"), other.to_str()),
            },
        })
    }

    /// The server has the zone, but we may not write it.
    pub(super) fn refused(&self, zone: &Zone, code: &str) -> ProviderError {
        let hint = match &self.client.key {
            Some(key) => format!(
                "let the key update it: `update-policy {{ grant {} zonesub TXT; }};` (BIND), `acl` with `action: update` (Knot)",
                key.name()
            ),
            None => {
                "give a TSIG key (RFC2136_TSIG_FILE), or let this machine's address update the zone"
                    .into()
            }
        };
        ProviderError::Denied {
            what: format!(
                "name server `{}` refused to update zone `{zone}`: {code}",
                self.client.server
            ),
            hint,
            credentials: self.credentials.clone(),
        }
    }

    /// The server does not have the zone.
    pub(super) fn not_authoritative(&self, zone: &Zone, code: &str) -> ProviderError {
        ProviderError::NoZone {
            what: format!(
                "name server `{}` is not authoritative for zone `{zone}`: {code}",
                self.client.server
            ),
            hint: format!(
                "check that `{zone}` is a zone of its own, and that RFC2136_NAMESERVER is its primary"
            ),
        }
    }

    fn tsig_failure(&self, tsig: &TSIG, error: TsigError) -> ProviderError {
        let server = &self.client.server;
        let (name, algorithm) = self
            .client
            .key
            .as_ref()
            .map_or_else(Default::default, |key| (key.name(), key.algorithm()));
        let denied = |what: String, hint: String| ProviderError::Denied {
            what,
            hint,
            credentials: self.credentials.clone(),
        };
        match error {
            TsigError::BadKey => denied(
                format!("name server `{server}` does not accept TSIG key `{name}`: BADKEY"),
                format!(
                    "compare name and algorithm ({algorithm}) with the server's key, and what the server lets it do"
                ),
            ),
            TsigError::BadSig => denied(
                format!(
                    "name server `{server}` does not accept the signature of TSIG key `{name}`: BADSIG"
                ),
                format!(
                    "compare secret and algorithm ({algorithm}) with the server's `key \"{name}\"`"
                ),
            ),
            TsigError::BadTime => ProviderError::Unavailable {
                what: format!(
                    "the clocks here and at name server `{server}` {}: BADTIME",
                    difference(tsig)
                ),
                hint: Some("set the clock: compare `date -u` on both machines".into()),
            },
            other => denied(
                format!(
                    "name server `{server}` refused TSIG key `{name}`: TSIG error {}",
                    u16::from(other)
                ),
                "compare the key with the server's".into(),
            ),
        }
    }
}

/// How far the server's clock, which BADTIME carries in 48 bits (RFC 8945 §5.2.3), is from ours.
fn difference(tsig: &TSIG) -> String {
    let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) else {
        return "differ".into();
    };
    let there = tsig.other.iter().fold(0, |time, octet| time << 8 | u64::from(*octet));
    if tsig.other.len() == 6 {
        format!("differ by {} s", there.abs_diff(now.as_secs()))
    } else {
        "differ".into()
    }
}
