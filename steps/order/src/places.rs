//! Where the challenges of an order will be answered, looked up while the CA is asked for the order.

use std::convert::Infallible;
use std::future::pending;

use dns01_core::{Identifier, OwnerName};
use dns01_lookup::{Location, Lookup, LookupError};
use tokio::sync::OnceCell;

/// The places of all names of an order.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    lookup: &'a Lookup,
    fqdns: Vec<OwnerName>,
    found: OnceCell<Vec<Location>>,
}

impl<'a> Places<'a> {
    /// Nothing is looked up yet.
    pub(crate) fn new(lookup: &'a Lookup, names: &[Identifier]) -> Self {
        let fqdns = names.iter().filter_map(|name| name.domain().challenge_name().ok()).collect();
        Self { lookup, fqdns, found: OnceCell::new() }
    }

    /// Does `work`, and looks up meanwhile; a look-up that fails matters only once [`Self::of`] asks for it.
    pub(crate) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let looking = async {
            if let Err(error) = self.all().await {
                tracing::debug!("looked up ahead: {error}");
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            done = work => done,
            never = looking => match never {},
        }
    }

    /// The places of these challenges, in their order.
    pub(crate) async fn of(&self, fqdns: &[OwnerName]) -> Result<Vec<Location>, LookupError> {
        if fqdns.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.all().await?;
        let known = fqdns.iter().map(|fqdn| all.iter().find(|one| one.fqdn == *fqdn).cloned());
        match known.collect() {
            Some(known) => Ok(known),
            None => self.lookup.locate_all(fqdns).await,
        }
    }

    async fn all(&self) -> Result<&Vec<Location>, LookupError> {
        self.found.get_or_try_init(|| self.lookup.locate_all(&self.fqdns)).await
    }
}
