//! The public `state` document, field by field.

use chrono::{DateTime, Utc};
use dns01_core::{DomainName, Identifier, KeyType, OwnerName, SpkiHash};
use serde::{Deserialize, Serialize};

use super::Phase;
use crate::{Doc, Name, StoreError};

/// The format this release reads and writes. Additive fields do not raise it.
pub const FORMAT: u64 = 1;

/// `attempts` keeps so many.
pub const MOST_ATTEMPTS: usize = 10;

/// Fields that a newer release has added: they survive a write.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// All that is known about a certificate. Public: no key, no credential.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct State {
    /// The format; [`FORMAT`].
    pub v: u64,
    /// Counts writes. Set by [`Journal::update`](super::Journal::update), like `write`.
    pub rev: u64,
    /// A random mark of the last write.
    pub write: String,
    /// Which certificate this is.
    pub certificate: Name,
    /// The fencing token: each issuance has its own.
    pub generation: u64,
    /// How far this generation is.
    pub phase: Phase,
    /// The run that owns cleanup: the last one that started or joined this generation.
    pub run: String,
    /// The run that started this generation: it starts no other.
    #[serde(default)]
    pub started_by: Option<String>,
    /// The run whose `--force` started this generation; it counts once.
    pub forced_by: Option<String>,
    /// What this generation is about.
    pub spec: Spec,
    /// Where its private key is, once it is stored.
    pub key: Option<KeptKey>,
    /// Its order, once it is placed.
    pub order: Option<Order>,
    /// When challenges were last posted to the CA; `None` before any was.
    pub validating_at: Option<DateTime<Utc>>,
    /// Challenges of this generation, and those of older ones that were not yet seen gone.
    #[serde(default)]
    pub challenges: Vec<Wanted>,
    /// What the CA issued.
    pub issued: Option<Issued>,
    /// How each sink fared in this generation.
    #[serde(default)]
    pub sinks: Vec<SinkRecord>,
    /// The last generation that reached every sink.
    pub delivered: Option<Delivered>,
    /// The last attempts at the CA, oldest first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Before this time no run asks the CA, because it refused.
    pub retry_at: Option<DateTime<Utc>>,
    /// Why the generation is dead: `changed`, `foreign`, …
    pub dead: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a generation is about: its identity.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Spec {
    /// Who talks to the CA.
    pub engine: Engine,
    /// The names to be certified.
    pub names: Vec<Identifier>,
    /// The URL of the ACME directory.
    pub directory: String,
    /// The account, as our name for it.
    pub account: Name,
    /// The account key's thumbprint (RFC 7638), base64url.
    pub thumbprint: String,
    /// The CA's profile, where one was asked for.
    pub profile: Option<String>,
    /// The kind of private key.
    pub key_type: KeyType,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Who talks to the CA.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// We do.
    #[default]
    Native,
    /// A real certbot does.
    Certbot,
}

/// Where a private key is and which one it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct KeptKey {
    /// Where.
    pub kept: Kept,
    /// Which one.
    pub spki: SpkiHash,
    /// The user's CSR, DER as base64, where the key is kept with the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where a private key is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// In the journal's keys.
    Journal,
    /// With the user, who gave us a CSR.
    Csr,
    /// In certbot's own lineage.
    Lineage,
}

/// An order at the CA.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Order {
    /// Its URL.
    pub url: String,
    /// When the CA forgets it.
    pub expires: Option<DateTime<Utc>>,
    /// The ARI identifier of the certificate that it replaces (RFC 9773 §5).
    pub replaces: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A TXT value that we want in the zone, until a zone read has shown it gone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Wanted {
    /// The generation it is for.
    pub generation: u64,
    /// The name to be certified, without `*.`.
    pub domain: DomainName,
    /// Where the CA starts looking.
    pub fqdn: OwnerName,
    /// The end of the CNAME chain when the order was made.
    pub owner: OwnerName,
    /// The TXT value.
    pub value: String,
    /// The challenge at the CA; `None` where certbot posts it.
    pub url: Option<String>,
    /// Whether it is still to be removed.
    pub state: Presence,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Whether a TXT value may still be in its zone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It may be there.
    Wanted,
    /// A zone read has shown it gone.
    Gone,
}

/// A certificate as it came from the CA, checked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Issued {
    /// PEM, leaf first.
    pub chain: String,
    /// Of the leaf.
    pub serial: String,
    /// Of the leaf.
    pub not_before: DateTime<Utc>,
    /// Of the leaf.
    pub not_after: DateTime<Utc>,
    /// `sha256:` and hexadecimal digits, of the leaf.
    pub fingerprint: String,
    /// Its identifier for renewal information; `None` where it has none.
    pub ari: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How one sink fared.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SinkRecord {
    /// Its address, such as `secret:web/shop`.
    pub id: String,
    /// The leaf that it holds; `None` while it holds none of ours.
    pub fingerprint: Option<String>,
    /// When that was tried last.
    pub at: DateTime<Utc>,
    /// Why it failed, in one public line.
    pub error: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The last certificate that reached every sink.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Delivered {
    /// Its generation, whose key is kept until the next one is delivered.
    pub generation: u64,
    /// PEM, leaf first.
    pub chain: String,
    /// Of the leaf.
    pub not_after: DateTime<Utc>,
    /// Its identifier for renewal information.
    pub ari: Option<String>,
    /// The point of the CA's renewal window that was drawn for it: a fraction from 0 to 1, as text.
    pub ari_draw: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An attempt at the CA, recorded before it is made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Attempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Whose.
    pub run: String,
    /// What was attempted.
    pub act: Act,
    /// The exit code it ended with; `None` while there is no answer.
    pub code: Option<u8>,
    /// One public line.
    pub why: Option<String>,
    /// What we do not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What an attempt does at the CA, in the order in which it is done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Places an order.
    Order,
    /// Posts challenges.
    Validate,
    /// Finalizes the order.
    Finalize,
}

impl State {
    /// Generation 1 of a certificate that has no journal yet.
    pub fn first(certificate: Name, run: &str, spec: Spec) -> Self {
        Self {
            v: FORMAT,
            rev: 0,
            write: String::new(),
            certificate,
            generation: 1,
            phase: Phase::New,
            run: run.to_owned(),
            started_by: Some(run.to_owned()),
            forced_by: None,
            spec,
            key: None,
            order: None,
            validating_at: None,
            challenges: Vec::new(),
            issued: None,
            sinks: Vec::new(),
            delivered: None,
            attempts: Vec::new(),
            retry_at: None,
            dead: None,
            extra: Extra::new(),
        }
    }

    /// The generation after this one. What was delivered, what is still wanted in zones, and the attempts stay.
    pub fn next(self, run: &str, spec: Spec) -> Self {
        Self {
            generation: self.generation + 1,
            challenges: self
                .challenges
                .into_iter()
                .filter(|challenge| challenge.state == Presence::Wanted)
                .collect(),
            delivered: self.delivered,
            attempts: self.attempts,
            retry_at: self.retry_at,
            extra: self.extra,
            rev: self.rev,
            write: self.write,
            ..Self::first(self.certificate, run, spec)
        }
    }

    /// Adds an attempt and forgets the oldest beyond [`MOST_ATTEMPTS`].
    pub fn attempt(&mut self, at: DateTime<Utc>, run: &str, act: Act) {
        self.attempts.push(Attempt {
            at,
            run: run.to_owned(),
            act,
            code: None,
            why: None,
            extra: Extra::new(),
        });
        let surplus = self.attempts.len().saturating_sub(MOST_ATTEMPTS);
        self.attempts.drain(..surplus);
    }

    /// Refuses to act for a generation that is not the current one (26, "superseded").
    pub fn of_generation(&self, generation: u64) -> Result<(), StoreError> {
        if self.generation == generation {
            return Ok(());
        }
        Err(StoreError::Superseded {
            certificate: self.certificate.to_string(),
            ours: generation,
            current: self.generation,
        })
    }

    /// Reads a document; a newer format is refused before anything else is looked at.
    pub(super) fn parse(doc: &Doc, text: &str) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Format {
            v: u64,
        }
        let damaged = |error| StoreError::damaged(doc, serde_error(&error));
        let Format { v } = serde_json::from_str(text).map_err(damaged)?;
        if v > FORMAT {
            return Err(StoreError::Newer { doc: doc.clone(), found: v, known: FORMAT });
        }
        serde_json::from_str(text).map_err(damaged)
    }
}

/// The place and kind of an error without what the document says there, which is untrusted.
fn serde_error(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
        .to_lowercase()
}
