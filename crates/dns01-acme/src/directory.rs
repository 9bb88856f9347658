//! The names of CAs, and what a directory says.

use dns01_core::{ca_directory, ca_name};
use serde::Deserialize;
use url::Url;

use crate::AcmeError;
use crate::http::is_safe;

/// The directory URL that `name` means, and its short code if it is a CA we know. Understood are `letsencrypt`,
/// `letsencrypt-staging`, the short codes of lego, and any URL that [`crate::CaSettings::directory`] may be.
pub fn directory_url(name: &str) -> Result<(String, Option<&'static str>), AcmeError> {
    let name = name.trim();
    let known = ca_directory(name).or_else(|| ca_name(name).and_then(ca_directory));
    match known {
        Some(url) => Ok((url.to_owned(), ca_name(url))),
        None => check_directory_url(name).map(|url| (url.into(), None)),
    }
}

/// A directory's URL, parsed: `https`, or `http` to a loopback address; no user, no fragment.
pub(crate) fn check_directory_url(text: &str) -> Result<Url, AcmeError> {
    let refuse = |why| AcmeError::NoCa { text: text.chars().take(100).collect(), why };
    let Ok(url) = Url::parse(text) else {
        return Err(refuse("it is neither a short code that we know nor a URL"));
    };
    if !is_safe(&url) {
        return Err(refuse("only https, or http to a loopback address, is safe"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(refuse("a directory URL has no user, password or fragment"));
    }
    Ok(url)
}

/// A directory (RFC 8555 §7.1.1, RFC 9773 §4.1, draft-ietf-acme-profiles). instant-acme reads it too, but keeps it to
/// itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Directory {
    pub(crate) new_nonce: String,
    pub(crate) new_account: String,
    pub(crate) new_order: String,
    pub(crate) revoke_cert: Option<String>,
    pub(crate) key_change: Option<String>,
    pub(crate) renewal_info: Option<String>,
    #[serde(default)]
    pub(crate) meta: Meta,
}

/// What a CA says about itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    pub(crate) terms_of_service: Option<String>,
    pub(crate) external_account_required: bool,
    pub(crate) profiles: std::collections::BTreeMap<String, String>,
}

impl Directory {
    /// Every URL that the directory sends us to.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        let optional = [&self.revoke_cert, &self.key_change, &self.renewal_info];
        [&self.new_nonce, &self.new_account, &self.new_order]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_codes_and_urls_name_the_same_ca() {
        let (url, code) = directory_url("letsencrypt-staging").unwrap();
        assert_eq!(url, "https://acme-staging-v02.api.letsencrypt.org/directory");
        assert_eq!(directory_url(&url).unwrap().1, code);
        assert_eq!(directory_url(" zerossl ").unwrap().1, Some("zerossl"));
        assert_eq!(directory_url("https://ca.corp.example/dir").unwrap().1, None);
    }

    #[test]
    fn only_https_or_loopback_is_a_directory() {
        for good in ["http://127.0.0.1:14000/dir", "http://[::1]/dir", "http://localhost:1/dir"] {
            assert!(directory_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "letsencript",
            "http://ca.example/dir",
            "http://localhost.example/dir",
            "ftp://ca.example/dir",
            "https://user@ca.example/dir",
            "https://ca.example/dir#x",
            "file:///etc/passwd",
        ] {
            assert!(directory_url(bad).is_err(), "{bad}");
        }
    }
}
