//! What a question brought.

use std::time::Duration;

/// What a question brought, as far as the schedule is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// All values.
    Shown,
    /// An answer without all values.
    Missing,
    /// No answer.
    Silent,
    /// There is no way to this address from here.
    Unreachable,
}

/// What a question brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Observation {
    /// What it means.
    pub(crate) kind: Kind,
    /// The same for people: `answers NXDOMAIN`.
    pub(crate) words: String,
    /// What else there is to tell; no decision depends on it.
    pub(crate) details: Details,
}

/// What an answer tells beside its meaning.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Details {
    /// The response code's mnemonic.
    pub(crate) code: Option<String>,
    /// The zone's serial.
    pub(crate) serial: Option<u32>,
    /// For how long a cache may keep that the record is not there, in seconds.
    pub(crate) keep: Option<u32>,
    /// Whether the server itself failed: no authority, or a code that says nothing about the name.
    pub(crate) failed: bool,
    /// The values that are not there.
    pub(crate) missing: Vec<String>,
    /// The values there that nobody waits for.
    pub(crate) others: Vec<String>,
    /// Whether the name is an alias.
    pub(crate) alias: bool,
    /// From the question to its answer.
    pub(crate) round_trip: Duration,
}

impl Observation {
    /// Whether it says something about the server rather than about the zone.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self.kind, Kind::Silent | Kind::Unreachable) || self.details.failed
    }

    /// With nothing else to tell.
    pub(crate) fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into(), details: Details::default() }
    }
}
