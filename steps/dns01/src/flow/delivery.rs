//! The end of the flow: what was issued reaches its sinks.

use dns01_core::{Chain, Exit};
use dns01_step::{Attempt as _, Failure, PlannedSink, planned_sinks};
use dns01_store::journal::{Kept, State};
use store_secret::Delivery;

use super::{Finished, Flow};
use crate::progress::Phases;

/// What a delivery has come to.
struct Stored {
    sinks: Vec<PlannedSink>,
    delivery: Delivery,
    chain: Chain,
    /// The point of the renewal window that was drawn, from 0 to 1.
    draw: f64,
    with_key: bool,
}

impl Flow<'_> {
    /// Delivers what was issued, now or before, and asks the CA meanwhile when it suggests to renew it.
    pub(super) async fn deliver(
        &self,
        state: &State,
        issued: Option<certbot_issue::Issued>,
        phases: &Phases,
    ) -> Result<Finished, Failure> {
        phases.start("store");
        let window = async {
            match &issued {
                Some(issued) => issued.window().await,
                None => None,
            }
        };
        let (stored, window) = tokio::join!(self.store(state), window);
        let Stored { sinks, delivery, chain, draw, with_key } = stored?;
        phases.done("store", delivery.summary());
        let suggested = issued.map(|_| window.is_some());
        let renews = self.rule().due_at(chain.leaf(), window, draw);
        Ok(Finished::Done { chain, delivery, sinks, renews, suggested, with_key, uncleaned: None })
    }

    async fn store(&self, state: &State) -> Result<Stored, Failure> {
        let sinks = planned_sinks(self.definitions, self.name.as_str(), self.sinks, self.journal)?;
        let journal = self.backend.journal(&self.name);
        let delivery = store_secret::deliver(&journal, state.generation, &sinks, self.io).await?;
        let now = journal.read().await.attempt(|| "read the journal".into())?;
        let chain = now.as_ref().and_then(State::current);
        let chain = chain
            .ok_or_else(|| Failure::new(Exit::Bug, "what was delivered is not in the journal"))?;
        let draw = now.as_ref().map_or(0.5, State::draw);
        let key = now.as_ref().and_then(|state| state.key.as_ref());
        let with_key = key.is_none_or(|key| key.kept != Kept::Csr);
        Ok(Stored { sinks, delivery: delivery.checked()?, chain, draw, with_key })
    }
}
