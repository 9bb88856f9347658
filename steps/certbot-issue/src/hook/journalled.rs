//! The journal of the generation that certbot works for, as its hooks write it.

use chrono::Utc;
use cleanup::Target;
use dns01_core::{Challenge, Exit};
use dns01_lookup::Lookup;
use dns01_step::{Attempt, Failure, GenerationArgs, JournalArgs, StepIo};
use dns01_store::StoreError;
use dns01_store::journal::{Extra, Journal, Phase, Presence, State, Wanted};

/// The journal and the generation to write to.
#[derive(Debug)]
pub(super) struct Record {
    journal: Journal,
    generation: u64,
}

impl Record {
    /// The one that certbot-issue named.
    pub(super) async fn open(
        args: &JournalArgs,
        generation: &GenerationArgs,
        io: &StepIo,
    ) -> Result<Self, Failure> {
        let generation = generation.read()?;
        let backend =
            dns01_store::open(&args.address()).await.attempt(|| "open the journal".into())?;
        let name = io.certificate()?.parse().attempt(|| "use the certificate's name".into())?;
        Ok(Self { journal: backend.journal(&name), generation })
    }

    /// Lists the values as wanted, before any is published, with the names where they will be.
    pub(super) async fn wanted(
        &self,
        challenges: &[Challenge],
        lookup: &Lookup,
    ) -> Result<(), Failure> {
        let fqdns: Vec<_> = challenges.iter().map(|one| one.fqdn.clone()).collect();
        let places = lookup.locate_all(&fqdns).await;
        let places = places.attempt(|| "find where the challenges are answered".into())?;
        let wanted = challenges.iter().zip(places).map(|(one, place)| Wanted {
            generation: self.generation,
            domain: one.domain.clone(),
            fqdn: one.fqdn.clone(),
            owner: place.owner,
            value: one.value.clone(),
            url: None,
            state: Presence::Wanted,
            extra: Extra::new(),
        });
        let wanted: Vec<Wanted> = wanted.collect();
        let state = self.write(|state| {
            if state.phase == Phase::Finalizing {
                // Each start of certbot brings new values; those seen gone need not be kept.
                state.challenges.retain(|old| old.is_wanted() && !wanted.contains(old));
                state.challenges.extend(wanted.iter().cloned());
            }
        });
        if state.await?.phase != Phase::Finalizing {
            return Err(Failure::new(
                Exit::Conflict,
                "another run has ended this generation meanwhile",
            ));
        }
        Ok(())
    }

    /// Notes that the CA looks from now on: cleanup must not come in between.
    pub(super) async fn validating(&self) -> Result<(), Failure> {
        let now = Utc::now();
        self.write(|state| state.validating_at = Some(now)).await.map(drop)
    }

    /// What of `challenges` is still to be removed, and from where.
    pub(super) async fn targets(&self, challenges: &[Challenge]) -> Result<Vec<Target>, Failure> {
        let read = self.journal.read().await.attempt(|| self.what("read"))?;
        let listed = read.map(|state| state.challenges).unwrap_or_default();
        let ours = listed
            .into_iter()
            .filter(|one| one.is_wanted() && challenges.contains(&one.challenge()));
        let targets = ours.map(|one| Target {
            domain: one.domain,
            fqdn: one.fqdn,
            owner: Some(one.owner),
            value: one.value,
        });
        Ok(targets.collect())
    }

    /// Notes what a zone read has shown gone.
    pub(super) async fn gone(&self, gone: &[Target]) -> Result<(), Failure> {
        let written = self.write(|state| {
            for one in &mut state.challenges {
                if gone.iter().any(|target| target.fqdn == one.fqdn && target.value == one.value) {
                    one.state = Presence::Gone;
                }
            }
        });
        written.await.map(drop)
    }

    async fn write(&self, mut change: impl FnMut(&mut State) + Send) -> Result<State, Failure> {
        let written = self.journal.update_generation(self.generation, |state| {
            change(state);
            Ok::<_, StoreError>(())
        });
        written.await.attempt(|| self.what("write"))
    }

    fn what(&self, verb: &str) -> String {
        format!("{verb} the journal of `{}`", self.journal.name())
    }
}
