//! lego's rule: a round every two seconds, in which one target after the other is asked; the first round in which each
//! shows the values ends the wait, whatever they show a moment later.
//! Source: `challenge/dns01` of lego 5, where `wait.For` sleeps one interval before and between the rounds.

use std::time::Duration;

use super::{Kind, Phase, Step, Target};

/// lego's `DefaultPollingInterval`.
const INTERVAL: Duration = Duration::from_secs(2);

/// Where a round is.
#[derive(Clone, Debug)]
pub(crate) struct Lego {
    round_at: Duration,
    next: usize,
    waits: bool,
}

impl Lego {
    pub(crate) fn new() -> Self {
        Self { round_at: INTERVAL, next: 0, waits: false }
    }

    pub(super) fn step(&mut self, targets: &mut [Target], now: Duration) -> Step {
        if let Some(asked) = targets.get_mut(self.next).filter(|_| self.waits) {
            if asked.in_flight() > 0 {
                return Step::Wait(Duration::MAX);
            }
            self.waits = false;
            if asked.last_kind() == Some(Kind::Shown) {
                asked.set_phase(Phase::Confirmed);
                self.next += 1;
            } else {
                for target in targets.iter_mut() {
                    // Asked again in the next round, and told as what it showed.
                    let shown = target.last_kind() == Some(Kind::Shown);
                    target.set_phase(if shown { Phase::Seen } else { Phase::Searching });
                }
                self.next = 0;
                self.round_at = now + INTERVAL;
            }
        }
        if self.next >= targets.len() {
            return Step::Done;
        }
        if now < self.round_at {
            return Step::Wait(self.round_at);
        }
        self.waits = true;
        Step::Ask(vec![self.next])
    }
}
