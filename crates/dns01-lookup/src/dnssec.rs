//! Whether a CA that validates would believe the answers: what the parent zone's DS record, the zone's keys and the
//! signatures over the values say.
//!
//! It names what is wrong and never holds a wait back: a CA that doesn't validate may issue all the same. Only here does
//! the wall clock matter, because signatures end by it.

mod chain;
mod flaw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dns01_core::Zone;
use futures_util::future::join_all;
use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::xfer::{DnsHandle as _, FirstAnswer as _};
use hickory_proto::dnssec::TrustAnchors;
use hickory_proto::op::{DnsRequestOptions, Message};
use hickory_proto::rr::{Name, Record, RecordType};
use serde::Serialize;
use tokio::time::timeout;

use crate::exchange;
use crate::resolver::{Resolver, show};
use crate::wire::to_wire;
use chain::Chain;
use flaw::{Keys, Signed};

/// For the parent zone's DS record, which is asked for while the wait goes on.
const FOR_PARENT: Duration = Duration::from_secs(1);
/// For everything else, where a zone is signed.
const FOR_ZONE: Duration = Duration::from_secs(3);

/// What validation says of one zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Dnssec {
    /// The zone.
    pub zone: Zone,
    /// The verdict.
    pub state: SignatureState,
    /// What is wrong, as a sentence about the zone or one of its servers.
    pub reason: Option<String>,
}

/// The verdict on a zone's signatures.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Neither has the parent zone a DS record, nor the answers signatures.
    Unsigned,
    /// The answers are signed, but the parent zone has no DS record, so nobody checks.
    MissingDs,
    /// Validated up to a trust anchor.
    Secure,
    /// A CA that validates, as all public ones do, gets no answer out of these.
    Bogus,
    /// It could not be found out from here.
    Unknown,
}

/// An answer to judge: whose, and what.
pub(crate) type Evidence = (SocketAddr, Message);

/// The DS records of these zones, as far as they can be had in time; no entry means unknown.
pub(crate) async fn signers(
    resolver: &Resolver,
    zones: impl Iterator<Item = &Zone>,
) -> BTreeMap<Zone, Vec<Record>> {
    let found = join_all(zones.map(|zone| async move {
        let wire = to_wire(&zone.apex).ok()?;
        let ask = chain::ask_any(resolver.upstreams(), &wire, RecordType::DS);
        let answer = timeout(FOR_PARENT, ask).await.ok()??;
        Some((zone.clone(), flaw::of_type(&answer.answers, &wire, RecordType::DS)))
    }));
    found.await.into_iter().flatten().collect()
}

/// What `evidence`, answers of the servers of `zone` about the names in question, is worth.
pub(crate) async fn examine(
    resolver: &Resolver,
    zone: &Zone,
    servers: Vec<SocketAddr>,
    signers: Option<&Vec<Record>>,
    evidence: Vec<Evidence>,
) -> Dnssec {
    let verdict = |state, reason| Dnssec { zone: zone.clone(), state, reason };
    let signed = evidence.iter().any(|(_, answer)| flaw::is_signed(answer));
    match signers {
        Some(none) if none.is_empty() && !signed => verdict(SignatureState::Unsigned, None),
        Some(none) if none.is_empty() => {
            let words = format!("`{zone}` is signed, but its parent zone has no DS record");
            verdict(SignatureState::MissingDs, Some(words))
        }
        None => verdict(SignatureState::Unknown, None),
        Some(signers) => {
            let work = judge(resolver, zone, servers, signers, evidence);
            match timeout(FOR_ZONE, work).await.ok().flatten() {
                Some((state, reason)) => verdict(state, reason),
                None => verdict(SignatureState::Unknown, None),
            }
        }
    }
}

async fn judge(
    resolver: &Resolver,
    zone: &Zone,
    servers: Vec<SocketAddr>,
    signers: &[Record],
    mut evidence: Vec<Evidence>,
) -> Option<(SignatureState, Option<String>)> {
    let apex = to_wire(&zone.apex).ok()?;
    if evidence.is_empty() {
        evidence = soa(&servers, &apex).await;
    }
    let keys = answer(&servers, &apex, RecordType::DNSKEY).await?;
    let keys = Keys { apex: &apex, signers, answer: &keys };
    let now = u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    for (address, answer) in &evidence {
        let flaw = keys
            .flaw(now)
            .or_else(|| Signed::all(answer).iter().find_map(|signed| signed.flaw(&keys, now)));
        if let Some(flaw) = flaw {
            let words = format!("`{zone}` at {}: {flaw}", show(*address));
            return Some((SignatureState::Bogus, Some(words)));
        }
    }
    let (_, first) = evidence.into_iter().next()?;
    let secure = validates(resolver, &apex, servers, first).await;
    Some((if secure { SignatureState::Secure } else { SignatureState::Unknown }, None))
}

/// Whether the answer holds up to a trust anchor.
async fn validates(
    resolver: &Resolver,
    apex: &Name,
    servers: Vec<SocketAddr>,
    answer: Message,
) -> bool {
    let Some(query) = answer.queries.first().cloned() else { return false };
    let upstreams = resolver.upstreams().to_vec();
    let chain = Chain { apex: apex.clone(), servers, upstreams, known: Arc::new(answer) };
    let validator = DnssecDnsHandle::with_trust_anchor(chain, resolver.anchors());
    let validated = validator.lookup(query.clone(), DnsRequestOptions::default());
    let Ok(answer) = validated.first_answer().await else { return false };
    let asked = |it: &&Record| it.name == query.name && it.record_type() == query.query_type;
    let mut records = answer.answers.iter().filter(asked).peekable();
    records.peek().is_some() && records.all(|it| it.proof.is_secure())
}

/// Where no server shows a value, the zone's SOA record is as good a witness.
async fn soa(servers: &[SocketAddr], apex: &Name) -> Vec<Evidence> {
    let all = servers.iter().map(|address| async move {
        let answer = exchange::ask(*address, apex, RecordType::SOA).await.ok()?;
        (!answer.answers.is_empty()).then_some((*address, answer))
    });
    join_all(all).await.into_iter().flatten().collect()
}

/// The first answer of any of them.
async fn answer(servers: &[SocketAddr], name: &Name, kind: RecordType) -> Option<Message> {
    for server in servers {
        if let Ok(answer) = exchange::ask(*server, name, kind).await {
            return Some(answer);
        }
    }
    None
}

/// The trust anchors in a file of DNSKEY records, else the root's.
pub(crate) fn anchors(file: Option<&std::path::Path>) -> Result<Arc<TrustAnchors>, String> {
    let Some(file) = file else { return Ok(Arc::default()) };
    TrustAnchors::from_file(file).map(Arc::new).map_err(|error| error.to_string())
}
