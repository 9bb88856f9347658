//! Whom we may talk to: the directory's own origin and the origins that the directory names, nobody else.

use url::{Host, Origin, Url};

use crate::AcmeError;

/// The origins (scheme, host, port) that a CA's URLs may have.
#[derive(Debug)]
pub(crate) struct Hosts(Vec<Origin>);

impl Hosts {
    /// The directory's own.
    pub(crate) fn of(directory: &Url) -> Self {
        Self(vec![directory.origin()])
    }

    /// Adds the origin of a URL that the directory lists; it must be `https`, or `http` to a loopback address.
    pub(crate) fn admit(&mut self, listed: &str) -> Result<(), AcmeError> {
        let url = Url::parse(listed).ok().filter(is_safe);
        let url = url.ok_or_else(|| AcmeError::Elsewhere { url: shortened(listed) })?;
        if !self.0.contains(&url.origin()) {
            self.0.push(url.origin());
        }
        Ok(())
    }

    /// The URL, if it is on one of these origins.
    pub(crate) fn check(&self, text: &str) -> Result<Url, AcmeError> {
        Url::parse(text)
            .ok()
            .filter(|url| self.0.contains(&url.origin()))
            .ok_or_else(|| AcmeError::Elsewhere { url: shortened(text) })
    }
}

/// Whether nobody on the way can read or change what is sent there.
pub(crate) fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_followed_only_to_an_origin_that_the_directory_names() {
        let directory = Url::parse("https://ca.example/directory").unwrap();
        let mut hosts = Hosts::of(&directory);
        hosts.admit("https://ca.example/nonce").unwrap();
        hosts.admit("https://ari.example:8443/").unwrap();
        for good in ["https://ca.example/order/1", "https://ari.example:8443/x"] {
            assert!(hosts.check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://ca.example/order/1",
            "https://ca.example:444/order/1",
            "https://ari.example/x",
            "https://ca.example.evil.example/",
            "https://evil.example/https://ca.example/",
            "/order/1",
            "file:///etc/passwd",
            "data:,x",
            "",
        ] {
            assert!(hosts.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_directory_cannot_lead_to_plain_http() {
        let directory = Url::parse("https://ca.example/directory").unwrap();
        assert!(Hosts::of(&directory).admit("http://ca.example/nonce").is_err());
    }
}
