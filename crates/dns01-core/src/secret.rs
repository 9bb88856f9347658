//! Text that must not be seen: keys, tokens, passwords.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// Text that `Debug` does not show, `Display` and `Serialize` do not exist for, and memory is cleared of when dropped.
#[derive(Clone, Deserialize, Eq, PartialEq)]
#[serde(from = "String")]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text itself. Call it as late as possible, and never into a format string.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it but white space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
