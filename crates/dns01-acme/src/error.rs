//! What can go wrong with a CA, and what it means for the one who must act.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dns01_core::{BoxError, DomainName, Exit, Explain, KeyError};
use instant_acme::OrderStatus;
use url::Url;

pub(crate) use crate::refusal::Refusal;

/// Why a CA did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcmeError {
    /// Not a CA's name or URL.
    #[error("`{text}` is no CA: {why}")]
    NoCa {
        /// What was given, shortened.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The certificates to trust cannot be read.
    #[error("the CA bundle holds no readable PEM certificate")]
    Roots,
    /// TLS cannot be set up: most often no trusted roots were found.
    #[error("no TLS client can be made")]
    NoTls(#[source] BoxError),
    /// The server's certificate is not trusted.
    #[error("the certificate of `{host}` is not trusted")]
    Untrusted {
        /// The server.
        host: String,
        /// What TLS says.
        source: BoxError,
    },
    /// No connection was made: nothing was sent.
    #[error("`{host}` cannot be reached")]
    Unreachable {
        /// The server.
        host: String,
        /// What the network says.
        source: BoxError,
    },
    /// The connection broke before the whole answer was there.
    #[error("the connection to `{host}` broke")]
    Broken {
        /// The server.
        host: String,
        /// What the network says.
        source: BoxError,
    },
    /// No whole answer in time.
    #[error("`{host}` did not answer within {limit:?}")]
    TimedOut {
        /// The server.
        host: String,
        /// How long we waited.
        limit: Duration,
    },
    /// A URL leads away from the CA.
    #[error("the CA sends us to `{url}`, which is on no host that its directory names")]
    Elsewhere {
        /// The URL, shortened.
        url: String,
    },
    /// The CA redirects, which ACME never does.
    #[error("`{from}` redirects to `{to}`, and redirects are not followed")]
    Redirect {
        /// What was asked.
        from: String,
        /// Where it points.
        to: String,
    },
    /// An answer that no CA needs.
    #[error("the answer of `{url}` is longer than {cap} octets")]
    TooLong {
        /// What was asked.
        url: String,
        /// The limit.
        cap: usize,
    },
    /// An answer that is not what the protocol says.
    #[error("the answer of `{url}` makes no sense")]
    Unintelligible {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        source: BoxError,
    },
    /// The CA said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The order is not there, or not this account's.
    #[error("the CA has no order `{url}` for this account")]
    Gone {
        /// The order.
        url: String,
        /// The CA's words.
        source: Box<Refusal>,
    },
    /// The order failed: which names, and why.
    #[error("the order is invalid: {why}")]
    Invalid {
        /// Name by name, the CA's words.
        why: String,
    },
    /// The CA is not done with the order.
    #[error("the order is still `{}` at the deadline", status_text(*status))]
    NotYet {
        /// How it stands.
        status: OrderStatus,
        /// When the CA wants to be asked again.
        retry_at: Option<DateTime<Utc>>,
    },
    /// No way to prove a name by DNS.
    #[error("the CA offers no DNS-01 challenge for `{domain}`")]
    NoDns01 {
        /// The name.
        domain: DomainName,
    },
    /// The CA has no such profile.
    #[error("the CA has no profile `{profile}`")]
    NoProfile {
        /// What was asked for.
        profile: String,
        /// What it has.
        offered: Vec<String>,
    },
    /// The CA lacks a feature.
    #[error("the CA does not offer {what}")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// An ARI id that is not one.
    #[error("`{text}` is no ARI certificate id")]
    AriId {
        /// What was given, shortened.
        text: String,
    },
    /// An account key of another kind.
    #[error("an account key must be an ECDSA key on P-256")]
    NotP256,
    /// A key that cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The external account's HMAC key is not base64url.
    #[error("the external account's HMAC key is not base64url")]
    ExternalAccountKey,
    /// A certificate signing request that cannot be used.
    #[error("the certificate signing request cannot be used")]
    Csr {
        /// What is wrong with it.
        source: BoxError,
    },
    /// The system's cryptography failed.
    #[error("signing failed")]
    Signing,
}

/// What the network or TLS itself says, without the layers above it that only say that they failed.
fn innermost(error: &reqwest::Error) -> BoxError {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let text = inner.to_string();
    let text = text.strip_prefix("invalid peer certificate: ").unwrap_or(&text);
    if text == "UnknownIssuer" { "its issuer is unknown here".into() } else { text.into() }
}

impl AcmeError {
    /// What a failed exchange means.
    pub(crate) fn of_exchange(url: &Url, error: reqwest::Error, limit: Duration) -> Self {
        let host = url.authority().to_owned();
        if error.is_timeout() {
            return Self::TimedOut { host, limit };
        }
        let error = error.without_url();
        let (distrusted, unconnected) =
            (tls_error(&error).is_some_and(is_distrust), error.is_connect());
        let source = innermost(&error);
        match (distrusted, unconnected) {
            (true, _) => Self::Untrusted { host, source },
            (false, true) => Self::Unreachable { host, source },
            (false, false) => Self::Broken { host, source },
        }
    }

    /// Whether the CA wants a fresh nonce.
    pub(crate) fn is_bad_nonce(&self) -> bool {
        self.refused_for("badNonce")
    }

    /// Whether the CA refused with this problem type.
    pub(crate) fn refused_for(&self, kind: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.problem.kind == kind)
    }

    /// Whether it is certain that the CA never saw the request.
    pub(crate) fn is_unheard(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether the same call may succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status.is_server_error(),
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } => true,
            _ => false,
        }
    }

    /// How long an overloaded CA asks us to wait.
    pub(crate) fn wait_asked(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) if refusal.is_overload() => refusal.retry_after,
            _ => None,
        }
    }
}

impl From<Refusal> for AcmeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Explain for AcmeError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoCa { .. }
            | Self::Roots
            | Self::NoTls(_)
            | Self::Untrusted { .. }
            | Self::ExternalAccountKey => Exit::Config,
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TimedOut { .. }
            | Self::TooLong { .. }
            | Self::Unintelligible { .. } => Exit::Transient,
            Self::Elsewhere { .. } | Self::Redirect { .. } => Exit::Policy,
            Self::Refused(refusal) => refusal.exit(),
            Self::Gone { .. } | Self::Invalid { .. } => Exit::OrderDead,
            Self::NotYet { .. } => Exit::NotYet,
            Self::NoDns01 { .. } | Self::NoProfile { .. } | Self::Unsupported { .. } => {
                Exit::CaRejected
            }
            Self::AriId { .. } | Self::NotP256 | Self::Csr { .. } => Exit::Input,
            Self::Key(error) => error.exit(),
            Self::Signing => Exit::LocalResource,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCa { .. } => Some(
                "give `letsencrypt`, `letsencrypt-staging` or a directory URL to `--server`".into(),
            ),
            Self::NoTls(_) => Some(
                "install the system's CA certificates, or name a bundle with SSL_CERT_FILE or `--ca-bundle`".into(),
            ),
            Self::Untrusted { .. } => Some(
                "for a private CA give its root with `--ca-bundle` (`caBundleFile` in dns01.yaml) or SSL_CERT_FILE".into(),
            ),
            Self::Redirect { .. } => Some("give the final directory URL to `--server`".into()),
            Self::Refused(refusal) => refusal.hint(),
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                Some("let this machine reach the CA (network, firewall, proxy), and run again".into())
            }
            Self::Gone { .. } => Some("start a new run: it places another order".into()),
            Self::Invalid { .. } => {
                Some("mend what the CA says of each name, and start a new run".into())
            }
            Self::NoProfile { offered, .. } if offered.is_empty() => {
                Some("leave the profile out: this CA has none".into())
            }
            Self::NoProfile { offered, .. } => Some(format!("use one of {}", offered.join(", "))),
            Self::NotP256 => Some("leave the account key out, and one is made".into()),
            Self::ExternalAccountKey => Some("copy the HMAC key as the CA shows it".into()),
            Self::Key(error) => error.hint(),
            _ => None,
        }
    }

    fn retry_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Refused(refusal) => refusal.retry_at(),
            Self::NotYet { retry_at, .. } => *retry_at,
            _ => None,
        }
    }
}

/// The word that the CA and the journal use.
pub(crate) fn status_text(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "pending",
        OrderStatus::Ready => "ready",
        OrderStatus::Processing => "processing",
        OrderStatus::Valid => "valid",
        OrderStatus::Invalid => "invalid",
    }
}

/// The TLS error at the bottom of a chain of causes; inside an I/O error it isn't a `source()`.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Whether TLS failed because of who the other side is, not because of the line.
fn is_distrust(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
}
