//! Reading DNS: which zone holds a name, and whether every authoritative server shows a value yet.
//!
//! Zones and CNAMEs are found through the system's resolver, or the one given; whether a value is visible is only ever
//! taken from the zone's own servers, asked directly, address by address. This room never writes a record, knows no
//! provider and holds no credential.

mod args;
mod authorities;
mod cname;
mod delegation;
mod dnssec;
mod doh;
mod engine;
mod error;
mod exchange;
#[cfg(test)]
mod fake;
mod gate;
mod location;
mod recent;
mod reply;
mod report;
mod resolver;
mod sight;
mod strategy;
mod survey;
mod truth;
mod upstream;
mod wait;
mod wire;
mod zone;

use std::collections::{BTreeMap, BTreeSet};

use dns01_core::{OwnerName, Published, Zone};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

pub use args::{AuthorityArg, LookupArgs, ResolverArg};
pub use delegation::Delegation;
pub use dnssec::{Dnssec, SignatureState};
pub use error::LookupError;
pub use gate::{Gate, GateArg};
pub use location::{Authorities, Location, Server, Unresolved};
use recent::{Manner, Recent};
pub use report::{Answered, Progress, Report, Role, ServerReport};
use resolver::Resolver;
pub use strategy::{Patience, Strategy, StrategyError, StreakRule};
pub use survey::{Caa, Survey, Surveyed};
pub use truth::{Primary, Reason};
pub use wait::Moved;

/// So many names are located at once.
const AT_ONCE: usize = 32;

/// Values that every authoritative server has to show at one name, before the CA is asked to look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// The zone that holds the name.
    pub zone: Zone,
    /// The name itself: the end of the CNAME chain where there is one.
    pub owner: OwnerName,
    /// The TXT values, all of which must be there. Others beside them don't matter.
    pub values: Vec<String>,
    /// The challenges' names that lead to `owner` by a CNAME, each with its value. These are followed again at the end.
    pub aliases: Vec<(OwnerName, String)>,
    /// What the provider said that it holds there, where it was asked. It only helps to explain a failure.
    pub published: Option<Published>,
}

/// Asks DNS on behalf of a step.
#[derive(Debug)]
pub struct Lookup {
    resolver: Resolver,
    recent: Recent,
}

impl Lookup {
    /// A lookup as the flags describe it; without `--resolver` with the servers of `/etc/resolv.conf`.
    pub fn new(args: &LookupArgs) -> Result<Self, LookupError> {
        Ok(Self { resolver: Resolver::new(args)?, recent: Recent::default() })
    }

    /// Where the answer to the challenge at `fqdn` is published: follows up to eight CNAMEs, then finds the zone. What was
    /// found within the last seconds is not asked again.
    pub async fn locate(&self, fqdn: &OwnerName) -> Result<Location, LookupError> {
        if let Some(place) = self.recent.get(Manner::Followed, fqdn) {
            return Ok(place);
        }
        let place = location::find(&self.resolver, fqdn).await?;
        self.recent.put(Manner::Followed, &place);
        Ok(place)
    }

    /// The same for many names at once, in the order given; a name given twice is looked up once.
    pub async fn locate_all(&self, fqdns: &[OwnerName]) -> Result<Vec<Location>, LookupError> {
        let distinct: BTreeSet<_> = fqdns.iter().collect();
        let found: BTreeMap<_, _> = stream::iter(distinct)
            .map(|fqdn| async move { Ok((fqdn, self.locate(fqdn).await?)) })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(fqdns.iter().filter_map(|fqdn| found.get(fqdn).cloned()).collect())
    }

    /// The same where the user names the zone: CNAMEs are followed, and the end has to lie in `zone`.
    pub async fn locate_in(&self, fqdn: &OwnerName, zone: &Zone) -> Result<Location, LookupError> {
        let chain = cname::follow(&self.resolver, fqdn).await?;
        if !chain.owner.is_within(&zone.apex) {
            return Err(LookupError::OutsideZone { owner: chain.owner, zone: zone.clone() });
        }
        Ok(chain.into_location(fqdn, zone.clone()))
    }

    /// The same where CNAMEs are not to be followed (`cnameStrategy: None`, or an end that is on record).
    pub async fn locate_literally(&self, owner: &OwnerName) -> Result<Location, LookupError> {
        if let Some(place) = self.recent.get(Manner::Literally, owner) {
            return Ok(place);
        }
        let zone = zone::zone_of(&self.resolver, owner).await?;
        let (fqdn, owner) = (owner.clone(), owner.clone());
        let place = Location { fqdn, owner, chain: Vec::new(), zone, wildcard_below: None };
        self.recent.put(Manner::Literally, &place);
        Ok(place)
    }

    /// The zone's name servers with every address: those of `--authority`, else its NS records.
    pub async fn authorities(&self, zone: &Zone) -> Result<Authorities, LookupError> {
        authorities::authorities(&self.resolver, zone).await
    }

    /// Returns when the strategy is satisfied; by the default one when every address of every server of the zones has
    /// shown all values several times in a row.
    ///
    /// Fails with [`LookupError::NotYet`], which carries the report, when that isn't so by the deadline. `progress` is
    /// called when something changes, and about once a second otherwise.
    pub async fn wait(
        &self,
        expected: &[Expectation],
        patience: &Patience,
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Report, LookupError> {
        wait::wait(&self.resolver, expected, patience, progress).await
    }

    /// One look at every address; a value missing anywhere is [`LookupError::NotYet`].
    pub async fn look_once(&self, expected: &[Expectation]) -> Result<Report, LookupError> {
        wait::look_once(&self.resolver, expected).await
    }
}
