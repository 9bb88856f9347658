//! The names of CAs, and what a directory says.

use instant_acme::{LetsEncrypt, ZeroSsl};
use serde::Deserialize;
use url::Url;

use crate::AcmeError;
use crate::http::is_safe;

/// CAs by the short codes that lego users know.
const KNOWN: [(&str, &str); 16] = [
    ("letsencrypt", LetsEncrypt::Production.url()),
    ("letsencrypt-staging", LetsEncrypt::Staging.url()),
    ("actalis", "https://acme-api.actalis.com/acme/directory"),
    ("digicert", "https://one.digicert.com/mpki/api/v1/acme/v2/directory"),
    ("freessl", "https://acmepro.freessl.cn/v2/DV"),
    ("globalsign", "https://emea.acme.atlas.globalsign.com/directory"),
    ("googletrust", "https://dv.acme-v02.api.pki.goog/directory"),
    ("googletrust-staging", "https://dv.acme-v02.test-api.pki.goog/directory"),
    ("litessl", "https://acme.litessl.com/acme/v2/directory"),
    ("peeringhub", "https://stica.peeringhub.io/acme"),
    ("sectigo", "https://acme.sectigo.com/v2/DV"),
    ("sectigoev", "https://acme.sectigo.com/v2/EV"),
    ("sectigoov", "https://acme.sectigo.com/v2/OV"),
    ("sslcomecc", "https://acme.ssl.com/sslcom-dv-ecc"),
    ("sslcomrsa", "https://acme.ssl.com/sslcom-dv-rsa"),
    ("zerossl", ZeroSsl::Production.url()),
];

/// The directory URL that `name` means, and its short code if it is a CA we know. Understood are `letsencrypt`,
/// `letsencrypt-staging`, the short codes of lego, and any URL that [`crate::CaSettings::directory`] may be.
pub fn directory_url(name: &str) -> Result<(String, Option<&'static str>), AcmeError> {
    let name = name.trim();
    if let Some((code, url)) = KNOWN.iter().find(|(code, url)| name == *code || name == *url) {
        return Ok(((*url).to_owned(), Some(*code)));
    }
    check_directory_url(name).map(|url| (url.into(), None))
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
