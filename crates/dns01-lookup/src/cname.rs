//! Where a name leads: CNAMEs followed as a CA follows them.

#[cfg(test)]
mod tests;

use dns01_core::{OwnerName, Zone};
use hickory_proto::rr::{RData, RecordType};

use crate::resolver::Resolver;
use crate::wire::{from_wire, to_wire};
use crate::{Location, LookupError, zone};

/// A longer chain is a mistake, or beyond what a CA's resolver follows (Unbound gives up after 11 restarts).
const MAX_HOPS: usize = 8;

/// The end of a chain of CNAMEs.
#[derive(Debug)]
pub(crate) struct Chain {
    /// As in [`Location`].
    pub(crate) owner: OwnerName,
    /// As in [`Location`].
    pub(crate) hops: Vec<OwnerName>,
    /// As in [`Location`].
    pub(crate) wildcard_below: Option<OwnerName>,
    /// The zone of `owner`, where the answer that it is no alias told it.
    pub(crate) zone: Option<Zone>,
}

impl Chain {
    pub(crate) fn into_location(self, fqdn: &OwnerName, zone: Zone) -> Location {
        let Self { owner, hops, wildcard_below, .. } = self;
        Location { fqdn: fqdn.clone(), owner, chain: hops, zone, wildcard_below }
    }
}

/// Follows the CNAMEs from `fqdn`, except one that only a wildcard makes (see [`Location::wildcard_below`]).
pub(crate) async fn follow(resolver: &Resolver, fqdn: &OwnerName) -> Result<Chain, LookupError> {
    let mut hops: Vec<OwnerName> = Vec::new();
    loop {
        let at = hops.last().unwrap_or(fqdn);
        let target = match target_of(resolver, at).await? {
            Target::Alias(target) => target,
            Target::Itself(zone) => {
                return Ok(Chain { owner: at.clone(), hops, wildcard_below: None, zone });
            }
        };
        if let Some(parent) = at.parent()
            && is_wildcard(resolver, &parent, &target).await?
        {
            tracing::info!(owner = %at, %target, "the CNAME comes from the wildcard `*.{parent}` and is not followed");
            let (owner, wildcard_below) = (at.clone(), Some(parent));
            return Ok(Chain { owner, hops, wildcard_below, zone: None });
        }
        let known = target == *fqdn || hops.contains(&target);
        hops.push(target);
        if known {
            return Err(LookupError::CnameLoop { fqdn: fqdn.clone(), chain: hops });
        }
        if hops.len() > MAX_HOPS {
            return Err(LookupError::CnameTooLong { fqdn: fqdn.clone(), chain: hops });
        }
    }
}

/// Whether a name that nobody can have made, beside the one in question, has the same CNAME (RFC 4592 §2.1.1).
async fn is_wildcard(
    resolver: &Resolver,
    parent: &OwnerName,
    target: &OwnerName,
) -> Result<bool, LookupError> {
    let Ok(sibling) = format!("dns01-{:016x}.{parent}", rand::random::<u64>()).parse() else {
        return Ok(false);
    };
    let found = target_of(resolver, &sibling).await?;
    Ok(matches!(found, Target::Alias(other) if other == *target))
}

/// What a question for the CNAME of a name brings.
enum Target {
    Alias(OwnerName),
    /// There is none; the zone that said so, if it named itself (RFC 2308 §2).
    Itself(Option<Zone>),
}

async fn target_of(resolver: &Resolver, name: &OwnerName) -> Result<Target, LookupError> {
    let Ok(wire) = to_wire(name) else { return Ok(Target::Itself(None)) };
    let reply = resolver.ask(name, RecordType::CNAME).await?;
    let target =
        reply.answers.iter().filter(|record| record.name == wire).find_map(|record| match &record
            .data
        {
            RData::CNAME(target) => Some(&target.0),
            _ => None,
        });
    let Some(target) = target else {
        let says = reply.answers.is_empty() && !reply.is_refusal();
        let apex = says.then(|| zone::apex(&reply, name)).flatten();
        return Ok(Target::Itself(
            apex.filter(|it| it.parent().is_some()).map(|apex| Zone { apex }),
        ));
    };
    let usable = from_wire(target).filter(|target| target.parent().is_some());
    usable.map(Target::Alias).ok_or_else(|| LookupError::NoZone {
        name: name.clone(),
        why: format!(
            "its CNAME points to `{}`, under which nothing can be published",
            target.to_ascii()
        ),
    })
}
