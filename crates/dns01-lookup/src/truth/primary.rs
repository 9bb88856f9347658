//! The server that a zone's SOA record names as its primary, which may be hidden from the NS records.

use dns01_core::{OwnerName, Zone};
use hickory_proto::rr::RecordType;
use serde::Serialize;

use super::soa;
use crate::engine::Kind;
use crate::exchange;
use crate::resolver::{Resolver, show};
use crate::sight::judge;
use crate::wait::Plan;
use crate::{Answered, Report};

/// What the primary of the zone that is behind shows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Primary {
    /// Its name, as the SOA record gives it.
    pub server: String,
    /// The address that was asked, with the port unless it is 53.
    pub address: String,
    /// Its version of the zone.
    pub serial: Option<u32>,
    /// Whether it shows all values of every name.
    pub shows: bool,
}

/// What the primary `name` shows; `None` when it cannot be asked from here, as is usual for a hidden one.
pub(super) async fn look(
    resolver: &Resolver,
    plan: &Plan,
    zone: &Zone,
    name: &OwnerName,
    report: &Report,
) -> Option<Primary> {
    let server = name.to_string();
    let known = report
        .servers
        .iter()
        .find(|it| it.zone == *zone && it.server == server && it.answered == Answered::Yes);
    if let Some(known) = known {
        let (address, serial) = (known.address.clone(), known.serial);
        return Some(Primary { server, address, serial, shows: known.agrees });
    }
    let address = *crate::authorities::addresses_of(resolver, name).await?.first()?;
    let mut shows = true;
    for (wire, values) in plan.names_in(zone) {
        let answer = exchange::ask(address, wire, RecordType::TXT).await.ok()?;
        shows &= judge(&answer, wire, values).kind == Kind::Shown;
    }
    let serial = soa(zone, address).await.map(|soa| soa.serial);
    Some(Primary { server, address: show(address), serial, shows })
}
