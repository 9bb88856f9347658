//! What crosses a pod: challenges, the records that answer them, and what the provider holds.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{DomainName, Exit, Explain, NameError, OwnerName};

/// One DNS-01 challenge: public data, an element of the `challenges` output.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// The name to be certified, without `*.`.
    pub domain: DomainName,
    /// Where the CA starts looking: `_acme-challenge.<domain>`, before any CNAME is followed.
    pub fqdn: OwnerName,
    /// The TXT value: base64url of the SHA-256 of the key authorization, 43 characters (RFC 8555 §8.4).
    pub value: String,
}

/// The zone that holds a record: the name of its SOA.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Zone {
    /// The apex name.
    pub apex: OwnerName,
}

/// One TXT value at one name. Several records may share a name: apex and wildcard do.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TxtRecord {
    /// Where the value is published: the end of the CNAME chain where there is one.
    pub name: OwnerName,
    /// The text, at most 255 octets.
    pub value: String,
    /// Time to live in seconds.
    pub ttl: u32,
}

/// What the provider says it holds at one name after a write: an element of the `published` output.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Published {
    /// The zone.
    pub zone: Zone,
    /// The owner name in it.
    pub owner: OwnerName,
    /// Every TXT value there, foreign ones too.
    pub values: Vec<String>,
    /// The zone's SOA serial at the provider, where it tells one.
    pub serial: Option<u32>,
}

impl Challenge {
    /// The challenge for `domain` whose key authorization is `token.thumbprint` (RFC 8555 §8.1, §8.4).
    pub fn from_key_authorization(
        domain: DomainName,
        key_authorization: &str,
    ) -> Result<Self, NameError> {
        let value = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(key_authorization));
        Ok(Self { fqdn: domain.challenge_name()?, domain, value })
    }

    /// The same, from a TXT value that somebody else has computed for `fqdn`.
    pub fn from_value(fqdn: OwnerName, value: &str) -> Result<Self, ChallengeError> {
        let domain = fqdn.as_str().strip_prefix("_acme-challenge.").unwrap_or(fqdn.as_str());
        let challenge = Self { domain: domain.parse()?, fqdn, value: value.to_owned() };
        challenge.check()?;
        Ok(challenge)
    }

    /// Whether the parts are what a CA could ask for; what arrives from outside is checked before it is used.
    pub fn check(&self) -> Result<(), ChallengeError> {
        let is_base64url =
            |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
        if self.value.len() != 43 || !self.value.bytes().all(is_base64url) {
            return Err(ChallengeError::Value { fqdn: self.fqdn.clone() });
        }
        Ok(())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.apex.fmt(f)
    }
}

/// A challenge that no CA can have made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// The value is not base64url of 32 octets.
    #[error("the TXT value for `{fqdn}` is not 43 characters of base64url")]
    Value {
        /// The name it was meant for.
        fqdn: OwnerName,
    },
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Explain for ChallengeError {
    fn exit(&self) -> Exit {
        Exit::Input
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Value { .. } => Some(
                "give what the ACME client says is to be published, or the key authorization, of which it is the digest"
                    .to_owned(),
            ),
            Self::Name(error) => error.hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_the_digest_of_the_key_authorization() {
        let challenge =
            Challenge::from_key_authorization("example.org".parse().unwrap(), "token.thumbprint")
                .unwrap();
        assert_eq!(challenge.fqdn.as_str(), "_acme-challenge.example.org");
        assert_eq!(challenge.value.len(), 43);
        challenge.check().unwrap();
    }

    #[test]
    fn a_leading_hyphen_is_legal_and_padding_is_not() {
        let fqdn: OwnerName = "_acme-challenge.example.org".parse().unwrap();
        assert!(Challenge::from_value(fqdn.clone(), &format!("-{}", "a".repeat(42))).is_ok());
        assert!(Challenge::from_value(fqdn.clone(), &format!("{}=", "a".repeat(42))).is_err());
        assert!(Challenge::from_value(fqdn, "short").is_err());
    }
}
