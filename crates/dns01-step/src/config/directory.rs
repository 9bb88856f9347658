//! Directories of public CAs, under the short names that lego gave them.

/// Name and URL, as lego documents them (<https://go-acme.github.io/lego/advanced/caservers/>).
const DIRECTORIES: [(&str, &str); 16] = [
    ("actalis", "https://acme-api.actalis.com/acme/directory"),
    ("digicert", "https://one.digicert.com/mpki/api/v1/acme/v2/directory"),
    ("freessl", "https://acmepro.freessl.cn/v2/DV"),
    ("globalsign", "https://emea.acme.atlas.globalsign.com/directory"),
    ("googletrust", "https://dv.acme-v02.api.pki.goog/directory"),
    ("googletrust-staging", "https://dv.acme-v02.test-api.pki.goog/directory"),
    ("letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"),
    ("letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"),
    ("litessl", "https://acme.litessl.com/acme/v2/directory"),
    ("peeringhub", "https://stica.peeringhub.io/acme"),
    ("sectigo", "https://acme.sectigo.com/v2/DV"),
    ("sectigoev", "https://acme.sectigo.com/v2/EV"),
    ("sectigoov", "https://acme.sectigo.com/v2/OV"),
    ("sslcomecc", "https://acme.ssl.com/sslcom-dv-ecc"),
    ("sslcomrsa", "https://acme.ssl.com/sslcom-dv-rsa"),
    ("zerossl", "https://acme.zerossl.com/v2/DV90"),
];

/// The directory URL that `server` means: itself if it is one (`https://…`), else that of the CA with this short name.
pub fn directory_url(server: &str) -> Option<&str> {
    if server.strip_prefix("https://").is_some_and(is_address) {
        return Some(server);
    }
    DIRECTORIES.into_iter().find(|(name, _)| *name == server).map(|(_, url)| url)
}

/// The short names of CAs that [`directory_url`] knows.
pub fn directory_names() -> impl Iterator<Item = &'static str> {
    DIRECTORIES.into_iter().map(|(name, _)| name)
}

/// Whether it can stand after `https://`: a host, no user, nothing that a log line could trip over.
fn is_address(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    !host.is_empty() && !host.contains('@') && text.bytes().all(|octet| octet.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_urls_are_directories() {
        assert_eq!(
            directory_url("letsencrypt"),
            Some("https://acme-v02.api.letsencrypt.org/directory")
        );
        assert_eq!(
            directory_url("https://localhost:14000/dir"),
            Some("https://localhost:14000/dir")
        );
        for name in directory_names() {
            assert_eq!(directory_url(name).and_then(directory_url), directory_url(name));
        }
    }

    #[test]
    fn what_is_not_encrypted_or_no_address_is_no_directory() {
        for text in [
            "",
            "http://ca.example/dir",
            "letsencript",
            "https://",
            "https:///dir",
            "https://a@b/",
            "https://a b/",
        ] {
            assert_eq!(directory_url(text), None, "{text}");
        }
    }
}
