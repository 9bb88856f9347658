//! Which zone holds a name: the walk to the closest SOA record.

#[cfg(test)]
mod tests;

use dns01_core::{OwnerName, Zone};
use hickory_proto::rr::{Record, RecordType};

use crate::LookupError;
use crate::cname::Chain;
use crate::reply::Reply;
use crate::resolver::Resolver;
use crate::sight::code_name;
use crate::wire::from_wire;

/// The zone that holds `owner`: `owner` itself where it is delegated, else what a negative answer's SOA record says
/// (RFC 2308 §2), else the same for its parent.
pub(crate) async fn zone_of(resolver: &Resolver, owner: &OwnerName) -> Result<Zone, LookupError> {
    let no_zone = |why: String| LookupError::NoZone { name: owner.clone(), why };
    let mut at = owner.clone();
    while let Some(parent) = at.parent() {
        let reply = resolver.ask(&at, RecordType::SOA).await?;
        if reply.is_refusal() {
            return Err(no_zone(format!(
                "the question for `{at}` was answered {}",
                code_name(reply.code)
            )));
        }
        match apex(&reply, &at) {
            Some(apex) if apex.parent().is_none() => break,
            Some(apex) => return Ok(Zone { apex }),
            None => at = parent,
        }
    }
    Err(no_zone("not even its last label is delegated".to_owned()))
}

/// The zone at the end of the CNAMEs from `fqdn`. No zone there, or only a top-level domain far from where the chain
/// started, is a CNAME to a domain that doesn't exist.
pub(crate) async fn zone_of_end(
    resolver: &Resolver,
    fqdn: &OwnerName,
    chain: &Chain,
) -> Result<Zone, LookupError> {
    let found = match &chain.zone {
        Some(zone) => Ok(zone.clone()),
        None => zone_of(resolver, &chain.owner).await,
    };
    if chain.hops.is_empty() {
        return found;
    }
    let dangling = || LookupError::CnameDangling { fqdn: fqdn.clone(), end: chain.owner.clone() };
    match found {
        Err(LookupError::NoZone { .. }) => Err(dangling()),
        Ok(zone) if zone.apex.labels().count() == 1 && zone_of(resolver, fqdn).await? != zone => {
            Err(dangling())
        }
        found => found,
    }
}

/// The apex that a reply to a question for the SOA record of `name` tells.
pub(crate) fn apex(reply: &Reply, name: &OwnerName) -> Option<OwnerName> {
    let soa = |records: &[Record]| {
        records
            .iter()
            .find(|record| record.record_type() == RecordType::SOA)
            .and_then(|it| from_wire(&it.name))
    };
    if reply.answers.is_empty() {
        soa(&reply.authorities).filter(|apex| name.is_within(apex))
    } else {
        // An alias: what the rest of the reply says is about its target.
        soa(&reply.answers).filter(|apex| apex == name)
    }
}
