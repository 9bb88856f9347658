//! What every address answers for a name, whatever is expected there: for people who want to see.

mod caa;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use dns01_core::{OwnerName, Zone};
use futures_util::future::join3;
use futures_util::stream::{self, StreamExt as _};
use hickory_proto::rr::{Name, RecordType};
use serde::Serialize;

use crate::dnssec::Evidence;
use crate::engine::{Kind, MAX_IN_FLIGHT};
use crate::resolver::show;
use crate::sight::{judge, judge_trouble, texts};
use crate::truth::soa_of;
use crate::wire::to_wire;
use crate::{Authorities, Delegation, Dnssec, Location, Lookup, LookupError, Unresolved};
use crate::{delegation, dnssec, exchange, location};
pub use caa::Caa;

/// How the name of a challenge's record begins (RFC 8555 §8.4).
const CHALLENGE: &str = "_acme-challenge.";

/// One look at a name on every server of its zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Survey {
    /// The name that was looked for.
    pub name: OwnerName,
    /// The end of its CNAMEs, where the records are.
    pub owner: OwnerName,
    /// The zone of that.
    pub zone: Zone,
    /// What each address answers.
    pub servers: Vec<Surveyed>,
    /// Servers without an address.
    pub unresolved: Vec<Unresolved>,
    /// What the parent zone says otherwise.
    pub delegation: Option<Delegation>,
    /// What validation says of the zone.
    pub dnssec: Option<Dnssec>,
    /// Who may issue, where that is limited.
    pub caa: Option<Caa>,
}

/// What one address answers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Surveyed {
    /// The server's name, or its address where only that is known.
    pub server: String,
    /// The address, with the port unless it is 53.
    pub address: String,
    /// The TXT values, sorted.
    pub values: Vec<String>,
    /// What is wrong with the answer, in words such as `answers SERVFAIL`; none where there is nothing but no record.
    pub trouble: Option<String>,
    /// The zone's serial at this address.
    pub serial: Option<u32>,
}

impl Survey {
    /// Whether every address shows the same values, at least one.
    pub fn agrees(&self) -> bool {
        let first = self.servers.first().map(|server| &server.values);
        first.is_some_and(|values| !values.is_empty())
            && self.servers.iter().all(|it| it.trouble.is_none() && Some(&it.values) == first)
    }

    /// One line for each address, and one that says what to do.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.servers.iter().map(Surveyed::line).collect();
        let none = |it: &Unresolved| format!("{} has no address ({})", it.server, it.reason);
        lines.extend(self.unresolved.iter().map(none));
        lines.extend(self.delegation.as_ref().map(Delegation::sentence));
        lines.extend(
            self.dnssec.iter().filter_map(|it| Some(format!("DNSSEC: {}", it.reason.as_ref()?))),
        );
        lines.extend(self.caa.as_ref().map(Caa::line));
        let (owner, zone) = (&self.owner, &self.zone);
        lines.push(self.advice(owner, zone));
        lines
    }

    fn advice(&self, owner: &OwnerName, zone: &Zone) -> String {
        let count = self.servers.len();
        let troubled = self.servers.iter().find(|it| it.trouble.is_some());
        let serials: BTreeSet<_> = self.servers.iter().filter_map(|it| it.serial).collect();
        let is_bogus =
            self.dnssec.as_ref().is_some_and(|it| it.state == crate::SignatureState::Bogus);
        if self.agrees() {
            let who = if count == 1 { "the only address shows" } else { "all addresses show" };
            let but = if is_bogus {
                format!(
                    "; sign `{zone}` anew, or correct its DS record: a CA that validates will refuse them"
                )
            } else {
                String::new()
            };
            format!("{who} these TXT records at `{owner}` (zone `{zone}`){but}")
        } else if let Some(server) = troubled {
            format!("repair {} or take it out of the NS records of `{zone}`", server.server)
        } else if self.servers.iter().all(|it| it.values.is_empty()) {
            self.nowhere(owner, zone)
        } else if serials.len() > 1 {
            format!(
                "the servers of `{zone}` have different serials: wait, or repair its zone transfer"
            )
        } else {
            format!("the servers of `{zone}` differ: wait, or ask their operator why")
        }
    }

    /// What to do where there is no record at all.
    fn nowhere(&self, owner: &OwnerName, zone: &Zone) -> String {
        let domain = owner.as_str().strip_suffix(zone.apex.as_str()).unwrap_or_default();
        let domain = domain.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        if zone.apex.labels().count() == 1 && !domain.is_empty() {
            return format!(
                "check the spelling of `{domain}.{zone}`, or delegate it: the closest zone that there is is `{zone}`"
            );
        }
        let plain = !owner.as_str().starts_with(CHALLENGE) && self.name == *owner;
        let place = if plain {
            format!("; that of a challenge for `{owner}` is at `{CHALLENGE}{owner}`")
        } else {
            String::new()
        };
        format!(
            "no server of `{zone}` has a TXT record at `{owner}`: write it at the provider that serves this zone{place}"
        )
    }
}

impl Surveyed {
    fn line(&self) -> String {
        let place = if self.server == self.address {
            self.address.clone()
        } else {
            format!("{} ({})", self.server, self.address)
        };
        let quoted: Vec<_> = self.values.iter().map(|value| format!("{value:?}")).collect();
        let seen = match &self.trouble {
            Some(trouble) => trouble.clone(),
            None if quoted.is_empty() => "has no TXT record".to_owned(),
            None => format!("shows {}", quoted.join(" ")),
        };
        let serial = self.serial.map(|it| format!(", serial {it}")).unwrap_or_default();
        format!("{place} {seen}{serial}")
    }
}

impl Lookup {
    /// What every address of every server of its zone answers for `name`, after its CNAMEs.
    pub async fn survey(&self, name: &OwnerName) -> Result<Survey, LookupError> {
        let Location { owner, zone, .. } = location::find(&self.resolver, name).await?;
        let authorities = self.authorities(&zone).await?;
        let wire = to_wire(&owner)
            .map_err(|error| LookupError::NoZone { name: owner.clone(), why: error.to_string() })?;
        let mut known = BTreeSet::new();
        let addresses: Vec<_> =
            authorities.addresses().filter(|(_, address)| known.insert(*address)).collect();
        let (wire, zone_ref) = (&wire, &zone);
        let mut servers: Vec<_> = stream::iter(addresses.into_iter().enumerate())
            .map(|(place, (server, address))| {
                let server = authorities.servers[server].name.clone();
                async move { (place, look(zone_ref, wire, server, address).await) }
            })
            .buffer_unordered(MAX_IN_FLIGHT)
            .collect()
            .await;
        servers.sort_by_key(|(place, _)| *place);
        let (servers, evidence): (Vec<_>, Vec<_>) =
            servers.into_iter().map(|(_, seen)| seen).unzip();
        let evidence = evidence.into_iter().flatten().collect();
        let (dnssec, mut delegations, caa) = join3(
            self.validate(&zone, &authorities, evidence),
            delegation::differences(&self.resolver, std::iter::once(&authorities)),
            caa::look(&self.resolver, name),
        )
        .await;
        let (name, unresolved) = (name.clone(), authorities.unresolved);
        let (delegation, dnssec) = (delegations.pop(), Some(dnssec));
        Ok(Survey { name, owner, zone, servers, unresolved, delegation, dnssec, caa })
    }

    async fn validate(
        &self,
        zone: &Zone,
        authorities: &Authorities,
        evidence: Vec<Evidence>,
    ) -> Dnssec {
        let signers = dnssec::signers(&self.resolver, std::iter::once(zone)).await;
        let servers = authorities.addresses().map(|(_, address)| address).collect();
        dnssec::examine(&self.resolver, zone, servers, signers.get(zone), evidence).await
    }
}

/// What one address answers, and the answer itself where there are records in it.
async fn look(
    zone: &Zone,
    wire: &Name,
    server: String,
    address: SocketAddr,
) -> (Surveyed, Option<Evidence>) {
    let mut evidence = None;
    let mut seen = Surveyed {
        server,
        address: show(address),
        values: Vec::new(),
        trouble: None,
        serial: None,
    };
    match exchange::ask(address, wire, RecordType::TXT).await {
        Ok(answer) => {
            let sight = judge(&answer, wire, &[]);
            let plain = sight.kind == Kind::Shown || sight.words == "answers NXDOMAIN";
            seen.trouble = (!plain).then_some(sight.words);
            seen.serial = sight.details.serial;
            seen.values = texts(&answer, wire)
                .into_iter()
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .collect();
            seen.values.sort();
            evidence = (!answer.answers.is_empty()).then_some((address, answer));
        }
        Err(trouble) => seen.trouble = Some(judge_trouble(&trouble).words),
    }
    if seen.trouble.is_none() && seen.serial.is_none() {
        seen.serial = soa_of(zone, address).await;
    }
    (seen, evidence)
}
