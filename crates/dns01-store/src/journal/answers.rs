//! What the state says about the past: how attempts ended, and which certificate is the current one.

use chrono::{DateTime, TimeDelta, Utc};
use dns01_core::{Chain, Exit, draw_of};

use super::{Phase, State};

/// Pauses after the first, second, third and every further refusal in a row, in minutes: what Let's Encrypt advises.
const PAUSES: [i64; 4] = [1, 10, 100, 24 * 60];

impl State {
    /// Notes how the last attempt ended. After a refusal by the CA (22, 23, 24) no run asks it again before `retry_at`,
    /// or, where the CA named no time, before a pause that grows with every refusal in a row.
    pub fn answered(
        &mut self,
        exit: Exit,
        why: Option<String>,
        retry_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.code = Some(exit.code());
            attempt.why = why;
        }
        self.retry_at = is_refusal(exit.code()).then(|| {
            let pause = PAUSES[self.refusals().clamp(1, PAUSES.len()) - 1];
            retry_at.unwrap_or(now + TimeDelta::minutes(pause))
        });
    }

    /// Refusals in a row. Only a success that came as far ends the row: each generation places its order well, also
    /// where the CA then finds no record time and again.
    fn refusals(&self) -> usize {
        let act = self.attempts.last().map(|last| last.act);
        self.attempts
            .iter()
            .rev()
            .take_while(|one| one.code != Some(Exit::Done.code()) || Some(one.act) < act)
            .filter(|one| one.code.is_some_and(is_refusal))
            .count()
    }

    /// The newest certificate that this journal has: issued and not yet delivered, else the delivered one.
    pub fn current(&self) -> Option<Chain> {
        let issued =
            self.issued.as_ref().filter(|_| matches!(self.phase, Phase::Issued | Phase::Delivered));
        let pem = issued
            .map(|issued| &issued.chain)
            .or(self.delivered.as_ref().map(|delivered| &delivered.chain))?;
        Chain::from_pem(pem).ok()
    }

    /// The point of the CA's renewal window that was drawn at delivery, from 0 to 1; before one is, the name's own.
    pub fn draw(&self) -> f64 {
        let drawn =
            self.delivered.as_ref().and_then(|delivered| delivered.ari_draw.as_ref()?.parse().ok());
        drawn.unwrap_or_else(|| draw_of(self.certificate.as_str()))
    }
}

fn is_refusal(code: u8) -> bool {
    [Exit::CaRejected, Exit::OrderDead, Exit::RateLimited].iter().any(|exit| exit.code() == code)
}

#[cfg(test)]
mod tests {
    use dns01_core::KeyType;

    use super::*;
    use crate::journal::{Act, Engine, Extra, Spec};

    fn state() -> State {
        let spec = Spec {
            engine: Engine::Native,
            names: vec!["a.test".parse().unwrap()],
            directory: "https://ca.test/dir".into(),
            account: "ca".parse().unwrap(),
            thumbprint: "t".repeat(43),
            profile: None,
            key_type: KeyType::P256,
            extra: Extra::new(),
        };
        State::first("shop".parse().unwrap(), "run-1", spec)
    }

    #[test]
    fn the_pause_grows_with_every_refusal_in_a_row() {
        let mut state = state();
        let now = Utc::now();
        let mut pauses = Vec::new();
        for _ in 0..5 {
            state.attempt(now, "run-1", Act::Order);
            state.answered(Exit::CaRejected, None, None, now);
            pauses.push((state.retry_at.unwrap() - now).num_minutes());
        }
        assert_eq!(pauses, [1, 10, 100, 1440, 1440]);
        state.attempt(now, "run-1", Act::Order);
        state.answered(Exit::Done, None, None, now);
        assert_eq!(state.retry_at, None);
        state.attempt(now, "run-1", Act::Order);
        state.answered(Exit::OrderDead, None, None, now);
        assert_eq!((state.retry_at.unwrap() - now).num_minutes(), 1);
    }

    #[test]
    fn an_order_placed_well_does_not_forgive_failed_validations() {
        let mut state = state();
        let now = Utc::now();
        let mut pauses = Vec::new();
        for _ in 0..4 {
            state.attempt(now, "run-1", Act::Order);
            state.answered(Exit::Done, None, None, now);
            state.attempt(now, "run-1", Act::Validate);
            // Killed, and tried again: what has no answer is no refusal.
            state.attempt(now, "run-1", Act::Validate);
            state.answered(Exit::OrderDead, None, None, now);
            pauses.push((state.retry_at.unwrap() - now).num_minutes());
        }
        assert_eq!(pauses, [1, 10, 100, 1440]);
        state.attempt(now, "run-1", Act::Validate);
        state.answered(Exit::Done, None, None, now);
        state.attempt(now, "run-1", Act::Validate);
        state.answered(Exit::OrderDead, None, None, now);
        assert_eq!((state.retry_at.unwrap() - now).num_minutes(), 1);
    }

    #[test]
    fn the_cas_own_time_wins_and_transient_failures_hold_nobody_back() {
        let mut state = state();
        let (now, then) = (Utc::now(), Utc::now() + TimeDelta::hours(3));
        state.attempt(now, "run-1", Act::Order);
        state.answered(Exit::RateLimited, None, Some(then), now);
        assert_eq!(state.retry_at, Some(then));
        for exit in
            [Exit::Transient, Exit::NotYet, Exit::LocalResource, Exit::Locked, Exit::Interrupted]
        {
            state.attempt(now, "run-1", Act::Validate);
            state.answered(exit, None, None, now);
            assert_eq!(state.retry_at, None, "{exit:?}");
        }
    }
}
