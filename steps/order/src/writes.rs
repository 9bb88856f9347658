//! What `order` writes to the journal. Each write is a compare-and-swap of one generation, safe to repeat.

use chrono::Utc;
use dns01_acme::Order;
use dns01_core::{Chain, Exit, PrivateKey};
use dns01_step::{Attempt, Failure};
use dns01_store::StoreError;
use dns01_store::journal::{
    Act, Engine, Extra, Kept, KeptKey, Phase, Presence, Reason, Spec, State, Wanted,
};

use crate::place::Placing;

impl Placing<'_> {
    /// Starts the next generation; `None` if somebody else has changed the journal meanwhile.
    pub(crate) async fn start(
        &self,
        seen: Option<State>,
        spec: &Spec,
        reason: Reason,
    ) -> Result<Option<State>, Failure> {
        let (run, seen_rev) = (&self.request.run, seen.map_or(0, |state| state.rev));
        let forced_by = (reason == Reason::Forced).then(|| run.clone());
        tracing::debug!(certificate = %self.request.certificate, "new order: {}", reason.words());
        let wished = self.journal.update(|current| {
            if current.as_ref().map_or(0, |state| state.rev) != seen_rev {
                return Err(Raced::Lost);
            }
            let mut state = match current {
                Some(state) => state.next(run, spec.clone()),
                None => State::first(self.request.certificate.clone(), run, spec.clone()),
            };
            state.forced_by.clone_from(&forced_by);
            if self.request.engine == Engine::Native {
                state.attempt(Utc::now(), run, Act::Order);
            }
            Ok(state)
        });
        match wished.await {
            Ok(state) => Ok(Some(state)),
            Err(Raced::Lost) => Ok(None),
            Err(Raced::Store(error)) => Err(error).attempt(|| self.what("write")),
        }
    }

    /// From now on this run owns cleanup; one that `goes_on` may be about to place the order.
    pub(crate) async fn join(&self, state: &State, goes_on: bool) -> Result<State, Failure> {
        let asks = goes_on
            && state.phase == Phase::New
            && state.order.is_none()
            && state.spec.engine == Engine::Native;
        let joined = self.journal.update_generation(state.generation, |state| {
            state.run.clone_from(&self.request.run);
            if asks {
                state.attempt(Utc::now(), &self.request.run, Act::Order);
            }
            Ok::<_, StoreError>(())
        });
        joined.await.attempt(|| self.what("write"))
    }

    /// Ends the generation, if it still is in one of the phases `from`.
    pub(crate) async fn bury(
        &self,
        generation: u64,
        why: &str,
        from: &[Phase],
    ) -> Result<State, Failure> {
        let buried = self.journal.update_generation(generation, |state| {
            if from.contains(&state.phase) {
                state.phase = Phase::Dead;
                state.dead = Some(why.to_owned());
            }
            Ok::<_, StoreError>(())
        });
        buried.await.attempt(|| self.what("write"))
    }

    /// The key of the generation, durable before any order. The state names it with the order's URL; until then whoever
    /// comes finds the key where it is kept.
    pub(crate) async fn key(&self, state: &State) -> Result<KeptKey, Failure> {
        if let Some(kept) = &state.key {
            return Ok(kept.clone());
        }
        if let Some(csr) = &self.request.csr {
            let (spki, csr) = (csr.spki.clone(), Some(csr.base64()));
            return Ok(KeptKey { kept: Kept::Csr, spki, csr, extra: Extra::new() });
        }
        let key = self.fresh_key(state).await?;
        let key = self.journal.put_key(state.generation, &key).await;
        let key = key.attempt(|| format!("store the key of `{}`", self.request.certificate))?;
        self.drop_old_keys(state).await?;
        let spki = key.spki_hash();
        Ok(KeptKey { kept: Kept::Journal, spki, csr: None, extra: Extra::new() })
    }

    /// Names the key in the state of a generation whose order somebody else places.
    pub(crate) async fn with_key(&self, state: State, key: &KeptKey) -> Result<State, Failure> {
        let stored = self.journal.update_generation(state.generation, |state| {
            state.key.get_or_insert_with(|| key.clone());
            Ok::<_, StoreError>(())
        });
        stored.await.attempt(|| self.what("write"))
    }

    /// Drops the keys before the delivered one, which stays until its successor is delivered.
    async fn drop_old_keys(&self, state: &State) -> Result<(), Failure> {
        let Some(delivered) = &state.delivered else { return Ok(()) };
        let dropped = self.journal.drop_keys_before(delivered.generation).await;
        dropped.attempt(|| "drop the keys of older generations".into())
    }

    async fn fresh_key(&self, state: &State) -> Result<PrivateKey, Failure> {
        if let (true, Some(delivered)) = (self.request.keep_key, &state.delivered) {
            let what = || "read the delivered key".to_owned();
            let chain = Chain::from_pem(&delivered.chain).attempt(what)?;
            let old = self.journal.key(delivered.generation, Some(&chain.leaf().spki)).await;
            let old = old.attempt(what)?;
            if let Some(old) = old {
                return Ok(old);
            }
            tracing::warn!(certificate = %self.request.certificate, "the delivered key is gone; a new one is made");
        }
        PrivateKey::generate(state.spec.key_type).attempt(|| "make a private key".into())
    }

    pub(crate) async fn ordered(
        &self,
        state: State,
        order: &Order,
        wanted: &[Wanted],
    ) -> Result<State, Failure> {
        let stored = self.journal.update_generation(state.generation, |state| {
            for one in wanted {
                let known = state.challenges.iter_mut().find(|old| {
                    old.value == one.value
                        && old.fqdn == one.fqdn
                        && old.generation == one.generation
                });
                match known {
                    // An earlier run may have ended in cleanup: its value is needed once more.
                    Some(old) if old.state == Presence::Gone => old.clone_from(one),
                    Some(_) => (),
                    None => state.challenges.push(one.clone()),
                }
            }
            if let Some(kept) = &mut state.order {
                kept.expires = order.expires;
            }
            if state.phase == Phase::New {
                state.phase = Phase::Ordered;
            }
            Ok::<_, StoreError>(())
        });
        stored.await.attempt(|| self.what("write"))
    }

    /// Records the CA's refusal; gives the failure back with what is left behind. Where another run has an order
    /// meanwhile, that one's word counts.
    pub(crate) async fn refused(
        &self,
        state: &State,
        failure: Failure,
    ) -> Result<Failure, Failure> {
        let kept = self.journal.update_generation(state.generation, |state| {
            if state.phase == Phase::New && state.order.is_none() {
                let (why, retry_at) = (Some(failure.reason()), failure.retry_at());
                state.answered(failure.exit(), why, retry_at, Utc::now());
                // The CA has said no to this very request; another generation may ask for something else.
                if failure.exit() == Exit::CaRejected {
                    state.phase = Phase::Dead;
                    state.dead = Some("refused".into());
                }
            }
            Ok::<_, StoreError>(())
        });
        let kept = kept.await.attempt(|| self.what("write"))?;
        Ok(failure.until(kept.retry_at).state("no order is open; nothing was published"))
    }

    /// Records that this run's attempt has ended without the CA's word, so that no later run waits for it.
    pub(crate) async fn ended(&self, generation: u64, failure: Failure) -> Failure {
        let noted = self.journal.update_generation(generation, |state| {
            let ours = state.attempts.last_mut().filter(|last| last.run == self.request.run);
            if let Some(ours) = ours.filter(|last| last.act == Act::Order && last.code.is_none()) {
                (ours.code, ours.why) = (Some(failure.exit().code()), Some(failure.reason()));
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = noted.await {
            tracing::debug!("the end of this attempt is not on record: {error}");
        }
        failure
    }
}

/// Why an update did not happen.
enum Raced {
    Lost,
    Store(StoreError),
}

impl From<StoreError> for Raced {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
