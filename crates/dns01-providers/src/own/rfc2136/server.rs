//! The name server's address as people write it.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};

use tokio::net::lookup_host;

/// A host and a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Server {
    host: String,
    port: u16,
}

impl Server {
    /// Reads `host`, `host:port`, `address`, `[address]` or `[address]:port`; the port is 53 unless given.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or("has `[` without `]`")?;
                host.parse::<Ipv6Addr>().map_err(|_| "has no IPv6 address in its brackets")?;
                match rest {
                    "" => (host, None),
                    _ => (host, Some(rest.strip_prefix(':').ok_or("has text after `]`")?)),
                }
            }
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() || !host.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'/') {
            return Err("is not a host, `host:port` or `[address]:port`");
        }
        let port = match port {
            None => 53,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or("has a port that is not a number from 1 to 65535")?,
        };
        Ok(Self { host: host.to_owned(), port })
    }

    /// Every address of the host, as the system's resolver gives them.
    pub(super) async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((self.host.as_str(), self.port)).await?.collect())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_server_is_read() {
        for (text, shown) in [
            ("ns1.example", "ns1.example:53"),
            ("ns1.example:5353", "ns1.example:5353"),
            ("192.0.2.1", "192.0.2.1:53"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            assert_eq!(Server::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            ":53",
            "ns1:",
            "ns1:0",
            "ns1:65536",
            "ns1:53:53",
            "[ns1]:53",
            "[::1",
            "[::1]53",
            "a b",
            "udp://ns1",
        ] {
            assert!(Server::parse(text).is_err(), "{text:?}");
        }
    }
}
