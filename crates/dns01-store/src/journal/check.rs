//! What a `state` document must say to be acted on: whoever can write it must not steer us elsewhere.

use std::collections::BTreeSet;

use dns01_core::{BoxError, Chain, Challenge, Exit, Explain, Identifier};
use url::Url;

use super::state::MOST_ATTEMPTS;
use super::{Presence, State};
use crate::Name;

/// CAs accept 100 names in an order; one more list of that size may be waiting for removal.
const MOST_NAMES: usize = 100;
const MOST_CHALLENGES: usize = 400;
const MOST_SINKS: usize = 100;

/// The largest integer that every reader of JSON keeps exactly.
const HIGHEST: u64 = 1 << 53;

/// What is wrong with a state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// It is another certificate's.
    #[error("it is the journal of `{0}`")]
    OtherCertificate(Name),
    /// A counter that no journal can have reached, and that could not count on.
    #[error("its {what} is {number}")]
    Counter {
        /// Which.
        what: &'static str,
        /// What it says.
        number: u64,
    },
    /// A list is longer than any real one, or empty where it cannot be.
    #[error("it has {count} {what}")]
    Count {
        /// Which list.
        what: &'static str,
        /// Its length.
        count: usize,
    },
    /// No URL.
    #[error("the {what} is no https URL")]
    Url {
        /// Which.
        what: &'static str,
    },
    /// A URL that would take us to somebody else.
    #[error("the {what} is not at the CA's own address {origin}")]
    Origin {
        /// Which.
        what: &'static str,
        /// Where it must be.
        origin: String,
    },
    /// A name that does not follow from the names ordered.
    #[error("a challenge for `{0}` does not belong to the names of the certificate")]
    Owner(String),
    /// The thumbprint is none.
    #[error("the thumbprint is not 43 characters of base64url")]
    Thumbprint,
    /// A part does not parse.
    #[error("the {what} cannot be used")]
    Part {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        cause: BoxError,
    },
    /// The chain is not the one that the state describes.
    #[error("the issued chain has another fingerprint than it says")]
    Fingerprint,
}

impl Explain for Untrusted {
    fn exit(&self) -> Exit {
        Exit::Integrity
    }
}

impl State {
    /// Checks what is read before anything acts on it, and what is written before it is stored.
    pub fn check(&self, certificate: &Name) -> Result<(), Untrusted> {
        if self.certificate != *certificate {
            return Err(Untrusted::OtherCertificate(self.certificate.clone()));
        }
        for (what, number) in [("generation", self.generation), ("revision", self.rev)] {
            if number > HIGHEST {
                return Err(Untrusted::Counter { what, number });
            }
        }
        let counted = [
            ("names", self.spec.names.len(), MOST_NAMES),
            ("challenges", self.challenges.len(), MOST_CHALLENGES),
            ("sinks", self.sinks.len(), MOST_SINKS),
            ("attempts", self.attempts.len(), MOST_ATTEMPTS),
        ];
        for (what, count, most) in counted {
            if count > most || (what == "names" && count == 0) {
                return Err(Untrusted::Count { what, count });
            }
        }
        if !is_base64url_of_32_octets(&self.spec.thumbprint) {
            return Err(Untrusted::Thumbprint);
        }
        self.check_urls()?;
        self.check_challenges()?;
        self.check_chains()
    }

    fn check_urls(&self) -> Result<(), Untrusted> {
        let parse = |what, text: &str| {
            Url::parse(text)
                .ok()
                .filter(|url| url.scheme() == "https" && url.username().is_empty())
                .ok_or(Untrusted::Url { what })
        };
        let origin = parse("directory", &self.spec.directory)?.origin();
        let order = self.order.iter().map(|order| ("order URL", &order.url));
        let ours = self.challenges.iter().filter(|wanted| wanted.generation == self.generation);
        let challenges = ours.filter_map(|wanted| Some(("challenge URL", wanted.url.as_ref()?)));
        for (what, text) in order.chain(challenges) {
            if parse(what, text)?.origin() != origin {
                return Err(Untrusted::Origin { what, origin: origin.ascii_serialization() });
            }
        }
        Ok(())
    }

    /// Names are derived again; only where a CNAME leads cannot be, and cleanup looks that up itself as well.
    fn check_challenges(&self) -> Result<(), Untrusted> {
        let domains: BTreeSet<_> = self.spec.names.iter().map(Identifier::domain).collect();
        for wanted in &self.challenges {
            let of_this = wanted.generation == self.generation;
            let derived = wanted.domain.challenge_name().ok();
            if derived.as_ref() != Some(&wanted.fqdn)
                || wanted.generation > self.generation
                || (of_this && !domains.contains(&wanted.domain))
            {
                return Err(Untrusted::Owner(wanted.fqdn.to_string()));
            }
            wanted
                .challenge()
                .check()
                .map_err(|cause| Untrusted::Part { what: "challenge", cause: cause.into() })?;
        }
        Ok(())
    }

    fn check_chains(&self) -> Result<(), Untrusted> {
        let parse = |what, pem: &str| {
            Chain::from_pem(pem).map_err(|cause| Untrusted::Part { what, cause: cause.into() })
        };
        let issued = self.issued.as_ref().map(|issued| &issued.chain);
        if let Some(delivered) = self.delivered.as_ref().filter(|old| Some(&old.chain) != issued) {
            parse("delivered chain", &delivered.chain)?;
        }
        if let Some(issued) = &self.issued
            && parse("issued chain", &issued.chain)?.leaf().fingerprint != issued.fingerprint
        {
            return Err(Untrusted::Fingerprint);
        }
        Ok(())
    }
}

impl super::Wanted {
    /// The public part: what `present`, `wait-propagation` and `cleanup` are given.
    pub fn challenge(&self) -> Challenge {
        Challenge {
            domain: self.domain.clone(),
            fqdn: self.fqdn.clone(),
            value: self.value.clone(),
        }
    }

    /// Whether it may still be in its zone.
    pub fn is_wanted(&self) -> bool {
        self.state == Presence::Wanted
    }
}

fn is_base64url_of_32_octets(text: &str) -> bool {
    let legal = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    text.len() == 43 && text.bytes().all(legal)
}
