//! Resolvers that have to show the values too, by plain DNS or by HTTPS.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use url::Url;

use crate::args::address;
use crate::resolver::show;

/// A recursive resolver, such as the one that the CA is likely to ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Gate {
    /// By UDP and TCP.
    Dns(SocketAddr),
    /// By HTTPS (RFC 8484), at this URL.
    Https(Url),
}

/// One value of `--gate-resolver`: addresses and URLs separated by commas.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GateArg(pub Vec<Gate>);

impl FromStr for GateArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let gates: Vec<_> = parts.map(gate).collect::<Result<_, _>>()?;
        if gates.is_empty() {
            Err("an IP address or URL is missing".to_owned())
        } else {
            Ok(Self(gates))
        }
    }
}

fn gate(text: &str) -> Result<Gate, String> {
    if !text.contains("://") {
        return address(text).map(Gate::Dns);
    }
    // Lists of resolvers give URI templates.
    let plain = text.strip_suffix("{?dns}").unwrap_or(text);
    let url = Url::parse(plain).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if url.scheme() != "https" {
        return Err(format!("`{text}` is not https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL of a resolver must not hold a credential".to_owned());
    }
    Ok(Gate::Https(url))
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(address) => f.write_str(&show(*address)),
            Self::Https(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_addresses_or_urls_by_https_without_credentials() {
        let shown = |text: &str| {
            let gates = text.parse::<GateArg>()?.0;
            Ok::<_, String>(gates.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            shown("192.0.2.1, https://dns.example/dns-query{?dns},[2001:db8::1]:54").unwrap(),
            ["192.0.2.1", "https://dns.example/dns-query", "[2001:db8::1]:54"]
        );
        for wrong in
            ["", "dns.example", "http://dns.example/", "https://", "https://a:b@dns.example/"]
        {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
