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

/// The directory URL of the CA with this short name.
pub fn ca_directory(name: &str) -> Option<&'static str> {
    DIRECTORIES.into_iter().find(|(known, _)| *known == name).map(|(_, url)| url)
}

/// The short name of the CA with this directory URL.
pub fn ca_name(url: &str) -> Option<&'static str> {
    DIRECTORIES.into_iter().find(|(_, known)| *known == url).map(|(name, _)| name)
}

/// Every short name, sorted.
pub fn ca_names() -> impl Iterator<Item = &'static str> {
    DIRECTORIES.into_iter().map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_every_directory_is_https_and_has_one_name() {
        assert!(ca_names().is_sorted());
        for name in ca_names() {
            let url = ca_directory(name).unwrap();
            assert!(url.starts_with("https://"));
            assert_eq!(ca_name(url), Some(name));
        }
    }
}
