//! One name at one address: what it has shown so far, and when to ask it next.

use std::time::Duration;

use super::{Kind, Observation};

/// Between two looks while searching: an eighth of the time that has passed, from dense to brisk; a wait of more than
/// half a minute slows down to sparse. The simulation holds these against the overshoot they are for.
const DENSE: Duration = Duration::from_millis(50);
const BRISK: Duration = Duration::from_millis(200);
const SPARSE: Duration = Duration::from_secs(1);
const SLOWING: u32 = 128;
/// All searched targets together are asked at most every millisecond.
const SHARE: Duration = Duration::from_millis(1);
/// A target that showed the values when it was first asked confirms in so many sightings, asked for in pairs: the next
/// pair follows the answers to the last one, and doesn't wait longer for them than this.
const CONFIRM: u32 = 8;
const PAIR: usize = 2;
const PAIR_INTERVAL: Duration = Duration::from_millis(10);
/// One that was seen without them has changed under our eyes, and may be one of several nodes: it confirms in so many.
const CONFIRM_LATE: u32 = 12;
/// A target that went back has to show the values so often in a row, one question after the other.
const STREAK: u32 = 20;
const STREAK_INTERVAL: Duration = Duration::from_millis(100);
/// So many questions in a row that nobody answers at an IPv6 address are no accident.
const LOST: u32 = 2;
/// While it stays away, it is asked ever more rarely, down to this.
const AWAY: Duration = Duration::from_millis(500);

/// How far a target has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    /// It has not shown all values yet.
    Searching,
    /// It has, once.
    Seen,
    /// It is being asked again.
    Confirming,
    /// It has shown them often enough.
    Confirmed,
}

/// One name at one address.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    server: usize,
    is_v6: bool,
    /// How many questions in a row brought no answer.
    silences: u32,
    phase: Phase,
    in_flight: usize,
    next_at: Duration,
    /// Sightings in a row, and since when they count: those asked for before a contradiction don't.
    streak: u32,
    counts_from: Duration,
    /// It has answered without the values.
    late: bool,
    unstable: bool,
    first_seen: Option<Duration>,
    last_hit: Option<Duration>,
    last_miss: Option<Duration>,
    last: Option<Observation>,
    last_since: Duration,
    flips: u32,
    asked: u32,
}

impl Target {
    pub(super) fn new(server: usize) -> Self {
        Self {
            server,
            is_v6: false,
            silences: 0,
            phase: Phase::Searching,
            in_flight: 0,
            next_at: Duration::ZERO,
            streak: 0,
            counts_from: Duration::ZERO,
            late: false,
            unstable: false,
            first_seen: None,
            last_hit: None,
            last_miss: None,
            last: None,
            last_since: Duration::ZERO,
            flips: 0,
            asked: 0,
        }
    }

    pub(super) fn server(&self) -> usize {
        self.server
    }

    pub(super) fn set_v6(&mut self) {
        self.is_v6 = true;
    }

    /// Whether the last question was answered, with whatever.
    pub(crate) fn answers(&self) -> bool {
        matches!(self.last_kind(), Some(Kind::Shown | Kind::Missing))
    }

    /// Whether it is an IPv6 address.
    pub(super) fn is_v6(&self) -> bool {
        self.is_v6
    }

    /// Whether there seems to be no way to it: the system says so, or two questions in a row got lost, TCP included.
    pub(super) fn is_lost(&self) -> bool {
        match self.last_kind() {
            Some(Kind::Unreachable) => true,
            Some(Kind::Silent) => self.is_v6 && self.silences >= LOST && self.first_seen.is_none(),
            _ => false,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether it has gone back and not shown the values for long enough since.
    pub(crate) fn wavers(&self) -> bool {
        self.unstable && self.phase < Phase::Confirmed
    }

    /// Whether it has shown the values, and nothing else since; or for long enough after that.
    pub(crate) fn agrees(&self) -> bool {
        self.phase >= Phase::Seen && !self.wavers() && self.last_kind() == Some(Kind::Shown)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) fn first_seen(&self) -> Option<Duration> {
        self.first_seen
    }

    pub(super) fn last_hit(&self) -> Option<Duration> {
        self.last_hit
    }

    /// When it last failed to show the values.
    pub(crate) fn last_miss(&self) -> Option<Duration> {
        self.last_miss
    }

    /// The last answer, and since when it has been that.
    pub(crate) fn last(&self) -> Option<(&Observation, Duration)> {
        self.last.as_ref().map(|seen| (seen, self.last_since))
    }

    pub(crate) fn last_kind(&self) -> Option<Kind> {
        self.last.as_ref().map(|seen| seen.kind)
    }

    pub(crate) fn flips(&self) -> u32 {
        self.flips
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked
    }

    /// When the next question is due; `None` while it depends on the answer to an earlier one.
    pub(super) fn next_question(&self) -> Option<Duration> {
        (self.questions_at_once() > 0).then_some(self.next_at)
    }

    pub(super) fn questions_at_once(&self) -> usize {
        match self.phase {
            Phase::Searching => 1_usize.saturating_sub(self.in_flight),
            Phase::Confirming if self.unstable => 1_usize.saturating_sub(self.in_flight),
            Phase::Confirming => {
                let wanted = self.needed().saturating_sub(self.streak) as usize;
                wanted.saturating_sub(self.in_flight).min(PAIR)
            }
            Phase::Seen | Phase::Confirmed => 0,
        }
    }

    pub(super) fn ask(&mut self, now: Duration) {
        self.in_flight += 1;
        self.asked += 1;
        let interval = if self.unstable { STREAK_INTERVAL } else { PAIR_INTERVAL };
        if self.phase == Phase::Confirming {
            self.next_at = now + interval;
        }
    }

    pub(super) fn start_confirming(&mut self, now: Duration) {
        if self.phase == Phase::Seen {
            self.phase = Phase::Confirming;
            self.counts_from = now;
            self.next_at = now;
        }
    }

    pub(super) fn ask_once_more(&mut self, now: Duration) {
        self.phase = Phase::Confirming;
        self.streak = self.needed() - 1;
        self.next_at = now;
    }

    fn needed(&self) -> u32 {
        match (self.unstable, self.late) {
            (true, _) => STREAK,
            (false, true) => CONFIRM_LATE,
            (false, false) => CONFIRM,
        }
    }

    pub(super) fn observe(
        &mut self,
        asked_at: Duration,
        now: Duration,
        seen: Observation,
        searching: usize,
    ) {
        match (self.phase, seen.kind) {
            (Phase::Searching, Kind::Shown) => self.phase = Phase::Seen,
            (Phase::Searching, _) => {
                let share = SHARE * u32::try_from(searching).unwrap_or(u32::MAX);
                self.next_at = now.max(asked_at + pace(now).max(share));
                self.late |= seen.kind == Kind::Missing;
            }
            (_, Kind::Shown) if asked_at >= self.counts_from => {
                self.streak += 1;
                if self.streak >= self.needed() {
                    self.phase = Phase::Confirmed;
                } else if !self.unstable && self.in_flight <= 1 {
                    // Its ports are what makes these questions independent, not the time between them.
                    self.next_at = now;
                }
            }
            (_, Kind::Shown) => (),
            (_, kind) => self.begin_again(now, kind),
        }
        self.record(now, seen);
    }

    /// Keeps what a question brought, without drawing a conclusion.
    pub(super) fn record(&mut self, now: Duration, seen: Observation) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.silences = if seen.kind == Kind::Silent { self.silences + 1 } else { 0 };
        if seen.kind == Kind::Shown {
            self.first_seen.get_or_insert(now);
            self.last_hit = Some(now);
        } else {
            self.last_miss = Some(now);
            self.flips +=
                u32::from(seen.kind == Kind::Missing && self.last_kind() == Some(Kind::Shown));
        }
        if self.last.as_ref().is_some_and(|last| last.words != seen.words) {
            self.last_since = now;
        }
        self.last = Some(seen);
    }

    /// For rules that count in their own way: how far it has come.
    pub(super) fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// A contradiction, or silence, after a sighting. Silence alone doesn't make a server unstable: packets get lost.
    fn begin_again(&mut self, now: Duration, kind: Kind) {
        self.phase = Phase::Confirming;
        self.unstable |= kind == Kind::Missing;
        self.streak = 0;
        self.counts_from = now;
        let away = now.saturating_sub(self.last_hit.unwrap_or_default());
        self.next_at = now + (away / 8).clamp(STREAK_INTERVAL, AWAY);
    }
}

/// Between two looks while searching, `waited` after the start.
fn pace(waited: Duration) -> Duration {
    (waited / 8).clamp(DENSE, BRISK).max(waited / SLOWING).min(SPARSE)
}
