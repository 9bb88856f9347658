//! Writing TXT records: one trait, one catalog, one row per provider.
//!
//! `own/` speaks to servers itself (RFC 2136); `bridge/` puts dns-update's clients behind the same trait. This room
//! never looks for zones, never follows a CNAME and never waits for propagation: it is told the zone and the name,
//! and says what the provider itself holds.

mod bridge;
mod catalog;
mod error;
mod explain;
mod own;
mod provider;
mod setting;

pub use catalog::{Build, CATALOG, ProviderSpec, build, find};
pub use error::ProviderError;
pub use explain::explain;
pub use provider::{DnsProvider, published};
pub use setting::{Need, Setting, Settings};
