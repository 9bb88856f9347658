//! Reading DNS: which zone holds a name, and whether every authoritative server shows a value yet.
//!
//! Zones and CNAMEs are found through the system's resolver, or the one given; whether a value is visible is only ever
//! taken from the zone's own servers, asked directly, address by address. This room never writes a record, knows no
//! provider and holds no credential.

mod args;
mod error;
mod location;
mod report;

use std::time::Duration;

use dns01_core::{OwnerName, Zone};

pub use args::{AuthorityArg, LookupArgs, ResolverArg};
pub use error::LookupError;
pub use location::{Authorities, Location, Server, Unresolved};
pub use report::{Progress, Report, ServerReport};

/// Values that every authoritative server has to show at one name, before the CA is asked to look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// The zone that holds the name.
    pub zone: Zone,
    /// The name itself: the end of the CNAME chain where there is one.
    pub owner: OwnerName,
    /// The TXT values, all of which must be there. Others beside them don't matter.
    pub values: Vec<String>,
}

/// How long to wait. When to ask in the meantime is the engine's business.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Give up after this.
    pub timeout: Duration,
}

/// Asks DNS on behalf of a step.
#[derive(Debug)]
pub struct Lookup {}

#[expect(clippy::unused_async, clippy::todo, reason = "the interface comes before its body")]
impl Lookup {
    /// A lookup as the flags describe it; without `--resolver` with the servers of `/etc/resolv.conf`.
    pub fn new(_args: &LookupArgs) -> Result<Self, LookupError> {
        Ok(Self {})
    }

    /// Where the answer to the challenge at `fqdn` is published: follows up to eight CNAMEs, then finds the zone.
    pub async fn locate(&self, _fqdn: &OwnerName) -> Result<Location, LookupError> {
        todo!()
    }

    /// The same for many names at once, in the order given; a name given twice is looked up once.
    pub async fn locate_all(&self, _fqdns: &[OwnerName]) -> Result<Vec<Location>, LookupError> {
        todo!()
    }

    /// The same where the user names the zone: CNAMEs are followed, and the end has to lie in `zone`.
    pub async fn locate_in(
        &self,
        _fqdn: &OwnerName,
        _zone: &Zone,
    ) -> Result<Location, LookupError> {
        todo!()
    }

    /// The zone's name servers with every address: those of `--authority`, else its NS records.
    pub async fn authorities(&self, _zone: &Zone) -> Result<Authorities, LookupError> {
        todo!()
    }

    /// Returns when every address of every server of the zones has shown all values several times in a row.
    ///
    /// Fails with [`LookupError::NotYet`], which carries the report, when that isn't so by the deadline. `progress` is
    /// called when something changes, and about once a second otherwise.
    pub async fn wait(
        &self,
        _expected: &[Expectation],
        _patience: &Patience,
        _progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Report, LookupError> {
        todo!()
    }

    /// One look at every address; a value missing anywhere is [`LookupError::NotYet`].
    pub async fn look_once(&self, _expected: &[Expectation]) -> Result<Report, LookupError> {
        todo!()
    }
}
