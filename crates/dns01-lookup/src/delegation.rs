//! What the parent zone says about a zone's servers, compared with what the zone itself says.
//!
//! Resolvers begin with the parent's names, so a server that only the parent names may be the one a CA asks, and one that
//! only the zone names may never be asked. It is reported; nobody is asked or left out because of it.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use dns01_core::{OwnerName, Zone};
use futures_util::future::join_all;
use hickory_proto::rr::RecordType;
use serde::Serialize;
use tokio::time::timeout;

use crate::Authorities;
use crate::authorities::addresses_of;
use crate::exchange;
use crate::reply::Reply;
use crate::resolver::Resolver;
use crate::wire::to_wire;
use crate::zone::zone_of;

/// For all questions about one zone.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many of the parent's servers are tried.
const MAX_TRIED: usize = 3;

/// A zone and its parent that name different servers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Delegation {
    /// The zone.
    pub zone: Zone,
    /// Servers that only the parent zone names.
    pub only_in_parent: Vec<String>,
    /// Servers that only the zone itself names.
    pub only_in_zone: Vec<String>,
}

impl Delegation {
    /// The difference as a sentence.
    pub fn sentence(&self) -> String {
        let Self { zone, only_in_parent, only_in_zone } = self;
        let says = |who: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("only {who} names {}", names.join(", ")))
        };
        let both = [says("its parent", only_in_parent), says("the zone itself", only_in_zone)];
        let both: Vec<_> = both.into_iter().flatten().collect();
        format!("the NS records of `{zone}` and its delegation differ: {}", both.join("; "))
    }
}

/// Where these zones differ from their delegations, as far as that can be found out in time.
pub(crate) async fn differences(
    resolver: &Resolver,
    zones: impl Iterator<Item = &Authorities>,
) -> Vec<Delegation> {
    let all = zones.map(|zone| async move {
        timeout(PATIENCE, difference(resolver, zone)).await.ok().flatten()
    });
    join_all(all).await.into_iter().flatten().collect()
}

async fn difference(resolver: &Resolver, authorities: &Authorities) -> Option<Delegation> {
    let zone = &authorities.zone;
    if resolver.named_authorities(&zone.apex).is_some() {
        return None;
    }
    let unresolved = authorities.unresolved.iter().map(|it| it.server.clone());
    let own: BTreeSet<_> =
        authorities.servers.iter().map(|it| it.name.clone()).chain(unresolved).collect();
    let parent = zone_of(resolver, &zone.apex.parent()?).await.ok();
    let parent = parent.map_or_else(|| "".parse().ok(), |zone| Some(zone.apex))?;
    let servers = resolver.ask(&parent, RecordType::NS).await.ok()?.name_servers();
    let delegated = delegated(resolver, &zone.apex, &servers).await?;
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>()
    };
    let (only_in_parent, only_in_zone) = (only(&delegated, &own), only(&own, &delegated));
    let differ = !(only_in_parent.is_empty() && only_in_zone.is_empty());
    differ.then(|| Delegation { zone: zone.clone(), only_in_parent, only_in_zone })
}

/// The names in the parent's referral. A server that holds both zones answers for the child and gives none.
async fn delegated(
    resolver: &Resolver,
    apex: &OwnerName,
    servers: &[OwnerName],
) -> Option<BTreeSet<String>> {
    let wire = to_wire(apex).ok()?;
    for server in servers.iter().take(MAX_TRIED) {
        for address in addresses_of(resolver, server).await.unwrap_or_default() {
            let Ok(answer) = exchange::ask(address, &wire, RecordType::NS).await else { continue };
            let reply: Reply = answer.try_into().ok()?;
            let (zone, names) = reply.referral()?;
            return (zone == *apex).then(|| names.iter().map(ToString::to_string).collect());
        }
    }
    None
}
