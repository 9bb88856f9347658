//! The names under which certificates and accounts are kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Room for `dns01-` before it and `-key` behind it in the names of Kubernetes objects and label values (63).
const LONGEST: usize = 50;

/// The name of a certificate or an account: a DNS-1123 label of at most 50 characters, so that it can be a folder, a
/// Kubernetes object and a label value, and never a path.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let inner = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
        let fits = text.len() <= LONGEST
            && text.bytes().all(|octet| inner(octet) || octet == b'-')
            && text.bytes().next().is_some_and(inner)
            && text.bytes().next_back().is_some_and(inner);
        if fits { Ok(Self(text.to_owned())) } else { Err(StoreError::name(text)) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for text in
            ["", ".", "..", "a/b", "../x", "a.b", "-a", "a-", "A", "ä", "a\0", &"a".repeat(51)]
        {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        for text in ["a", "shop", "shop-2", &"a".repeat(50)] {
            assert!(text.parse::<Name>().is_ok(), "{text:?}");
        }
    }
}
