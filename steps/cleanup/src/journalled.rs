//! Cleanup for a run: what the journal still wants removed, for the run that it names; and once nobody needs an answer any
//! more, for every run what a late step of its own may have published again.

use chrono::{DateTime, TimeDelta, Utc};
use dns01_step::{Attempt, Failure};
use dns01_store::StoreError;
use dns01_store::journal::{Engine, Journal, Phase, Presence, State, Wanted};
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
    /// The run; while the generation needs its values, cleanup acts only if the journal names it.
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
    let mut state = match responsible(journal, request.run).await? {
        Ok(state) => state,
        Err(note) => return Ok(noted(note)),
    };
    let validating = is_validating(&state);
    if let (true, true, Some(posted)) = (validating, request.settle, state.validating_at) {
        sleep(until(posted)).await;
        state = match responsible(journal, request.run).await? {
            Ok(state) => state,
            Err(_) => return Ok(noted("another run is responsible".to_owned())),
        };
    }
    let is_ours = async || !matches!(responsible(journal, request.run).await, Ok(Err(_)));
    let first = if state.run == request.run { targets(&state, &[]) } else { listed(&state) };
    let removal = remover.remove_while(&first, is_ours).await;
    forget(journal, request.run, &removal.gone).await?;
    if !(request.exit_hook && request.settle && validating) {
        return Ok(removal);
    }
    sleep_until(began + STOPPED_STEP_LIVES).await;
    // A run that has taken over meanwhile may have published the same values.
    let Ok(state) = responsible(journal, request.run).await? else { return Ok(removal) };
    let again = remover.remove_while(&targets(&state, &first), is_ours).await;
    forget(journal, request.run, &again.gone).await?;
    Ok(Removal { removed: removal.removed + again.removed, ..again })
}

/// The state while this run may clean up, else a word on who does: another run may take over at any time.
async fn responsible(journal: &Journal, run: &str) -> Result<Result<State, String>, Failure> {
    let what = || format!("read the journal of `{}`", journal.name());
    Ok(match journal.read().await.attempt(what)? {
        Some(state) if may_clean(&state, run) => Ok(state),
        Some(state) => Err(format!("run {} is responsible", state.run)),
        None => Err("there is no journal, so nothing was published".to_owned()),
    })
}

/// Whether a run may remove what the state lists: the one that it names, and any other when the CA has looked for good. Of two
/// runs on one order the one may have cleaned up before the `present` of the other has started.
fn may_clean(state: &State, run: &str) -> bool {
    state.run == run || matches!(state.phase, Phase::Issued | Phase::Delivered | Phase::Dead)
}

fn noted(note: String) -> Removal {
    Removal { note: Some(note), ..Removal::default() }
}

/// Whether a step of this run may still be publishing or the CA be looking.
fn is_validating(state: &State) -> bool {
    match state.spec.engine {
        Engine::Native => state.phase == Phase::Ordered,
        Engine::Certbot => state.phase == Phase::Finalizing,
    }
}

/// How long the CA may still look after it was told so at `posted`.
fn until(posted: DateTime<Utc>) -> Duration {
    // A clock that was set back must not make cleanup wait for hours.
    (posted - Utc::now() + CA_LOOKS).min(CA_LOOKS).to_std().unwrap_or_default()
}

/// What the journal wants removed, and once more what an `earlier` look has removed already.
fn targets(state: &State, earlier: &[Target]) -> Vec<Target> {
    let wanted = state.challenges.iter().filter(|one| one.state == Presence::Wanted);
    let mut targets = earlier.to_vec();
    for target in wanted.map(target) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

/// Everything that the journal lists, seen gone or not.
fn listed(state: &State) -> Vec<Target> {
    state.challenges.iter().map(target).collect()
}

fn target(one: &Wanted) -> Target {
    Target {
        domain: one.domain.clone(),
        fqdn: one.fqdn.clone(),
        owner: Some(one.owner.clone()),
        value: one.value.clone(),
    }
}

/// Notes what was seen gone, while the run still may clean up.
async fn forget(journal: &Journal, run: &str, gone: &[Target]) -> Result<(), Failure> {
    if gone.is_empty() {
        return Ok(());
    }
    let written = journal.update(|current| {
        let mut state = current.ok_or(Gone::NoJournal)?;
        if !may_clean(&state, run) {
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

#[cfg(test)]
mod tests {
    use dns01_core::KeyType;
    use dns01_store::journal::{Extra, Spec};

    use super::*;

    fn wanted(letter: char, state: Presence) -> Wanted {
        let fqdn: dns01_core::OwnerName = "_acme-challenge.a.test".parse().unwrap();
        let (domain, owner) = ("a.test".parse().unwrap(), fqdn.clone());
        let value = letter.to_string().repeat(43);
        Wanted { generation: 1, domain, fqdn, owner, value, url: None, state, extra: Extra::new() }
    }

    #[test]
    fn a_second_look_is_for_what_the_first_removed_and_for_what_came_later() {
        let spec = Spec {
            engine: Engine::Certbot,
            names: vec!["a.test".parse().unwrap()],
            directory: "https://ca.test/dir".into(),
            account: "ca".parse().unwrap(),
            thumbprint: "t".repeat(43),
            profile: None,
            key_type: KeyType::P256,
            extra: Extra::new(),
        };
        let mut state = State::first("shop".parse().unwrap(), "run-1", spec);
        state.challenges = vec![wanted('a', Presence::Wanted)];
        let first = targets(&state, &[]);
        state.challenges = vec![wanted('a', Presence::Gone), wanted('b', Presence::Wanted)];
        let values: Vec<_> = targets(&state, &first).into_iter().map(|one| one.value).collect();
        assert_eq!(values, ["a".repeat(43), "b".repeat(43)]);
    }

    #[test]
    fn no_clock_makes_cleanup_wait_longer_than_the_ca_looks() {
        for posted in [DateTime::<Utc>::MAX_UTC, Utc::now() + TimeDelta::days(1)] {
            assert_eq!(until(posted), Duration::from_secs(30));
        }
        for posted in [DateTime::<Utc>::MIN_UTC, Utc::now() - TimeDelta::minutes(1)] {
            assert_eq!(until(posted), Duration::ZERO);
        }
    }
}
