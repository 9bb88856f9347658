//! Runs an engine against name servers that exist only as functions of time, on a clock that jumps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{Engine, Kind, MAX_IN_FLIGHT, Observation, Step};

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How a simulated wait ended.
#[derive(Debug, PartialEq)]
pub(super) struct End {
    pub(super) done: bool,
    pub(super) at: Duration,
    pub(super) asked: Vec<u32>,
}

/// A server's way with one question.
#[derive(Clone, Copy)]
pub(super) struct Reaction {
    pub(super) kind: Kind,
    /// From the question's being sent to the end of waiting for its answer.
    pub(super) takes: Duration,
}

/// Runs a wait to its end. `react` is given the target and the time at which it is asked.
pub(super) fn run(
    mut engine: Engine,
    mut react: impl FnMut(usize, Duration) -> Reaction,
) -> (End, Engine) {
    let mut now = Duration::ZERO;
    let mut on_the_way = BinaryHeap::new();
    let mut sent = 0_u64;
    let done = loop {
        match engine.step(now) {
            Step::Ask(due) => {
                for target in due {
                    let Reaction { kind, takes } = react(target, now);
                    sent += 1;
                    on_the_way.push(Reverse((now + takes, sent, target, now, kind as usize)));
                }
                assert!(on_the_way.len() <= MAX_IN_FLIGHT);
            }
            Step::Wait(until) => {
                let first = on_the_way.peek().map(|Reverse((at, ..))| *at);
                if first.is_some_and(|at| at <= until) {
                    let Some(Reverse((at, _, target, asked_at, kind))) = on_the_way.pop() else {
                        continue;
                    };
                    now = at;
                    let kind = KINDS[kind];
                    engine.observe(target, asked_at, now, observation(kind));
                } else {
                    assert!(until > now, "the engine has to get on at {now:?}");
                    now = until;
                }
            }
            Step::Done => break true,
            Step::Late => break false,
        }
    };
    let asked = engine.targets().iter().map(super::Target::asked).collect();
    (End { done, at: now, asked }, engine)
}

const KINDS: [Kind; 4] = [Kind::Shown, Kind::Missing, Kind::Silent, Kind::Unreachable];

fn observation(kind: Kind) -> Observation {
    let words = match kind {
        Kind::Shown => "shown",
        Kind::Missing => "missing",
        Kind::Silent => "silent",
        Kind::Unreachable => "unreachable",
    };
    Observation::new(kind, words)
}
