//! The journal of one certificate: what makes any step killable and any two runs harmless to each other.
//!
//! Two documents: the public [`State`] and the secret keys. Every write is a compare-and-swap that carries a revision
//! and a random mark, so that a lost answer is found out by reading. The table of phases is in [`Phase`] alone. This
//! module never decides what comes next; it refuses what cannot.

mod answers;
mod check;
mod decide;
mod keys;
mod known;
mod phase;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use dns01_core::{SecretText, fail_point};
use tokio::time::{Instant, sleep};

use crate::{Doc, Name, Store, StoreError, Version};

pub use check::Untrusted;
pub use decide::{Next, Reason, Wish, next};
pub(crate) use known::Known;
pub use phase::Phase;
pub use state::{
    Act, Attempt, Delivered, Engine, Extra, FORMAT, Issued, Kept, KeptKey, MOST_ATTEMPTS, Order,
    Presence, SinkRecord, Spec, State, Wanted,
};

/// How long one write is tried before it is given up (75).
const DEADLINE: Duration = Duration::from_mins(1);

/// The wait after the first failed write; it doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// The journal of one certificate.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Arc<dyn Store>,
    name: Name,
    deadline: Duration,
    known: Known,
}

impl Journal {
    /// The journal of `name` in `store`; nothing is read yet.
    pub fn new(store: Arc<dyn Store>, name: Name) -> Self {
        Self::remembering(store, name, Known::default())
    }

    /// The same, with what this process knows already.
    pub(crate) fn remembering(store: Arc<dyn Store>, name: Name, known: Known) -> Self {
        Self { store, name, deadline: DEADLINE, known }
    }

    /// Which certificate it is about.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The state, checked; `None` where there is no journal yet.
    pub async fn read(&self) -> Result<Option<State>, StoreError> {
        Ok(self.load().await?.map(|(state, _)| state))
    }

    /// Changes the state: `decide` gets what is there and returns what shall be there. Nothing is written when that is
    /// the same. It is called again whenever somebody else wrote in between, so it must decide from its argument alone.
    ///
    /// Gives the state as it then is. `decide`'s own errors pass through; a change that the table of phases does not
    /// have is [`StoreError::Transition`].
    pub async fn update<E: From<StoreError> + Send>(
        &self,
        mut decide: impl FnMut(Option<State>) -> Result<State, E> + Send,
    ) -> Result<State, E> {
        let mut patience = Patience::new(self.deadline);
        loop {
            let found = self.load().await?;
            let (current, version) = found.map_or((None, None), |(s, v)| (Some(s), Some(v)));
            let mut wished = decide(current.clone())?;
            if Some(&wished) == current.as_ref() {
                return Ok(wished);
            }
            phase::check(current.as_ref(), &wished)?;
            wished.rev = current.as_ref().map_or(0, |state| state.rev) + 1;
            wished.write = format!("{:032x}", rand::random::<u128>());
            if self.write(&wished, version.as_ref(), &mut patience).await? {
                return Ok(wished);
            }
        }
    }

    /// Changes the state of one generation: an older or newer one is refused (26).
    pub async fn update_generation<E: From<StoreError> + Send>(
        &self,
        generation: u64,
        mut change: impl FnMut(&mut State) -> Result<(), E> + Send,
    ) -> Result<State, E> {
        self.update(|current| {
            let mut state = current.ok_or_else(|| StoreError::Missing { doc: self.doc() })?;
            state.of_generation(generation)?;
            change(&mut state)?;
            Ok(state)
        })
        .await
    }

    /// Whether `wished` is there; `false` when somebody else's state is, and the decision must be made anew.
    async fn write(
        &self,
        wished: &State,
        expected: Option<&Version>,
        patience: &mut Patience,
    ) -> Result<bool, StoreError> {
        let doc = self.doc();
        wished
            .check(&self.name)
            .map_err(|error| StoreError::Unsound { doc: doc.clone(), cause: error.into() })?;
        let text = serde_json::to_string(wished)
            .map_err(|error| StoreError::Unsound { doc: doc.clone(), cause: error.into() })?;
        let text = SecretText::from(text);
        let mut expected = expected.cloned();
        loop {
            let failure = match self.store.put(&doc, &text, expected.as_ref()).await {
                Ok(version) => {
                    self.known.keep(&self.name, &version, wished);
                    fail_point::pass("store::journal::state");
                    return Ok(true);
                }
                Err(error @ StoreError::Conflict { .. }) => error,
                Err(error) if error.may_have_written() => error,
                Err(error) => return Err(error),
            };
            let conflict = matches!(failure, StoreError::Conflict { .. });
            // Whoever was faster once, such as another part of this process, is not in the way any more.
            if !conflict || std::mem::replace(&mut patience.has_met, true) {
                patience.pause(&doc, failure).await?;
            }
            // The answer was lost, or somebody was faster: what is there tells which.
            let found = self.load().await?;
            match found {
                Some((state, _)) if state.write == wished.write => return Ok(true),
                Some((state, version)) if state.rev + 1 == wished.rev && !conflict => {
                    expected = Some(version);
                }
                None if wished.rev == 1 && !conflict => expected = None,
                _ => return Ok(false),
            }
        }
    }

    async fn load(&self) -> Result<Option<(State, Version)>, StoreError> {
        let doc = self.doc();
        let Some(found) = self.store.get(&doc).await? else { return Ok(None) };
        if let Some(state) = self.known.of(&self.name, &found.version) {
            return Ok(Some((state, found.version)));
        }
        let state = State::parse(&doc, found.text.expose())?;
        state.check(&self.name).map_err(|error| StoreError::damaged(&doc, error))?;
        self.known.keep(&self.name, &found.version, &state);
        Ok(Some((state, found.version)))
    }

    fn doc(&self) -> Doc {
        Doc::State(self.name.clone())
    }
}

/// How long a write is tried again, with growing pauses.
#[derive(Debug)]
pub(crate) struct Patience {
    began: Instant,
    deadline: Duration,
    pause: Duration,
    /// Whether another writer was met already.
    has_met: bool,
}

impl Patience {
    pub(crate) fn new(deadline: Duration) -> Self {
        Self { began: Instant::now(), deadline, pause: PAUSE, has_met: false }
    }

    /// Waits a little, or gives up with `failure` as the cause once the deadline would pass.
    pub(crate) async fn pause(&mut self, doc: &Doc, failure: StoreError) -> Result<(), StoreError> {
        // Random, so that two writers who met once do not meet at every attempt.
        let pause = self.pause.mul_f64(rand::random_range(0.5..1.5));
        if self.began.elapsed() + pause > self.deadline {
            let (doc, seconds) = (doc.clone(), self.deadline.as_secs());
            return Err(StoreError::Deadline { doc, seconds, cause: Box::new(failure) });
        }
        sleep(pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(5));
        Ok(())
    }
}
