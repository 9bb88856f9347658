//! When to ask whom, and when enough has been seen: a function of observations and time, without sockets or a clock.
//!
//! A *target* is one name at one address of one server. By the stable rule it is first searched for its values, densely
//! at the beginning and every second in the end, and left alone once it has shown them. When every target has, all are
//! asked again, several times each from fresh ports; who then contradicts itself has to show the values in a long,
//! unbroken row. The two other rules are those of programs that people come from. Times are durations since the start
//! of the wait.

mod lego;
mod observation;
#[cfg(test)]
mod simulation;
mod streak;
mod target;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod virtual_clock;

use std::time::Duration;

pub(crate) use lego::Lego;
pub(crate) use observation::{Details, Kind, Observation};
pub(crate) use streak::Streak;
pub use streak::StreakRule;
pub(crate) use target::{Phase, Target};

/// More questions than this are never on their way at once.
pub(crate) const MAX_IN_FLIGHT: usize = 256;
/// And not more than this are asked within a second: 512 addresses are then confirmed in five.
pub(crate) const PER_SECOND: usize = 1_000;
/// A wait that needs more than this is not worth the trouble it makes.
pub(crate) const MAX_QUESTIONS: u32 = 500_000;
/// When one target took long to confirm, those confirmed longer ago than this are asked once more.
const FRESH: Duration = Duration::from_secs(1);
/// A server that has failed for so long may have moved.
const TROUBLE: Duration = Duration::from_secs(5);
/// What was seen everywhere right before the deadline may be confirmed for this much longer, as long as nothing speaks
/// against it: two questions, each of which may have to go over TCP in the end.
const GRACE: Duration = Duration::from_secs(6);

/// What to do now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// Ask these targets.
    Ask(Vec<usize>),
    /// Wait for an observation, but not beyond this time.
    Wait(Duration),
    /// Everything has been seen and confirmed.
    Done,
    /// The deadline has passed.
    Late,
}

/// When to ask next, and when enough has been seen.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// Ours: many sightings at once, and many more after a contradiction.
    Stable,
    /// The first sighting everywhere, as lego does it.
    Lego(Lego),
    /// A row of full passes over minutes, as the dns01 shell toolkit does it.
    Streak(Streak),
}

/// One wait.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    rule: Rule,
    targets: Vec<Target>,
    timeout: Duration,
    rechecked: bool,
    /// Since when questions are counted, and how many there were since.
    second: (Duration, usize),
}

impl Engine {
    /// A wait for targets at these servers: equal numbers are addresses (or names) of the same server.
    pub(crate) fn new(
        rule: Rule,
        servers: impl IntoIterator<Item = usize>,
        timeout: Duration,
    ) -> Self {
        let targets = servers.into_iter().map(Target::new).collect();
        Self { rule, targets, timeout, rechecked: false, second: (Duration::ZERO, 0) }
    }

    /// These targets are IPv6 addresses, which may not be reachable from here without the system's knowing it.
    pub(crate) fn with_v6(mut self, are_v6: impl IntoIterator<Item = bool>) -> Self {
        let targets = self.targets.iter_mut().zip(are_v6);
        targets.filter(|(_, is_v6)| *is_v6).for_each(|(target, _)| target.set_v6());
        self
    }

    /// What has been seen of each target, in the order given.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// What the question that `target` was asked at `asked_at` brought at `now`.
    pub(crate) fn observe(
        &mut self,
        target: usize,
        asked_at: Duration,
        now: Duration,
        seen: Observation,
    ) {
        let searching = self.targets.iter().filter(|it| it.phase() == Phase::Searching).count();
        let Some(target) = self.targets.get_mut(target) else { return };
        if !matches!(seen.kind, Kind::Shown) {
            self.rechecked = false;
        }
        match self.rule {
            Rule::Stable => target.observe(asked_at, now, seen, searching),
            Rule::Lego(_) | Rule::Streak(_) => target.record(now, seen),
        }
    }

    /// What to do at `now`. After [`Step::Ask`] the targets count as asked.
    pub(crate) fn step(&mut self, now: Duration) -> Step {
        let step = match &mut self.rule {
            Rule::Stable => return self.stable_step(now),
            Rule::Lego(rule) => rule.step(&mut self.targets, now),
            Rule::Streak(rule) => rule.step(&mut self.targets, now),
        };
        match step {
            Step::Ask(_) | Step::Wait(_) if now >= self.timeout => Step::Late,
            Step::Wait(until) => Step::Wait(until.min(self.timeout)),
            Step::Ask(due) => {
                for target in &due {
                    self.ask(*target, now);
                }
                Step::Ask(due)
            }
            ended => ended,
        }
    }

    fn stable_step(&mut self, now: Duration) -> Step {
        let excused = self.excused();
        let open = |targets: &[Target], test: &dyn Fn(&Target) -> bool| {
            targets.iter().zip(&excused).all(|(target, excused)| *excused || test(target))
        };
        if open(&self.targets, &|target| target.phase() == Phase::Confirmed)
            && !self.recheck(now, &excused)
        {
            return Step::Done;
        }
        let steady = open(&self.targets, &Target::agrees);
        let deadline = if steady { self.timeout.saturating_add(GRACE) } else { self.timeout };
        let asked: u32 = self.targets.iter().map(Target::asked).sum();
        if now >= deadline || asked >= MAX_QUESTIONS {
            return Step::Late;
        }
        if open(&self.targets, &|target| target.phase() >= Phase::Seen) {
            self.targets.iter_mut().for_each(|target| target.start_confirming(now));
        }
        let mut due = self.due(now, &excused);
        if now >= self.second.0 + Duration::from_secs(1) {
            self.second = (now, 0);
        }
        let allowed = PER_SECOND.saturating_sub(self.second.1);
        if allowed == 0 && !due.is_empty() {
            return Step::Wait((self.second.0 + Duration::from_secs(1)).min(deadline));
        }
        due.truncate(allowed);
        self.second.1 += due.len();
        if due.is_empty() {
            let next = self.targets.iter().zip(&excused).filter(|(_, excused)| !**excused);
            let next =
                next.filter_map(|(target, _)| target.next_question()).filter(|at| *at > now).min();
            return Step::Wait(next.map_or(deadline, |at| at.min(deadline)));
        }
        for target in &due {
            self.ask(*target, now);
        }
        Step::Ask(due)
    }

    /// `target` is being asked at `now`, whether it was due or not.
    pub(crate) fn ask(&mut self, target: usize, now: Duration) {
        if let Some(target) = self.targets.get_mut(target) {
            target.ask(now);
        }
    }

    /// Targets that cannot be reached from here while their server answers at another address. What merely gets lost on
    /// the way to an IPv6 address is such a case as long as no IPv6 address at all has answered.
    pub(crate) fn excused(&self) -> Vec<bool> {
        if !self.targets.iter().any(Target::is_lost) {
            return vec![false; self.targets.len()];
        }
        let answers = |server| self.targets.iter().any(|it| it.server() == server && it.answers());
        let has_v6 = self.targets.iter().any(|it| it.is_v6() && it.answers());
        let lost =
            |it: &Target| it.is_lost() && (it.last_kind() == Some(Kind::Unreachable) || !has_v6);
        self.targets.iter().map(|it| lost(it) && answers(it.server())).collect()
    }

    /// Whether some target has failed to answer properly for a while: its address may not be right any more.
    pub(crate) fn in_trouble(&self, now: Duration) -> bool {
        let troubled = |target: &Target| {
            let last = target.last().filter(|(seen, _)| seen.is_trouble());
            last.is_some_and(|(_, since)| now.saturating_sub(since) >= TROUBLE)
        };
        self.targets.iter().any(troubled)
            && self.targets.iter().zip(self.excused()).any(|(it, excused)| !excused && troubled(it))
    }

    /// Keeps what one more look at `target` brought, once the wait is over.
    pub(crate) fn record(&mut self, target: usize, now: Duration, seen: Observation) {
        if let Some(target) = self.targets.get_mut(target) {
            target.record(now, seen);
        }
    }

    /// The targets that were seen and left alone since.
    pub(crate) fn stale(&self, now: Duration) -> Vec<usize> {
        let stale = |it: &Target| {
            it.agrees() && it.last_hit().is_none_or(|at| now.saturating_sub(at) > FRESH)
        };
        let all = self.targets.iter().enumerate();
        all.filter(|(_, target)| stale(target)).map(|(index, _)| index).collect()
    }

    /// The targets whose last question nobody answered.
    pub(crate) fn silent(&self) -> Vec<usize> {
        let all = self.targets.iter().enumerate();
        all.filter(|(_, it)| it.last_kind() == Some(Kind::Silent)).map(|(index, _)| index).collect()
    }

    /// Asks those once more whose confirmation is no longer fresh; not twice in a row, or slow servers would never end.
    fn recheck(&mut self, now: Duration, excused: &[bool]) -> bool {
        let stale =
            |target: &Target| target.last_hit().is_none_or(|at| now.saturating_sub(at) > FRESH);
        let mut any = false;
        if !self.rechecked {
            for (target, _) in
                self.targets.iter_mut().zip(excused).filter(|(_, excused)| !**excused)
            {
                if stale(target) {
                    target.ask_once_more(now);
                    any = true;
                }
            }
        }
        self.rechecked |= any;
        any
    }

    fn due(&self, now: Duration, excused: &[bool]) -> Vec<usize> {
        let in_flight: usize = self.targets.iter().map(Target::in_flight).sum();
        let mut due: Vec<_> = self
            .targets
            .iter()
            .enumerate()
            .filter(|(index, _)| !excused[*index])
            .filter_map(|(index, target)| {
                Some((target.next_question().filter(|at| *at <= now)?, index))
            })
            .flat_map(|(at, index)| vec![(at, index); self.targets[index].questions_at_once()])
            .collect();
        due.sort_unstable();
        due.truncate(MAX_IN_FLIGHT.saturating_sub(in_flight));
        due.into_iter().map(|(_, index)| index).collect()
    }
}
