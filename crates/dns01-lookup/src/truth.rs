//! Why a wait failed: what the zone's serials and its primary say about who is to blame.
//!
//! Asked once, after the deadline, of every address and of the primary that the SOA record names (MNAME), within two
//! seconds. It explains; it never turns a failure into a success.

mod primary;
#[cfg(test)]
mod tests;

use std::time::Duration;

use dns01_core::{OwnerName, Zone};
use futures_util::stream::{self, StreamExt as _};
use hickory_proto::op::Message;
use hickory_proto::rr::{RData, RecordType};
use serde::Serialize;
use tokio::time::timeout;

use crate::engine::MAX_IN_FLIGHT;
use crate::exchange;
use crate::wait::Plan;
use crate::wire::{from_wire, to_wire};
use crate::{Answered, Report, ServerReport};

pub use primary::Primary;

/// For the questions about all serials, and again for those to the primary.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The provider says that it holds the values, and not even the primary shows them.
    ProviderHasNotPublished,
    /// No server shows them, the primary neither; whether they were written is not known.
    NotOnThePrimary,
    /// Some have the values, others an older version of the zone.
    SecondaryLags,
    /// Some have the values, others don't although their version of the zone is the same.
    SameSerialDiffers,
    /// Some have the values, and another fails: it has no authority, or answers SERVFAIL and the like.
    ServerFails,
    /// They were there, and the primary shows them no more.
    Removed,
}

/// The zone's version and primary, as one address tells them.
struct Soa {
    serial: u32,
    primary: Option<OwnerName>,
}

/// Adds serials, primaries and the reason to the report of a wait that failed.
pub(crate) async fn explain(
    resolver: &crate::resolver::Resolver,
    plan: &Plan,
    report: &mut Report,
) {
    let addresses = plan.addresses();
    let asked = stream::iter(addresses.into_iter().zip(0..))
        .map(|((zone, address), index)| async move { (index, soa(&zone, address).await) })
        .buffer_unordered(MAX_IN_FLIGHT);
    let mut found: Vec<(usize, Soa)> = Vec::new();
    let collect = async {
        futures_util::pin_mut!(asked);
        while let Some((index, soa)) = asked.next().await {
            found.extend(soa.map(|soa| (index, soa)));
        }
    };
    // Whoever hasn't answered by then has told nothing.
    let _ = timeout(PATIENCE, collect).await;
    for (index, soa) in &found {
        if let Some(server) = report.servers.get_mut(*index) {
            server.serial = Some(soa.serial);
        }
    }
    let Some(zone) = report.behind().next().map(|server| server.zone.clone()) else { return };
    let named = found
        .into_iter()
        .filter(|(index, _)| report.servers.get(*index).is_some_and(|it| it.zone == zone))
        .find_map(|(_, soa)| soa.primary);
    if let Some(name) = named {
        let look = primary::look(resolver, plan, &zone, &name, report);
        report.primary = timeout(PATIENCE, look).await.ok().flatten();
    }
    let held = plan.is_held(&zone);
    conclude(report, &zone, held);
}

/// The serial of `zone` at `address`, where it tells one.
pub(crate) async fn soa_of(zone: &Zone, address: std::net::SocketAddr) -> Option<u32> {
    soa(zone, address).await.map(|soa| soa.serial)
}

async fn soa(zone: &Zone, address: std::net::SocketAddr) -> Option<Soa> {
    let wire = to_wire(&zone.apex).ok()?;
    let answer = exchange::ask(address, &wire, RecordType::SOA).await.ok()?;
    read_soa(&answer)
}

fn read_soa(answer: &Message) -> Option<Soa> {
    if !answer.metadata.authoritative {
        return None;
    }
    answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(Soa { serial: soa.serial, primary: from_wire(&soa.mname) }),
        _ => None,
    })
}

/// Compares the serials of `zone` and names the reason.
fn conclude(report: &mut Report, zone: &Zone, held: bool) {
    let of_zone = |server: &&ServerReport| server.zone == *zone;
    let at_primary = report.primary.as_ref().and_then(|it| it.serial);
    let newest = report
        .servers
        .iter()
        .filter(of_zone)
        .filter_map(|server| server.serial)
        .chain(at_primary)
        .reduce(|one, other| if is_older(one, other) { other } else { one });
    for server in report.servers.iter_mut().filter(|server| server.zone == *zone) {
        server.newest_serial =
            newest.filter(|newest| server.serial.is_some_and(|serial| is_older(serial, *newest)));
    }
    let behind: Vec<_> =
        report.behind().filter(of_zone).filter(|server| server.answered != Answered::No).collect();
    let primary_shows = report.primary.as_ref().map(|it| it.shows);
    let somebody_shows =
        primary_shows == Some(true) || report.servers.iter().filter(of_zone).any(|it| it.agrees);
    let were_there = behind.iter().any(|server| server.first_seen_ms.is_some());
    report.reason = match (behind.first(), somebody_shows) {
        (None, _) => None,
        (Some(_), _) if were_there && primary_shows == Some(false) => Some(Reason::Removed),
        (Some(_), true) if behind.iter().any(|server| server.newest_serial.is_some()) => {
            Some(Reason::SecondaryLags)
        }
        (Some(_), true) if behind.iter().all(|server| server.answered == Answered::Failing) => {
            Some(Reason::ServerFails)
        }
        (Some(first), true) => {
            first.serial.filter(|_| newest.is_some()).map(|_| Reason::SameSerialDiffers)
        }
        // One that goes back and forth shows it now and then.
        (Some(_), false) if were_there => {
            behind.iter().all(|server| server.flips == 1).then_some(Reason::Removed)
        }
        (Some(_), false) if held => Some(Reason::ProviderHasNotPublished),
        (Some(_), false) => Some(Reason::NotOnThePrimary),
    };
}

/// Serial number arithmetic (RFC 1982 §3.2).
fn is_older(one: u32, other: u32) -> bool {
    other != one && other.wrapping_sub(one) < 1 << 31
}
