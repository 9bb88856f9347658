//! The names of CAs.

use crate::AcmeError;

/// The directory URL that `name` means, and its short code if it is a CA we know. Understood are `letsencrypt`,
/// `letsencrypt-staging`, the short codes of lego, and any URL.
pub fn directory_url(_name: &str) -> Result<(String, Option<&'static str>), AcmeError> {
    todo!()
}
