//! Who serves a zone: its name servers and each of their addresses.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use dns01_core::{OwnerName, Zone};
use futures_util::future::{join, join_all};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::resolver::{Resolver, show};
use crate::sight::code_name;
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
    let names: BTreeSet<_> = reply.name_servers().into_iter().collect();
    if names.is_empty() {
        let why = match reply.code {
            ResponseCode::NoError => "it has no NS records".to_owned(),
            ResponseCode::NXDomain => "its parent does not delegate it (NXDOMAIN)".to_owned(),
            code => format!("the question for its NS records was answered {}", code_name(code)),
        };
        return Err(LookupError::NoServers { zone: zone.clone(), why });
    }
    Ok(names)
}

/// Every address of a server, if it has one.
pub(crate) async fn addresses_of(
    resolver: &Resolver,
    server: &OwnerName,
) -> Option<Vec<SocketAddr>> {
    addresses(resolver, server).await.ok()
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
