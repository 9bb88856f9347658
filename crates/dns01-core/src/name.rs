//! Names, parsed once at the edge: IDN accepted and shown, A-labels on the wire.

use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

use crate::{Exit, Explain};

/// A host name as a certificate may carry it: A-labels, lower-case, no trailing dot, at least two labels
/// (RFC 1035 §2.3.4, RFC 5890 §2.3.1).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// The owner name of a DNS record, or a zone apex: like [`DomainName`], but underscores are allowed.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct OwnerName(String);

/// What is certified: a name, or all names one label below it (`*.name`).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier {
    domain: DomainName,
    wildcard: bool,
}

impl DomainName {
    /// The name under which a CA looks for the answer to a DNS-01 challenge (RFC 8555 §8.4).
    pub fn challenge_name(&self) -> Result<OwnerName, NameError> {
        format!("_acme-challenge.{}", self.0).parse()
    }

    /// The name in A-labels, without trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as people write it, with U-labels.
    pub fn unicode(&self) -> String {
        Uts46::new()
            .to_unicode(self.0.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow)
            .0
            .into_owned()
    }
}

impl OwnerName {
    /// The name in A-labels, without trailing dot; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its first label; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        (!self.0.is_empty())
            .then(|| Self(self.0.split_once('.').map_or("", |(_, rest)| rest).to_owned()))
    }

    /// Whether this name is `apex` or below it, label by label (`evilexample.org` is not below `example.org`).
    pub fn is_within(&self, apex: &Self) -> bool {
        apex.0.is_empty()
            || self.0 == apex.0
            || self.0.strip_suffix(&apex.0).is_some_and(|rest| rest.ends_with('.'))
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.').filter(|label| !label.is_empty())
    }
}

impl Identifier {
    /// The name itself, without `*.`: what the CA calls the identifier's value (RFC 8555 §7.1.3).
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Whether it is `*.domain`.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// The identifier for `*.domain`, or for `domain`: the other half of an apex-and-wildcard pair.
    pub fn counterpart(&self) -> Self {
        Self { domain: self.domain.clone(), wildcard: !self.wildcard }
    }

    /// As people write it, with U-labels.
    pub fn unicode(&self) -> String {
        format!("{}{}", if self.wildcard { "*." } else { "" }, self.domain.unicode())
    }
}

impl FromStr for DomainName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = |why| NameError { text: shorten(text), why };
        let given = text.strip_suffix('.').unwrap_or(text);
        if given.contains('*') {
            return Err(refuse("a wildcard is only allowed as the whole first label, `*.`"));
        }
        if given.contains('_') {
            return Err(refuse("an underscore cannot stand in the name of a certificate"));
        }
        let ascii = Uts46::new()
            .to_ascii(given.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
            .map_err(|_| {
                refuse("labels are 1 to 63 letters, digits and inner hyphens, 253 octets in all")
            })?;
        if !ascii.contains('.') {
            return Err(refuse("a public name has at least two labels"));
        }
        if ascii
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|octet| octet.is_ascii_digit()))
        {
            return Err(refuse("an IP address has no DNS-01 challenge"));
        }
        Ok(Self(ascii.into_owned()))
    }
}

impl FromStr for OwnerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = |why| NameError { text: shorten(text), why };
        let given = text.strip_suffix('.').unwrap_or(text);
        if given.is_empty() {
            return Ok(Self(String::new()));
        }
        let ascii = Uts46::new()
            .to_ascii(given.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Verify)
            .map_err(|_| refuse("labels are 1 to 63 octets, 253 in all"))?;
        if !ascii.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet)) {
            return Err(refuse("an owner name has letters, digits, hyphens and underscores"));
        }
        Ok(Self(ascii.into_owned()))
    }
}

impl FromStr for Identifier {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (wildcard, domain) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        Ok(Self { domain: domain.parse()?, wildcard })
    }
}

impl From<DomainName> for OwnerName {
    fn from(name: DomainName) -> Self {
        Self(name.0)
    }
}

impl From<DomainName> for Identifier {
    fn from(domain: DomainName) -> Self {
        Self { domain, wildcard: false }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.domain)
    }
}

impl TryFrom<String> for DomainName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for OwnerName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for Identifier {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl From<OwnerName> for String {
    fn from(name: OwnerName) -> Self {
        name.0
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.to_string()
    }
}

/// The text is not a name that DNS and CAs accept.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a usable name: {why}")]
pub struct NameError {
    text: String,
    why: &'static str,
}

impl Explain for NameError {
    fn exit(&self) -> Exit {
        Exit::Input
    }

    fn hint(&self) -> Option<String> {
        Some("give names such as `example.org` or `*.example.org`".into())
    }
}

/// Enough of a hostile name to recognise it, without control characters.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Result<String, NameError> {
        text.parse::<DomainName>().map(String::from)
    }

    #[test]
    fn idn_goes_in_and_a_labels_come_out() {
        assert_eq!(domain("Bücher.Example.").unwrap(), "xn--bcher-kva.example");
        assert_eq!("bücher.example".parse::<DomainName>().unwrap().unicode(), "bücher.example");
        assert_eq!(
            "*.bücher.example".parse::<Identifier>().unwrap().to_string(),
            "*.xn--bcher-kva.example"
        );
    }

    #[test]
    fn names_that_no_ca_certifies_are_refused() {
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            ".",
            "localhost",
            "a..b",
            "-a.example",
            "a-.example",
            "a_b.example",
            "192.0.2.1",
            "a b.example",
            "xn--example-.org",
            "*.*.example.org",
            "a.*.example.org",
            "ab--cd.example",
            &long,
            "a\u{0}.example",
        ] {
            assert!(domain(text).is_err() && text.parse::<Identifier>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn owner_names_may_have_underscores() {
        let name: OwnerName = "_acme-challenge.Example.org.".parse().unwrap();
        assert_eq!(name.as_str(), "_acme-challenge.example.org");
        assert!(name.is_within(&"example.org".parse().unwrap()));
        assert!(
            !"evilexample.org"
                .parse::<OwnerName>()
                .unwrap()
                .is_within(&"example.org".parse().unwrap())
        );
        assert_eq!(name.parent().unwrap().as_str(), "example.org");
        assert_eq!("org".parse::<OwnerName>().unwrap().parent().unwrap().to_string(), ".");
    }

    #[test]
    fn the_challenge_name_of_a_too_long_name_is_refused() {
        let name: DomainName =
            format!("{0}.{0}.{0}.{1}.example", "a".repeat(60), "b".repeat(50)).parse().unwrap();
        assert!(name.challenge_name().is_err());
    }
}
