//! The flags with which every step that reads DNS chooses whom it asks.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use dns01_core::Zone;

/// Which DNS servers a step asks.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct LookupArgs {
    /// DNS servers that find zones and CNAMEs, as IP or IP:port (repeat or separate by commas); default: resolv.conf
    #[arg(long, value_name = "IP[:PORT]", aliases = ["dns.resolvers", "dns-resolvers"])]
    pub resolver: Vec<ResolverArg>,
    /// Ask these servers about a zone, not those its NS records name (repeat; split horizon)
    #[arg(long, value_name = "ZONE=IP[:PORT],…")]
    pub authority: Vec<AuthorityArg>,
    /// File of DNSKEY records that DNSSEC ends at; default: the root zone's keys (for private roots and tests)
    #[arg(long, value_name = "FILE", hide = true)]
    pub trust_anchor: Option<PathBuf>,
}

/// One value of `--resolver`: addresses separated by commas, port 53 unless given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResolverArg(pub Vec<SocketAddr>);

/// One value of `--authority`: one or more `ZONE=IP[:PORT],…`, separated by white space or semicolons.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorityArg(pub Vec<(Zone, Vec<SocketAddr>)>);

impl FromStr for ResolverArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        addresses(text).map(Self)
    }
}

impl FromStr for AuthorityArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(|c: char| c == ';' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (zone, servers) = part
                    .split_once('=')
                    .ok_or_else(|| format!("`{part}` has no `=`: write ZONE=IP[:PORT]"))?;
                let apex = zone.parse().map_err(|error| format!("{error}"))?;
                Ok((Zone { apex }, addresses(servers)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(address)
        .collect::<Result<_, _>>()?;
    if found.is_empty() { Err("an IP address is missing".to_owned()) } else { Ok(found) }
}

/// An IP address, with port 53 unless another is given.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, 53))
        .or_else(|_| text.parse())
        .map_err(|_| format!("`{text}` is not an IP address with an optional port"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        lookup: LookupArgs,
    }

    fn resolvers(text: &str) -> Result<Vec<String>, String> {
        Ok(text.parse::<ResolverArg>()?.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn resolvers_are_addresses_with_or_without_port() {
        assert_eq!(
            resolvers("192.0.2.1, 192.0.2.2:5353,2001:db8::1,[2001:db8::2]:54,[2001:db8::3]")
                .unwrap(),
            [
                "192.0.2.1:53",
                "192.0.2.2:5353",
                "[2001:db8::1]:53",
                "[2001:db8::2]:54",
                "[2001:db8::3]:53"
            ]
        );
        for wrong in ["", ",", "ns1.example.org", "192.0.2.1:x", "192.0.2.1:53:53"] {
            assert!(resolvers(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn one_environment_value_can_name_several_zones() {
        let given: AuthorityArg =
            "a.test=192.0.2.1,192.0.2.2:54;B.test.=::1\nc.test=192.0.2.3".parse().unwrap();
        let zones: Vec<_> = given.0.iter().map(|(zone, at)| (zone.to_string(), at.len())).collect();
        assert_eq!(zones, [("a.test".into(), 2), ("b.test".into(), 1), ("c.test".into(), 1)]);
        for wrong in ["a.test", "a.test=", "=192.0.2.1,x", "a b=192.0.2.1"] {
            assert!(wrong.parse::<AuthorityArg>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn flags_repeat_and_take_the_name_that_lego_uses() {
        let command = Command::try_parse_from([
            "x",
            "--resolver",
            "192.0.2.1,192.0.2.2",
            "--dns.resolvers=192.0.2.3",
            "--authority=a.test=::1",
        ])
        .unwrap();
        assert_eq!(command.lookup.resolver.iter().map(|arg| arg.0.len()).sum::<usize>(), 3);
        assert_eq!(command.lookup.authority.len(), 1);
    }
}
