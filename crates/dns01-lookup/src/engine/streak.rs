//! The rule of the dns01 shell toolkit: full passes in a row, for long enough, the longer the later the values came.
//!
//! A failed pass starts the row again, doubles the pause and asks only those that failed next; every fourth failed pass
//! asks for one more success. Once all have shown the values, the time they have to hold grows with the time it took.

use std::time::Duration;

use super::{Kind, Phase, Step, Target};

/// How long the values have to hold: the first of these that is more than half of the time they took.
const HOLDS: [u64; 7] = [15, 30, 60, 90, 120, 150, 180];
/// Up to this one, the pause after the first success is half of it.
const HALVED_UP_TO: Duration = Duration::from_mins(1);

/// The toolkit's settings, with its defaults.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StreakRule {
    /// `DNS01_BACKOFF`: the first pause, before it is doubled.
    pub backoff: Duration,
    /// `DNS01_BACKOFF_MIN`, `DNS01_BACKOFF_MAX`: the bounds of a pause.
    pub bounds: (Duration, Duration),
    /// `DNS01_STREAK`: what the row starts with.
    pub start: u32,
    /// `DNS01_STREAK_THRESHOLD`: how many full passes are wanted.
    pub threshold: u32,
    /// `DNS01_STREAK_PENALTY`: failed passes that count as made already.
    pub penalty: u32,
    /// `DNS01_STREAK_MOD`: one more success is wanted with every so many failed passes.
    pub modulus: u32,
}

impl Default for StreakRule {
    fn default() -> Self {
        Self {
            backoff: Duration::from_secs(1),
            bounds: (Duration::from_secs(2), Duration::from_secs(32)),
            start: 1,
            threshold: 10,
            penalty: 0,
            modulus: 4,
        }
    }
}

/// Where a row is.
#[derive(Clone, Debug)]
pub(crate) struct Streak {
    rule: StreakRule,
    pass_at: Duration,
    backoff: Duration,
    /// The targets of this pass; empty before it starts.
    asked: Vec<usize>,
    /// The targets of the next pass; empty for all.
    failed: Vec<usize>,
    length: u32,
    threshold: u32,
    penalty: u32,
    /// Since when all show the values, and for how long they have to.
    stable: Option<(Duration, Duration)>,
    stable_before: Duration,
}

impl Streak {
    pub(crate) fn new(rule: StreakRule) -> Self {
        Self {
            pass_at: rule.bounds.0,
            backoff: rule.backoff,
            asked: Vec::new(),
            failed: Vec::new(),
            length: rule.start,
            threshold: rule.threshold,
            penalty: rule.penalty,
            stable: None,
            stable_before: Duration::ZERO,
            rule,
        }
    }

    pub(super) fn step(&mut self, targets: &mut [Target], now: Duration) -> Step {
        if targets.is_empty() {
            return Step::Done;
        }
        if self.asked.is_empty() {
            if now < self.pass_at {
                return Step::Wait(self.pass_at);
            }
            let all = || (0..targets.len()).collect();
            self.asked = if self.failed.is_empty() { all() } else { self.failed.clone() };
            return Step::Ask(self.asked.clone());
        }
        if self.asked.iter().any(|index| targets[*index].in_flight() > 0) {
            return Step::Wait(Duration::MAX);
        }
        let asked = std::mem::take(&mut self.asked);
        for index in &asked {
            let shown = targets[*index].last_kind() == Some(Kind::Shown);
            targets[*index].set_phase(if shown { Phase::Seen } else { Phase::Searching });
        }
        let was_full = asked.len() == targets.len();
        self.failed =
            asked.into_iter().filter(|index| targets[*index].phase() == Phase::Searching).collect();
        if self.failed.is_empty() { self.passed(was_full, now) } else { self.missed(now) }
    }

    fn missed(&mut self, now: Duration) -> Step {
        self.length = 0;
        self.stable = None;
        if self.penalty.is_multiple_of(self.rule.modulus.max(1)) {
            self.threshold += 1;
        }
        self.penalty += 1;
        let (least, most) = self.rule.bounds;
        self.pause((self.backoff * 2).clamp(least, most), now)
    }

    fn passed(&mut self, was_full: bool, now: Duration) -> Step {
        let (least, most) = self.rule.bounds;
        let fresh = self.stable.is_none();
        let (since, hold) = *self.stable.get_or_insert_with(|| {
            let took = now.saturating_sub(self.stable_before);
            self.stable_before = now;
            let hold = HOLDS.into_iter().map(Duration::from_secs).find(|hold| took < *hold * 2);
            (now, hold.unwrap_or(Duration::from_mins(3)))
        });
        self.length += u32::from(was_full);
        let held = now.saturating_sub(since) >= hold;
        if (held && self.length >= self.threshold) || self.length >= self.threshold * 2 {
            return Step::Done;
        }
        let half = if fresh && hold <= HALVED_UP_TO { hold / 2 } else { self.backoff / 2 };
        // The toolkit counts in whole seconds.
        let whole = Duration::from_secs(half.as_secs());
        self.pause(if fresh { whole.max(least) } else { whole.clamp(least, most.max(least)) }, now)
    }

    fn pause(&mut self, backoff: Duration, now: Duration) -> Step {
        self.backoff = backoff;
        self.pass_at = now + backoff;
        Step::Wait(self.pass_at)
    }
}
