//! What this step writes to the journal, each only to the generation it was given.

use chrono::Utc;
use dns01_core::{Chain, Exit};
use dns01_step::{Attempt, Failure};
use dns01_store::StoreError;
use dns01_store::journal::{Act, Extra, Issued, Journal, Phase, State};

/// The journal of one generation.
#[derive(Debug)]
pub(crate) struct Generation<'a> {
    pub(crate) journal: Journal,
    pub(crate) number: u64,
    pub(crate) run: &'a str,
}

impl Generation<'_> {
    /// The state, if it still is this generation's (26 otherwise).
    pub(crate) async fn read(&self) -> Result<State, Failure> {
        let what = || format!("read the journal of `{}`", self.journal.name());
        let state = self.journal.read().await.attempt(what)?;
        let state = state.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("`{}` has no journal here", self.journal.name()))
                .hint("run `order` first, with the same --journal")
        })?;
        state.of_generation(self.number).attempt(what)?;
        Ok(state)
    }

    async fn write(&self, mut change: impl FnMut(&mut State) + Send) -> Result<State, Failure> {
        let written = self.journal.update_generation(self.number, |state| {
            change(state);
            Ok::<_, StoreError>(())
        });
        written.await.attempt(|| format!("write the journal of `{}`", self.journal.name()))
    }

    /// Records an attempt before it is made; a validation leaves its time. Who goes on to finalize has been validated:
    /// that is recorded with it.
    pub(crate) async fn attempt(&self, act: Act) -> Result<State, Failure> {
        self.write(|state| {
            // Another run may have ended this generation, well or not; the caller sees that in the state.
            if !is_open(state.phase) {
                return;
            }
            let now = Utc::now();
            let last = state.attempts.last();
            let validated = last.is_some_and(|one| one.act == Act::Validate && one.code.is_none());
            if act == Act::Finalize && validated {
                state.answered(Exit::Done, None, None, now);
            }
            state.attempt(now, self.run, act);
            match act {
                Act::Validate => state.validating_at = Some(now),
                Act::Finalize => state.phase = Phase::Finalizing,
                Act::Order => (),
            }
        })
        .await
    }

    /// Records how it ended; a dead order ends the generation. What another run has got by now stays.
    async fn answered(&self, failure: &Failure, dead: Option<&str>) -> Result<State, Failure> {
        self.write(|state| {
            if !is_open(state.phase) {
                return;
            }
            state.answered(failure.exit(), Some(failure.reason()), failure.retry_at(), Utc::now());
            if let Some(why) = dead {
                state.phase = Phase::Dead;
                state.dead = Some(why.to_owned());
            }
        })
        .await
    }

    /// Records a refusal and says what it leaves; where the CA's no is final, the generation is dead.
    pub(crate) async fn refused(&self, failure: Failure) -> Result<Failure, Failure> {
        match failure.exit() {
            Exit::OrderDead => self.dead(failure, "invalid").await,
            Exit::CaRejected => self.dead(failure, "refused").await,
            _ => {
                let state = self.answered(&failure, None).await?;
                Ok(failure.until(state.retry_at).state(open_until(&state)))
            }
        }
    }

    /// Records the end of the generation.
    pub(crate) async fn dead(&self, failure: Failure, why: &str) -> Result<Failure, Failure> {
        let state = self.answered(&failure, Some(why)).await?;
        Ok(failure
            .until(state.retry_at)
            .state("this order is dead; what was delivered before is untouched"))
    }

    /// Stores the checked chain.
    pub(crate) async fn issued(&self, chain: &Chain) -> Result<State, Failure> {
        let leaf = chain.leaf();
        let issued = Issued {
            chain: chain.pem(),
            serial: leaf.serial.clone(),
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            fingerprint: leaf.fingerprint.clone(),
            ari: leaf.ari_id.clone(),
            extra: Extra::new(),
        };
        self.write(|state| {
            // Two runs may both have downloaded it: the first one's word stays.
            if state.phase == Phase::Finalizing {
                state.answered(Exit::Done, None, None, Utc::now());
                state.issued = Some(issued.clone());
                state.phase = Phase::Issued;
            }
        })
        .await
    }
}

/// Whether a generation in this phase may still come to a certificate or an end.
fn is_open(phase: Phase) -> bool {
    matches!(phase, Phase::New | Phase::Ordered | Phase::Finalizing)
}

fn open_until(state: &State) -> String {
    let expires = state.order.as_ref().and_then(|order| order.expires);
    match expires {
        Some(at) => format!(
            "the order is open until {}, run the same command again",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
        None => "the order is open, run the same command again".to_owned(),
    }
}
