//! What an issuer's `server` may be: a directory URL, or a CA's short name.

use dns01_core::ca_directory;

/// The directory URL that `server` means: itself if it is one (`https://…`), else that of the CA with this short name.
pub fn directory_url(server: &str) -> Option<&str> {
    if server.strip_prefix("https://").is_some_and(is_address) {
        return Some(server);
    }
    ca_directory(server)
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
