//! Cleanup for a run: what the journal still wants removed, for the run that it names.

use chrono::{DateTime, TimeDelta, Utc};
use dns01_step::{Attempt, Failure};
use dns01_store::StoreError;
use dns01_store::journal::{Engine, Journal, Phase, Presence, State};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Removal, Remover, Target};

/// The CA may look for so long after the challenges were posted; removing earlier would fail its validation.
const CA_LOOKS: TimeDelta = TimeDelta::seconds(30);

/// A `present` that was stopped may still live for Kubernetes' grace of 30 s.
const STOPPED_STEP_LIVES: Duration = Duration::from_secs(35);

/// For whom cleanup acts, and how patiently.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The run; cleanup acts only while the journal names it.
    pub run: &'a str,
    /// Whether to look again once a stopped step cannot live any more.
    pub exit_hook: bool,
    /// Whether to wait until the CA has looked; not after Ctrl-C.
    pub settle: bool,
}

/// Removes what the journal wants removed, and notes there what was seen gone.
pub async fn clean(
    journal: &Journal,
    request: &Request<'_>,
    remover: &Remover<'_>,
) -> Result<Removal, Failure> {
    let began = Instant::now();
    let what = || format!("read the journal of `{}`", journal.name());
    let Some(mut state) = journal.read().await.attempt(what)? else {
        return Ok(noted("there is no journal, so nothing was published"));
    };
    if state.run != request.run {
        return Ok(noted(&format!("run {} is responsible", state.run)));
    }
    let validating = is_validating(&state);
    if let (true, true, Some(posted)) = (validating, request.settle, state.validating_at) {
        sleep(until(posted + CA_LOOKS)).await;
        // Meanwhile another run may have taken over, or have finished.
        match journal.read().await.attempt(what)? {
            Some(now) if now.run == request.run => state = now,
            _ => return Ok(noted("another run is responsible")),
        }
    }
    let targets = targets(&state);
    let mut removal = remover.remove(&targets).await;
    forget(journal, request.run, &removal.gone).await?;
    if request.exit_hook && request.settle && validating {
        sleep_until(began + STOPPED_STEP_LIVES).await;
        let again = remover.remove(&targets).await;
        forget(journal, request.run, &again.gone).await?;
        removal = Removal { removed: removal.removed + again.removed, ..again };
    }
    Ok(removal)
}

fn noted(note: &str) -> Removal {
    Removal { note: Some(note.to_owned()), ..Removal::default() }
}

/// Whether a step of this run may still be publishing or the CA be looking.
fn is_validating(state: &State) -> bool {
    match state.spec.engine {
        Engine::Native => state.phase == Phase::Ordered,
        Engine::Certbot => state.phase == Phase::Finalizing,
    }
}

fn until(at: DateTime<Utc>) -> Duration {
    // A clock that was set back must not make cleanup wait for hours.
    (at - Utc::now()).min(CA_LOOKS).to_std().unwrap_or_default()
}

fn targets(state: &State) -> Vec<Target> {
    let wanted = state.challenges.iter().filter(|one| one.state == Presence::Wanted);
    wanted
        .map(|one| Target {
            domain: one.domain.clone(),
            fqdn: one.fqdn.clone(),
            owner: Some(one.owner.clone()),
            value: one.value.clone(),
        })
        .collect()
}

/// Notes what was seen gone, while the run still owns cleanup.
async fn forget(journal: &Journal, run: &str, gone: &[Target]) -> Result<(), Failure> {
    if gone.is_empty() {
        return Ok(());
    }
    let written = journal.update(|current| {
        let mut state = current.ok_or(Gone::NoJournal)?;
        if state.run != run {
            return Err(Gone::OtherRun);
        }
        for one in &mut state.challenges {
            if gone.iter().any(|target| target.fqdn == one.fqdn && target.value == one.value) {
                one.state = Presence::Gone;
            }
        }
        Ok(state)
    });
    match written.await {
        Ok(_) | Err(Gone::NoJournal | Gone::OtherRun) => Ok(()),
        Err(Gone::Store(error)) => {
            Err(Failure::of(error, &format!("write the journal of `{}`", journal.name())))
        }
    }
}

enum Gone {
    NoJournal,
    OtherRun,
    Store(StoreError),
}

impl From<StoreError> for Gone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
