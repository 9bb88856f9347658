//! What the CA has refused, told to later runs.

use chrono::{DateTime, SecondsFormat, Utc};
use dns01_core::Exit;
use dns01_step::Failure;
use dns01_store::journal::State;

/// The failure of a run that comes too early after a refusal (24), before any call to the CA.
pub(crate) fn not_before(at: DateTime<Utc>, state: Option<&State>) -> Failure {
    let when = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let why = state.and_then(last_words).map(|why| format!("; it said: {why}")).unwrap_or_default();
    Failure::new(
        Exit::RateLimited,
        format!("the CA refused before, and is not asked again until {when}{why}"),
    )
    .hint("mend what it refused, and run again after that time")
    .until(Some(at))
    .state("nothing was asked of the CA")
}

/// The failure of a run whose one generation is dead (23).
pub(crate) fn dead(state: Option<&State>) -> Failure {
    let why = state.and_then(|state| state.dead.clone()).unwrap_or_default();
    let words = state.and_then(last_words).map(|words| format!(": {words}")).unwrap_or_default();
    Failure::new(Exit::OrderDead, format!("the order of this run is dead ({why}){words}"))
        .hint("start a new run")
        .until(state.and_then(|state| state.retry_at))
}

fn last_words(state: &State) -> Option<String> {
    state.attempts.last()?.why.clone()
}
