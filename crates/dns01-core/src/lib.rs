//! The vocabulary of the suite: names, records, challenges, certificates, settings, failures.
//!
//! Everything here is a value or a pure function. This room never does I/O, never reads a clock and never awaits;
//! whoever needs the time passes it in.

mod bundle;
mod certificate;
mod challenge;
mod directory;
mod exit;
mod explain;
pub mod fail_point;
mod key;
mod name;
pub mod provider;
mod renewal;
mod secret;
mod sink;
mod source;

pub use bundle::Bundle;
pub use certificate::{Certificate, CertificateError, Chain, Integrity};
pub use challenge::{Challenge, ChallengeError, Published, TxtRecord, Zone};
pub use directory::{ca_directory, ca_name, ca_names};
pub use exit::{Exit, RETRY_EXPRESSION};
pub use explain::{BoxError, Explain};
pub use key::{KeyError, KeyType, PrivateKey, SpkiHash};
pub use name::{DomainName, Identifier, NameError, OwnerName};
pub use provider::{UnknownProvider, provider_name};
pub use renewal::{RenewalRule, SuggestedWindow, draw_of};
pub use secret::SecretText;
pub use sink::{FileNames, FolderLayout, SinkAddress, SinkFormat, SinkOptions, SinkSpecError};
pub use source::{Found, Origin, Source, UnreadableSetting};

/// The prefix of every label and annotation we write on Kubernetes objects: `dns01.dev/certificate` and the like.
pub const LABEL_PREFIX: &str = "dns01.dev";
