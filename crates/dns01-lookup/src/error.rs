//! Why DNS gave no usable answer.

use std::io;

use dns01_core::{BoxError, Exit, Explain, OwnerName, Zone};

use crate::Report;

/// Why a lookup or a wait failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The system's resolver configuration is unusable, and no other was given.
    #[error("the system's DNS servers are not known")]
    NoResolver(#[source] BoxError),
    /// Nobody gave a usable answer: time-out, SERVFAIL.
    #[error("{servers} gave no answer for `{name}`")]
    NoAnswer {
        /// The name that was asked for.
        name: OwnerName,
        /// Who was asked, such as `resolver 192.0.2.1`.
        servers: String,
        /// What happened to the last question.
        #[source]
        source: BoxError,
    },
    /// The servers that know are all silent; unlike a resolver's, their silence is the state of the zone.
    #[error("no server of the zone that holds `{name}` answers: {servers}")]
    Unserved {
        /// The name that was asked for.
        name: OwnerName,
        /// Who was asked, such as `192.0.2.1 (no answer in time)`.
        servers: String,
    },
    /// No zone holds the name, or nobody is willing to say so.
    #[error("no zone holds `{name}`: {why}")]
    NoZone {
        /// The name.
        name: OwnerName,
        /// What the answers were.
        why: String,
    },
    /// A CNAME chain comes back to a name it has passed.
    #[error("the CNAMEs of `{fqdn}` lead in a circle: {}", arrows(chain))]
    CnameLoop {
        /// Where the chain starts.
        fqdn: OwnerName,
        /// Where it goes.
        chain: Vec<OwnerName>,
    },
    /// A CNAME chain is longer than CAs follow.
    #[error("`{fqdn}` is followed by more than 8 CNAMEs: {}", arrows(chain))]
    CnameTooLong {
        /// Where the chain starts.
        fqdn: OwnerName,
        /// Where it goes.
        chain: Vec<OwnerName>,
    },
    /// A CNAME chain ends where there is no zone.
    #[error("the CNAME of `{fqdn}` is dangling: no zone holds its end `{end}`")]
    CnameDangling {
        /// Where the chain starts.
        fqdn: OwnerName,
        /// Where it ends.
        end: OwnerName,
    },
    /// The zone that the user named cannot hold the record.
    #[error("`{owner}` does not lie in zone `{zone}`")]
    OutsideZone {
        /// The end of the CNAME chain.
        owner: OwnerName,
        /// The zone.
        zone: Zone,
    },
    /// The zone has no name server with an address.
    #[error("zone `{zone}` has no name server that can be asked: {why}")]
    NoServers {
        /// The zone.
        zone: Zone,
        /// What was found instead.
        why: String,
    },
    /// More servers or addresses than anyone needs.
    #[error("zone `{zone}` names {found} {what}, and at most {limit} are asked")]
    TooMany {
        /// The zone.
        zone: Zone,
        /// How many there are.
        found: usize,
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Not every server shows the values.
    #[error("{}", report.why())]
    NotYet {
        /// What each server showed.
        report: Box<Report>,
    },
    /// Resolvers behind HTTPS cannot be asked from here.
    #[error("HTTPS cannot be set up")]
    NoTls(#[source] BoxError),
    /// The file of trust anchors is unusable.
    #[error("the trust anchors cannot be read: {0}")]
    Anchors(String),
    /// This machine cannot open sockets.
    #[error("a socket for DNS could not be opened")]
    Socket(#[source] io::Error),
}

fn arrows(chain: &[OwnerName]) -> String {
    chain.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ")
}

impl LookupError {
    /// What each server showed, where the failure is that not all show the values.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::NotYet { report } => Some(report),
            _ => None,
        }
    }
}

impl Explain for LookupError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoResolver(_) | Self::NoTls(_) | Self::Anchors(_) => Exit::Config,
            Self::NoAnswer { .. } => Exit::Transient,
            Self::NoZone { .. } | Self::CnameDangling { .. } | Self::NoServers { .. } => {
                Exit::NotFound
            }
            Self::CnameLoop { .. } | Self::CnameTooLong { .. } | Self::OutsideZone { .. } => {
                Exit::Input
            }
            Self::TooMany { .. } => Exit::Policy,
            Self::NotYet { .. } | Self::Unserved { .. } => Exit::NotYet,
            Self::Socket(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoResolver(_) => "name a DNS server with --resolver IP".to_owned(),
            Self::NoAnswer { .. } => {
                "check that DNS works from here, or name another server with --resolver IP"
                    .to_owned()
            }
            Self::Unserved { name, .. } => {
                format!(
                    "start the name servers of `{name}`, or open port 53 (UDP and TCP) from here to them"
                )
            }
            Self::NoZone { name, .. } => {
                format!(
                    "check the spelling of `{name}`, that its domain is delegated, and that --resolver may be asked"
                )
            }
            Self::CnameLoop { fqdn, .. } | Self::CnameTooLong { fqdn, .. } => {
                format!(
                    "point the CNAME at `{fqdn}` straight to the name that holds the TXT records"
                )
            }
            Self::CnameDangling { fqdn, end } => {
                format!("remove the CNAME at `{fqdn}`, or create the zone that is to hold `{end}`")
            }
            Self::OutsideZone { owner, .. } => {
                format!("name the zone that holds `{owner}`, or leave --zone out")
            }
            Self::NoServers { zone, .. } => {
                format!(
                    "repair the NS records of `{zone}`, or name its servers with --authority {zone}=IP"
                )
            }
            Self::TooMany { zone, .. } => {
                format!("name the servers that matter with --authority {zone}=IP")
            }
            Self::NotYet { report } => report.hint(),
            Self::NoTls(_) => {
                "install the package ca-certificates, or name a bundle with SSL_CERT_FILE"
                    .to_owned()
            }
            Self::Anchors(_) => "name a file of DNSKEY records with --trust-anchor".to_owned(),
            Self::Socket(_) => return None,
        })
    }

    fn facts(&self) -> Vec<(String, String)> {
        self.report().map(Report::facts).unwrap_or_default()
    }
}
