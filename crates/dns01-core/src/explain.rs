//! Errors that can say what they mean to the one who must act on them.

use std::error::Error as StdError;
use std::io;

use chrono::{DateTime, Utc};

use crate::Exit;

/// Any error of a client library.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// An error with a verdict: which exit code it is, and what the operator can do.
///
/// `Display` says only this level's sentence, lower-case and without a full stop; the cause is `source()`, never both.
pub trait Explain: StdError + Send + Sync + 'static {
    /// The exit code this error stands for.
    fn exit(&self) -> Exit;

    /// What the operator can do: one imperative sentence without a full stop; `None` rather than something vague.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Labelled lines for the long form on a terminal, such as `token: CF_DNS_API_TOKEN from /etc/…`. Never a secret.
    fn facts(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// When another attempt makes sense, if the other side said so (the `retry-at` output).
    fn retry_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

impl Explain for io::Error {
    fn exit(&self) -> Exit {
        use io::ErrorKind as Kind;
        match self.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::OutOfMemory => Exit::LocalResource,
            Kind::TimedOut
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::HostUnreachable => Exit::Transient,
            // EMFILE and ENFILE have no stable kind of their own.
            _ if matches!(self.raw_os_error(), Some(23 | 24)) => Exit::LocalResource,
            _ => Exit::LocalIo,
        }
    }
}

impl Explain for serde_json::Error {
    fn exit(&self) -> Exit {
        Exit::Input
    }
}

impl Explain for std::convert::Infallible {
    fn exit(&self) -> Exit {
        match *self {}
    }
}
