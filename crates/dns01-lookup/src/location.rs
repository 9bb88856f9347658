//! What a search found: where a record lives, and who serves it.

use std::net::SocketAddr;

use dns01_core::{OwnerName, Zone};
use serde::Serialize;

use crate::resolver::Resolver;
use crate::{LookupError, cname, zone};

/// Where the answer to a challenge is published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Location {
    /// Where the CA starts looking.
    pub fqdn: OwnerName,
    /// Where the TXT record has to be: the end of the CNAME chain, or `fqdn` itself.
    pub owner: OwnerName,
    /// The CNAME targets on the way, the last being `owner`; empty when `fqdn` is no alias.
    pub chain: Vec<OwnerName>,
    /// The zone that holds `owner`.
    pub zone: Zone,
    /// `owner` answers with a CNAME only because of a wildcard at `*.` below this name. It was not followed: the TXT
    /// record at `owner` takes the wildcard's place (RFC 4592 §2.2.1).
    pub wildcard_below: Option<OwnerName>,
}

/// Where the answer to the challenge at `fqdn` is published now.
pub(crate) async fn find(resolver: &Resolver, fqdn: &OwnerName) -> Result<Location, LookupError> {
    let chain = cname::follow(resolver, fqdn).await?;
    let zone = zone::zone_of_end(resolver, fqdn, &chain).await?;
    Ok(chain.into_location(fqdn, zone))
}

/// The name servers of a zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authorities {
    /// The zone.
    pub zone: Zone,
    /// Every server with at least one address.
    pub servers: Vec<Server>,
    /// Servers that NS records name but that have no address.
    pub unresolved: Vec<Unresolved>,
}

impl Authorities {
    /// Every address, with the index of its server.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (usize, SocketAddr)> {
        let of = |(index, server): (usize, &Server)| {
            server.addresses.iter().map(move |address| (index, *address)).collect::<Vec<_>>()
        };
        self.servers.iter().enumerate().flat_map(of)
    }
}

/// One name server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Its name, or its address where only that is known.
    pub name: String,
    /// Every A and AAAA address.
    pub addresses: Vec<SocketAddr>,
}

/// A name server without an address.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Unresolved {
    /// The zone whose NS record names it.
    pub zone: Zone,
    /// Its name.
    pub server: String,
    /// Why it has no address, such as `NXDOMAIN`.
    pub reason: String,
}
