//! Why a provider could not do what it was asked.

use dns01_core::{Exit, Explain, UnknownProvider, UnreadableSetting};

/// Why a provider could not be built, or could not do what it was asked. No variant ever holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// Nothing in the catalog has this id.
    #[error(transparent)]
    Unknown(#[from] UnknownProvider),
    /// Required settings were not given.
    #[error("{provider} needs settings that are not given: {}", missing.join(", "))]
    Unset {
        /// The provider's id.
        provider: &'static str,
        /// Their environment names.
        missing: Vec<&'static str>,
    },
    /// The file that should hold a setting cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableSetting),
    /// A setting has a value that cannot be used.
    #[error("{name} {why}")]
    Malformed {
        /// The name it was given by.
        name: String,
        /// What is wrong with it, as the rest of a sentence; never the value of a secret.
        why: String,
        /// Its name and where it was found.
        place: Option<String>,
        /// What to do about it.
        hint: String,
    },
    /// No CA certificates were found, so no HTTPS server can prove who it is.
    #[error("there are no CA certificates here to trust an API by")]
    NoTrust,
    /// The credentials were not accepted, or do not allow this.
    #[error("{what}")]
    Denied {
        /// Who refused what, with the code the provider gave.
        what: String,
        /// What the credentials need.
        hint: String,
        /// Where the credentials are: labels and places, never values.
        credentials: Vec<(String, String)>,
    },
    /// The provider does not serve the zone.
    #[error("{what}")]
    NoZone {
        /// Who does not know which zone.
        what: String,
        /// What to check.
        hint: String,
    },
    /// The provider found fault with the request itself.
    #[error("{what}")]
    Rejected {
        /// Who rejected what, with the code the provider gave.
        what: String,
    },
    /// No usable answer came, or the provider asked to be left alone for now.
    #[error("{what}")]
    Unavailable {
        /// Who failed to answer, and how.
        what: String,
        /// What can be done, where there is more to do than wait.
        hint: Option<String>,
    },
    /// The write was acknowledged, but reading it back does not show it.
    #[error("TXT values at `{name}` were {act}, but reading back does not show it")]
    NotSeen {
        /// What was done: `added` or `removed`.
        act: &'static str,
        /// The owner name.
        name: String,
    },
}

impl Explain for ProviderError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unset { .. } | Self::Malformed { .. } | Self::NoTrust => Exit::Config,
            Self::Unknown(error) => error.exit(),
            Self::Unreadable(error) => error.exit(),
            Self::Denied { .. } => Exit::AuthRefused,
            Self::NoZone { .. } => Exit::NotFound,
            Self::Rejected { .. } => Exit::Input,
            Self::Unavailable { .. } => Exit::Transient,
            Self::NotSeen { .. } => Exit::NotYet,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(error) => error.hint(),
            Self::Unset { missing, .. } => {
                let each: Vec<_> =
                    missing.iter().map(|name| format!("{name} or {name}_FILE")).collect();
                Some(format!("set {}", each.join(", and ")))
            }
            Self::Unreadable(error) => error.hint(),
            Self::NoTrust => Some(
                "install the package ca-certificates, or name a bundle with SSL_CERT_FILE".into(),
            ),
            Self::Malformed { hint, .. }
            | Self::Denied { hint, .. }
            | Self::NoZone { hint, .. } => Some(hint.clone()),
            Self::Unavailable { hint, .. } => hint.clone(),
            Self::Rejected { .. } => None,
            Self::NotSeen { name, .. } => Some(format!(
                "look for a CNAME at `{name}` (no TXT can stand beside it) and for another writer"
            )),
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        match self {
            Self::Denied { credentials, .. } => credentials.clone(),
            Self::Malformed { place: Some(place), .. } => vec![("setting".into(), place.clone())],
            _ => Vec::new(),
        }
    }
}
