//! Who serves a zone: its name servers and each of their addresses.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use dns01_core::{OwnerName, Zone};
use futures_util::future::{join, join_all};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};

use crate::resolver::{Resolver, show};
use crate::sight::code_name;
use crate::wire::from_wire;
use crate::{Authorities, LookupError, Server, Unresolved};

/// More name servers than any zone has; what is above is an attack or a mistake.
pub(crate) const MAX_SERVERS: usize = 64;
/// And so for the addresses of all of them.
const MAX_ADDRESSES: usize = 512;

/// Every server of `zone`, with every address.
pub(crate) async fn authorities(
    resolver: &Resolver,
    zone: &Zone,
) -> Result<Authorities, LookupError> {
    let mut found = Authorities { zone: zone.clone(), servers: Vec::new(), unresolved: Vec::new() };
    if let Some(named) = resolver.named_authorities(&zone.apex) {
        found.servers = named
            .iter()
            .map(|address| Server { name: show(*address), addresses: vec![*address] })
            .collect();
        return Ok(found);
    }
    let names = server_names(resolver, zone).await?;
    let too_many =
        |found, what, limit| Err(LookupError::TooMany { zone: zone.clone(), found, what, limit });
    if names.len() > MAX_SERVERS {
        return too_many(names.len(), "name servers", MAX_SERVERS);
    }
    let mut failed = None;
    let looked_up = join_all(names.iter().map(|name| addresses(resolver, name))).await;
    for (name, addresses) in names.iter().zip(looked_up) {
        let server = name.to_string();
        match addresses {
            Ok(addresses) => found.servers.push(Server { name: server, addresses }),
            Err(NoAddress { reason, error }) => {
                failed = failed.or(error);
                found.unresolved.push(Unresolved { zone: zone.clone(), server, reason });
            }
        }
    }
    let count = found.servers.iter().map(|server| server.addresses.len()).sum();
    if count > MAX_ADDRESSES {
        return too_many(count, "name server addresses", MAX_ADDRESSES);
    }
    if found.servers.is_empty() {
        // Another attempt may find what this one couldn't.
        if let Some(error) = failed {
            return Err(error);
        }
        let reasons = found
            .unresolved
            .iter()
            .map(|it| format!("`{}` has no address ({})", it.server, it.reason));
        let why = reasons.collect::<Vec<_>>().join(", ");
        return Err(LookupError::NoServers { zone: zone.clone(), why });
    }
    Ok(found)
}

async fn server_names(
    resolver: &Resolver,
    zone: &Zone,
) -> Result<BTreeSet<OwnerName>, LookupError> {
    let reply = resolver.ask(&zone.apex, RecordType::NS).await?;
    let names: BTreeSet<_> = reply
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::NS(server) => from_wire(&server.0),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        let why = match reply.code {
            ResponseCode::NoError => "it has no NS records".to_owned(),
            code => format!("the question for its NS records was answered {}", code_name(code)),
        };
        return Err(LookupError::NoServers { zone: zone.clone(), why });
    }
    Ok(names)
}

/// A server that cannot be asked.
struct NoAddress {
    reason: String,
    /// Set when the lookup itself failed.
    error: Option<LookupError>,
}

/// Every address of one server, or why there is none.
async fn addresses(resolver: &Resolver, server: &OwnerName) -> Result<Vec<SocketAddr>, NoAddress> {
    let (v4, v6) =
        join(resolver.ask(server, RecordType::A), resolver.ask(server, RecordType::AAAA)).await;
    let mut found: BTreeSet<IpAddr> = BTreeSet::new();
    let mut none = NoAddress { reason: "no A or AAAA record".to_owned(), error: None };
    for reply in [v4, v6] {
        match reply {
            Ok(reply) => {
                found.extend(reply.addresses());
                if reply.code != ResponseCode::NoError {
                    none.reason = code_name(reply.code);
                }
            }
            Err(error) => {
                tracing::warn!(%server, %error, "an address lookup for a name server failed");
                none = NoAddress { reason: error.to_string(), error: Some(error) };
            }
        }
    }
    if found.is_empty() {
        return Err(none);
    }
    Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 53)).collect())
}

#[cfg(test)]
mod tests {
    use dns01_core::{Exit, Explain as _};

    use super::*;
    use crate::fake::{Fake, lookup};

    async fn servers(lines: &str) -> Result<Authorities, LookupError> {
        let zone = Zone { apex: "a.test".parse().unwrap() };
        Fake::serving(lines).await.lookup().authorities(&zone).await
    }

    #[tokio::test]
    async fn every_address_of_every_server_is_found_and_those_without_are_named() {
        let found = servers(
            "a.test SOA
             a.test NS ns1.a.test
             a.test NS ns2.b.test
             a.test NS gone.b.test
             ns1.a.test A 192.0.2.1
             ns1.a.test A 192.0.2.2
             ns1.a.test AAAA 2001:db8::1
             b.test SOA
             ns2.b.test AAAA 2001:db8::2",
        )
        .await
        .unwrap();
        let servers: Vec<_> = found
            .servers
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                )
            })
            .collect();
        assert_eq!(
            servers,
            [
                ("ns1.a.test", "192.0.2.1:53 192.0.2.2:53 [2001:db8::1]:53".to_owned()),
                ("ns2.b.test", "[2001:db8::2]:53".to_owned())
            ]
        );
        assert_eq!(found.unresolved.len(), 1);
        assert_eq!(
            (found.unresolved[0].server.as_str(), found.unresolved[0].reason.as_str()),
            ("gone.b.test", "NXDOMAIN")
        );
    }

    #[tokio::test]
    async fn a_zone_without_usable_servers_is_not_found() {
        for (lines, why) in [
            ("a.test SOA", "it has no NS records"),
            ("a.test SOA\na.test NS ns.a.test", "`ns.a.test` has no address (NXDOMAIN)"),
            ("b.test SOA", "REFUSED"),
        ] {
            let error = servers(lines).await.unwrap_err();
            assert_eq!(error.exit(), Exit::NotFound);
            assert!(error.to_string().contains(why), "{error}");
            assert!(error.hint().unwrap().contains("--authority a.test=IP"));
        }
    }

    #[tokio::test]
    async fn a_failed_address_lookup_is_worth_another_attempt() {
        let data = crate::fake::Data::new("a.test SOA\na.test NS ns.a.test");
        let server = Fake::start(move |asked, answer| {
            let mut answer = data.answer(answer);
            if asked.kind == RecordType::A {
                answer.metadata.response_code = ResponseCode::ServFail;
            }
            vec![answer]
        })
        .await;
        let zone = Zone { apex: "a.test".parse().unwrap() };
        let error = server.lookup().authorities(&zone).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Transient, "{error}");
    }

    #[tokio::test]
    async fn a_zone_that_names_an_army_is_refused() {
        let many: Vec<_> = (0..65)
            .map(|n| format!("a.test NS ns{n}.a.test\nns{n}.a.test A 192.0.2.1\n"))
            .collect();
        let many = many.concat();
        let error = servers(&format!("a.test SOA\n{many}")).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Policy);
        assert_eq!(
            error.to_string(),
            "zone `a.test` names 65 name servers, and at most 64 are asked"
        );
        let many: Vec<_> = (0..=255)
            .map(|n| format!("ns.a.test A 192.0.2.{n}\nns2.a.test A 198.51.100.{n}\n"))
            .collect();
        let many = many.concat();
        let error = servers(&format!(
            "a.test SOA\na.test NS ns.a.test\na.test NS ns2.a.test\nns.a.test AAAA ::1\n{many}"
        ))
        .await
        .unwrap_err();
        assert!(error.to_string().contains("names 513 name server addresses"), "{error}");
    }

    #[tokio::test]
    async fn servers_that_the_user_names_need_no_lookup() {
        let (one, two) = (Fake::serving("").await, Fake::serving("").await);
        let zone = Zone { apex: "a.test".parse().unwrap() };
        let found = lookup(&[], &[("a.test", &[&one, &two])]).authorities(&zone).await.unwrap();
        let addresses: Vec<_> = found.addresses().collect();
        assert_eq!(addresses, [(0, one.address), (1, two.address)]);
        assert!(one.asked().is_empty());
    }
}
