//! What a run does next with a certificate: one pure function of the state, the wish and the time.
//!
//! `renew-check` asks it to report, `order` to act, and both get the same answer.

use chrono::{DateTime, TimeDelta, Utc};
use dns01_core::SpkiHash;

use super::{Phase, Spec, State};

/// No refusal holds back for longer than a day; a later time was written by a clock that was wrong, or by somebody else.
const LONGEST_HOLD: TimeDelta = TimeDelta::hours(25);

/// What a run wants and knows.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The run.
    pub run: &'a str,
    /// What the definition asks for; `thumbprint` may be empty where the account is not known.
    pub spec: &'a Spec,
    /// The key of the CSR that the user brings, if one is brought.
    pub csr: Option<&'a SpkiHash>,
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
    let changed = !state.spec.is_for(wish.spec) || state.is_for_another_csr(wish);
    let due = wish.due_at.is_some_and(|at| at <= wish.now);
    let needed = if changed { Some(Reason::Changed) } else { due.then_some(Reason::Due) };
    let has_begun_it = state.started_by.as_deref() == Some(wish.run);
    let forced = wish.force && !has_begun_it && state.forced_by.as_deref() != Some(wish.run);
    let fresh = needed.or(forced.then_some(Reason::Forced));
    // What a killed run published is removed by the run that joins.
    let is_left = state.challenges.iter().any(super::Wanted::is_wanted);
    let delivery = if wish.sink_is_behind || is_left { Next::Deliver } else { Next::Nothing };
    // What a failed `--force` was to replace is still good.
    let again = match (&state.forced_by, &state.delivered) {
        (Some(_), Some(_)) => Reason::Forced,
        _ => Reason::Again,
    };
    let wanted = match state.phase {
        Phase::Delivered => fresh.map_or(delivery, Next::Start),
        Phase::Issued => needed.map_or(Next::Deliver, Next::Start),
        Phase::New | Phase::Ordered if changed || state.spec.engine != wish.spec.engine => {
            Next::Abandon
        }
        Phase::New | Phase::Ordered | Phase::Finalizing => Next::Resume,
        Phase::Dead if has_begun_it && !wish.one_more => Next::Dead,
        Phase::Dead if again == Reason::Forced && !wish.one_more => {
            fresh.map_or(delivery, Next::Start)
        }
        Phase::Dead => Next::Start(needed.unwrap_or(again)),
    };
    let asks_the_ca = matches!(wanted, Next::Start(_) | Next::Resume);
    match state.held_until(wish.now).filter(|_| !wish.one_more && asks_the_ca) {
        // A lost sink is filled without the CA.
        Some(_) if wish.sink_is_behind && state.delivered.is_some() => Next::Deliver,
        Some(at) => Next::NotBefore(at),
        None => wanted,
    }
}

impl State {
    /// Until when no run asks the CA, because it refused.
    pub fn held_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.retry_at.filter(|at| *at > now && *at - now <= LONGEST_HOLD)
    }

    fn is_for_another_csr(&self, wish: &Wish<'_>) -> bool {
        matches!((&self.key, wish.csr), (Some(key), Some(spki)) if key.spki != *spki)
    }
}

impl Spec {
    /// Whether a certificate of this spec is what `wanted` asks for. The order of names does not matter, nor does the
    /// engine that gets it, nor a thumbprint that is not known.
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
            && sorted(self) == sorted(wanted)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use dns01_core::KeyType;

    use super::*;
    use crate::journal::{Delivered, Engine, Extra, Kept, KeptKey};

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
        let (force, csr) = (false, None);
        Wish { run, spec, csr, force, sink_is_behind: false, one_more: false, due_at, now }
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
        // A run that began a generation for another reason has had its force as well.
        (state.started_by, state.forced_by) = (Some("run-2".into()), None);
        assert_eq!(next(Some(&state), &wish), Next::Nothing);
        // What is issued is delivered first, unless it is due or not what is wanted any more.
        state.phase = Phase::Issued;
        assert_eq!(next(Some(&state), &Wish { run: "run-3", ..wish }), Next::Deliver);
    }

    #[test]
    fn another_engine_is_no_other_certificate_but_another_order() {
        let certbot = Spec { engine: Engine::Certbot, ..spec(&["a.test", "b.test"]) };
        let wish = wish("run-2", &certbot);
        assert_eq!(next(Some(&state(Phase::Delivered)), &wish), Next::Nothing);
        assert_eq!(next(Some(&state(Phase::Ordered)), &wish), Next::Abandon);
        assert_eq!(next(Some(&state(Phase::Finalizing)), &wish), Next::Resume);
    }

    #[test]
    fn a_csr_for_another_key_is_another_certificate() {
        let (spec, theirs) = (spec(&["a.test", "b.test"]), SpkiHash::of(b"theirs"));
        let wish = Wish { csr: Some(&theirs), ..wish("run-2", &spec) };
        for (key, delivered, ordered) in [
            (SpkiHash::of(b"ours"), Next::Start(Reason::Changed), Next::Abandon),
            (theirs.clone(), Next::Nothing, Next::Resume),
        ] {
            let kept = KeptKey { kept: Kept::Csr, spki: key, csr: None, extra: Extra::new() };
            let state = |phase| State { key: Some(kept.clone()), ..state(phase) };
            assert_eq!(next(Some(&state(Phase::Delivered)), &wish), delivered);
            assert_eq!(next(Some(&state(Phase::Ordered)), &wish), ordered);
        }
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
            // No CA asks for more than a day: a clock was wrong.
            state.retry_at = Some(wish.now + TimeDelta::days(2));
            assert!(!matches!(next(Some(&state), &wish), Next::NotBefore(_)), "{phase}");
        }
    }

    #[test]
    fn while_the_ca_holds_us_back_a_lost_sink_is_filled() {
        let spec = spec(&["a.test", "b.test"]);
        let wish = Wish { sink_is_behind: true, ..wish("run-2", &spec) };
        let mut state = State { delivered: Some(delivered()), ..state(Phase::Dead) };
        state.retry_at = Some(wish.now + TimeDelta::minutes(1));
        assert_eq!(next(Some(&state), &wish), Next::Deliver);
    }

    #[test]
    fn a_failed_force_is_forgotten_while_the_delivered_certificate_is_good() {
        let spec = spec(&["a.test", "b.test"]);
        let mut state = state(Phase::Dead);
        state.forced_by = Some("run-1".into());
        state.delivered = Some(delivered());
        let later = wish("run-2", &spec);
        assert_eq!(next(Some(&state), &later), Next::Nothing);
        let one_more = Wish { one_more: true, ..wish("run-1", &spec) };
        assert_eq!(next(Some(&state), &one_more), Next::Start(Reason::Forced));
        // The dead generation was to replace what does not fit any more: a later `--force` does not hide that.
        state.forced_by = None;
        let forced = Wish { force: true, ..later };
        assert_eq!(next(Some(&state), &forced), Next::Start(Reason::Again));
    }

    fn delivered() -> Delivered {
        let (chain, ari, ari_draw) = (String::new(), None, None);
        let not_after = Utc::now() + TimeDelta::days(60);
        Delivered { generation: 1, chain, not_after, ari, ari_draw, extra: Extra::new() }
    }
}
