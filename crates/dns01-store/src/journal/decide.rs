//! What a run does next with a certificate: one pure function of the state, the wish and the time.
//!
//! `renew-check` asks it to report, `order` to act, and both get the same answer.

use chrono::{DateTime, Utc};

use super::{Phase, Spec, State};

/// What a run wants and knows.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The run.
    pub run: &'a str,
    /// What the definition asks for; `thumbprint` may be empty where the account is not known.
    pub spec: &'a Spec,
    /// Whether a person asked for a new certificate whatever the old one says.
    pub force: bool,
    /// Whether a sink has lost what was delivered, or holds an older certificate.
    pub sink_is_behind: bool,
    /// Whether this run may start one generation more, and at once: `dns01 issue` after a 23.
    pub one_more: bool,
    /// When the current certificate is due for renewal; `None` where there is none.
    pub due_at: Option<DateTime<Utc>>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// The certificate is delivered, unchanged and not due.
    Nothing,
    /// The certificate is issued; it only has to reach its sinks, and what was published to be removed.
    Deliver,
    /// The generation at hand goes on where it stopped.
    Resume,
    /// The generation at hand is of an older definition: it is dead before another starts.
    Abandon,
    /// A new generation starts.
    Start(Reason),
    /// The CA refused before; not earlier than this.
    NotBefore(DateTime<Utc>),
    /// This run had its generation, and that is dead.
    Dead,
}

/// Why a generation starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// There was no certificate yet.
    First,
    /// A person asked for it.
    Forced,
    /// The definition changed.
    Changed,
    /// The certificate is due.
    Due,
    /// The last generation failed.
    Again,
}

impl Reason {
    /// In words, for a message.
    pub const fn words(self) -> &'static str {
        match self {
            Self::First => "there is no certificate yet",
            Self::Forced => "a new certificate was asked for",
            Self::Changed => "the definition changed",
            Self::Due => "the certificate is due for renewal",
            Self::Again => "the last attempt failed",
        }
    }
}

/// Decides.
pub fn next(state: Option<&State>, wish: &Wish<'_>) -> Next {
    let Some(state) = state else { return Next::Start(Reason::First) };
    let changed = !state.spec.is_for(wish.spec);
    let forced = wish.force && state.forced_by.as_deref() != Some(wish.run);
    let due = wish.due_at.is_some_and(|at| at <= wish.now);
    let fresh = if forced {
        Some(Reason::Forced)
    } else if changed {
        Some(Reason::Changed)
    } else {
        due.then_some(Reason::Due)
    };
    // What a killed run published is removed by the run that joins.
    let is_left = state.challenges.iter().any(super::Wanted::is_wanted);
    let delivery = if wish.sink_is_behind || is_left { Next::Deliver } else { Next::Nothing };
    let wanted = match state.phase {
        Phase::Delivered => fresh.map_or(delivery, Next::Start),
        Phase::Issued => fresh.map_or(Next::Deliver, Next::Start),
        Phase::New | Phase::Ordered if changed => Next::Abandon,
        Phase::New | Phase::Ordered | Phase::Finalizing => Next::Resume,
        Phase::Dead if state.started_by.as_deref() == Some(wish.run) && !wish.one_more => {
            Next::Dead
        }
        // A failed `--force` is forgotten where what it was to replace is still good.
        Phase::Dead
            if state.forced_by.is_some() && state.delivered.is_some() && fresh.is_none() =>
        {
            delivery
        }
        Phase::Dead => Next::Start(fresh.unwrap_or(Reason::Again)),
    };
    let asks_the_ca = matches!(wanted, Next::Start(_) | Next::Resume);
    match state.retry_at.filter(|at| *at > wish.now && !wish.one_more && asks_the_ca) {
        Some(at) => Next::NotBefore(at),
        None => wanted,
    }
}

impl Spec {
    /// Whether a generation of this spec is what `wanted` asks for. The order of names does not matter, nor does a
    /// thumbprint that is not known.
    pub fn is_for(&self, wanted: &Self) -> bool {
        let sorted = |spec: &Self| {
            let mut names = spec.names.clone();
            names.sort();
            names.dedup();
            names
        };
        self.directory == wanted.directory
            && self.account == wanted.account
            && (wanted.thumbprint.is_empty() || self.thumbprint == wanted.thumbprint)
            && self.profile == wanted.profile
            && self.key_type == wanted.key_type
            && self.engine == wanted.engine
            && sorted(self) == sorted(wanted)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use dns01_core::KeyType;

    use super::*;
    use crate::journal::{Delivered, Engine, Extra};

    fn spec(names: &[&str]) -> Spec {
        Spec {
            engine: Engine::Native,
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
            directory: "https://ca.test/dir".into(),
            account: "ca".parse().unwrap(),
            thumbprint: "t".repeat(43),
            profile: None,
            key_type: KeyType::P256,
            extra: Extra::new(),
        }
    }

    fn state(phase: Phase) -> State {
        let mut state = State::first("shop".parse().unwrap(), "run-1", spec(&["a.test", "b.test"]));
        state.phase = phase;
        state
    }

    fn wish<'a>(run: &'a str, spec: &'a Spec) -> Wish<'a> {
        let now = Utc::now();
        let due_at = Some(now + TimeDelta::days(30));
        Wish { run, spec, force: false, sink_is_behind: false, one_more: false, due_at, now }
    }

    #[test]
    fn delivered_unchanged_and_not_due_is_nothing_to_do() {
        let spec = spec(&["b.test", "a.test"]);
        let wish = wish("run-2", &spec);
        let state = state(Phase::Delivered);
        assert_eq!(next(Some(&state), &wish), Next::Nothing);
        assert_eq!(next(Some(&state), &Wish { sink_is_behind: true, ..wish }), Next::Deliver);
        assert_eq!(
            next(Some(&state), &Wish { due_at: Some(wish.now), ..wish }),
            Next::Start(Reason::Due)
        );
        assert_eq!(next(None, &wish), Next::Start(Reason::First));
    }

    #[test]
    fn force_counts_once_per_run() {
        let spec = spec(&["a.test", "b.test"]);
        let wish = Wish { force: true, ..wish("run-2", &spec) };
        let mut state = state(Phase::Delivered);
        assert_eq!(next(Some(&state), &wish), Next::Start(Reason::Forced));
        state.forced_by = Some("run-2".into());
        assert_eq!(next(Some(&state), &wish), Next::Nothing);
    }

    #[test]
    fn before_finalizing_a_changed_definition_abandons_and_from_then_on_it_waits() {
        let other = spec(&["a.test"]);
        let wish = wish("run-2", &other);
        assert_eq!(next(Some(&state(Phase::New)), &wish), Next::Abandon);
        assert_eq!(next(Some(&state(Phase::Ordered)), &wish), Next::Abandon);
        assert_eq!(next(Some(&state(Phase::Finalizing)), &wish), Next::Resume);
        assert_eq!(next(Some(&state(Phase::Issued)), &wish), Next::Start(Reason::Changed));
    }

    #[test]
    fn at_most_one_generation_per_run_but_one_more_for_dns01_issue() {
        let spec = spec(&["a.test", "b.test"]);
        let mut state = state(Phase::Dead);
        state.retry_at = Some(Utc::now() + TimeDelta::hours(1));
        let wish = wish("run-1", &spec);
        assert_eq!(next(Some(&state), &wish), Next::Dead);
        assert_eq!(
            next(Some(&state), &Wish { one_more: true, ..wish }),
            Next::Start(Reason::Again)
        );
        let later = Wish { run: "run-2", ..wish };
        assert_eq!(next(Some(&state), &later), Next::NotBefore(state.retry_at.unwrap()));
        state.retry_at = None;
        assert_eq!(next(Some(&state), &later), Next::Start(Reason::Again));
    }

    #[test]
    fn retry_at_holds_back_what_would_ask_the_ca_and_nothing_else() {
        let spec = spec(&["a.test", "b.test"]);
        let wish = wish("run-2", &spec);
        for phase in Phase::ALL {
            let mut state = state(phase);
            state.retry_at = Some(wish.now + TimeDelta::minutes(1));
            let held = matches!(next(Some(&state), &wish), Next::NotBefore(_));
            assert_eq!(held, !matches!(phase, Phase::Issued | Phase::Delivered), "{phase}");
        }
    }

    #[test]
    fn a_failed_force_is_forgotten_while_the_delivered_certificate_is_good() {
        let spec = spec(&["a.test", "b.test"]);
        let mut state = state(Phase::Dead);
        state.forced_by = Some("run-1".into());
        let (chain, ari, ari_draw) = (String::new(), None, None);
        let not_after = Utc::now() + TimeDelta::days(60);
        state.delivered =
            Some(Delivered { generation: 1, chain, not_after, ari, ari_draw, extra: Extra::new() });
        assert_eq!(next(Some(&state), &wish("run-2", &spec)), Next::Nothing);
    }
}
