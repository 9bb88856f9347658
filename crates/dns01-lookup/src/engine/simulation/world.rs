//! Name servers made from a seed: how late they are, how they waver, how far away they are, and what a CA sees of them.

use std::time::Duration;

use crate::engine::Kind;
use crate::engine::virtual_clock::{Reaction, ms};

/// What happens after the record was written at the primary, which shows it at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scene {
    /// Every server shows it already.
    Steady,
    /// One secondary shows it after 10 ms to 60 s, the others within half a second.
    Late,
    /// One secondary shows it after 3 to 5 s, the others within half a second.
    Late3,
    /// The same after 10 to 12 s.
    Late10,
    /// The same after 30 to 32 s.
    Late30,
    /// One secondary throws a coin for each answer during 6 s after it first could show it.
    Flapping6,
    /// The same for 30 s.
    Flapping30,
    /// Three servers; the third throws its coin for 6 s from the first time that it is asked, as in the bench B7.
    FlappingAtOnce,
    /// One address is served by three nodes, reached by the port a question comes from; each is late on its own.
    AnycastSplit,
}

impl Scene {
    pub(super) const ALL: [Self; 9] = [
        Self::Steady,
        Self::Late,
        Self::Late3,
        Self::Late10,
        Self::Late30,
        Self::Flapping6,
        Self::Flapping30,
        Self::FlappingAtOnce,
        Self::AnycastSplit,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Late => "late 0-60 s",
            Self::Late3 => "late 3-5 s",
            Self::Late10 => "late 10-12 s",
            Self::Late30 => "late 30-32 s",
            Self::Flapping6 => "flapping 6 s",
            Self::Flapping30 => "flapping 30 s",
            Self::FlappingAtOnce => "flapping 6 s, one of three",
            Self::AnycastSplit => "anycast split",
        }
    }

    /// For how long the coin is thrown.
    fn wavers(self) -> Duration {
        match self {
            Self::Flapping6 | Self::FlappingAtOnce => ms(6_000),
            Self::Flapping30 => ms(30_000),
            _ => Duration::ZERO,
        }
    }
}

/// Two to four servers with one or two addresses each, unless the scene says otherwise; the last target is the troubled one.
pub(super) struct World {
    scene: Scene,
    servers: Vec<usize>,
    round_trip: Vec<Duration>,
    /// From when each target shows the record, at least sometimes.
    from: Vec<Duration>,
    /// From when each node of the last target shows it.
    nodes: [Duration; 3],
    dice: Dice,
}

impl World {
    pub(super) fn new(scene: Scene, seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ scene as u64);
        let at_once = scene == Scene::FlappingAtOnce;
        let count = if at_once { 3 } else { 2 + dice.index(3) };
        let mut servers = vec![0];
        for server in 1..count {
            servers.extend(vec![server; if at_once { 1 } else { 1 + dice.index(2) }]);
        }
        // From this very machine to the same continent.
        let round_trip =
            servers.iter().map(|_| Duration::from_micros(200 + 2_500 * dice.below(13))).collect();
        let latest = match scene {
            Scene::Steady => 1,
            Scene::FlappingAtOnce => 20,
            _ => 500,
        };
        let mut from: Vec<_> = servers.iter().map(|_| ms(dice.below(latest))).collect();
        let last = dice.lateness(scene);
        from[0] = Duration::ZERO;
        from[servers.len() - 1] = last;
        let nodes = [last, last + ms(dice.below(3_000)), last + ms(dice.below(9_000))];
        Self { scene, servers, round_trip, from, nodes, dice }
    }

    pub(super) fn servers(&self) -> Vec<usize> {
        self.servers.clone()
    }

    /// From when every answer anywhere shows the record.
    pub(super) fn steady_from(&self) -> Duration {
        let last = self.from.last().copied().unwrap_or_default();
        let calm = match self.scene {
            Scene::AnycastSplit => self.nodes.into_iter().max().unwrap_or_default(),
            _ => last + self.scene.wavers(),
        };
        self.from.iter().copied().fold(calm, Duration::max)
    }

    pub(super) fn react(&mut self, target: usize, now: Duration) -> Reaction {
        let takes = self.round_trip[target];
        let shown = self.shows(target, now + takes / 2);
        Reaction { kind: if shown { Kind::Shown } else { Kind::Missing }, takes }
    }

    /// Whether one of three questions to the troubled address, or the one to any other, misses the record at `at`.
    pub(super) fn a_ca_misses(&mut self, at: Duration) -> bool {
        let last = self.servers.len() - 1;
        (0..last).any(|target| !self.shows(target, at)) || (0..3).any(|_| !self.shows(last, at))
    }

    fn shows(&mut self, target: usize, at: Duration) -> bool {
        let from = self.from[target];
        if target + 1 < self.servers.len() {
            return at >= from;
        }
        if self.scene == Scene::AnycastSplit {
            let node = self.dice.index(3);
            return at >= self.nodes[node];
        }
        at >= from + self.scene.wavers() || (at >= from && self.dice.below(2) == 0)
    }
}

/// Splitmix64: reproducible everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn index(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap()
    }

    fn lateness(&mut self, scene: Scene) -> Duration {
        match scene {
            Scene::Steady | Scene::FlappingAtOnce => Duration::ZERO,
            // Most are short, a few are long.
            Scene::Late => ms(10 + 60_000 * self.below(1_000).pow(3) / 1_000_000_000),
            Scene::Late3 => ms(3_000 + self.below(2_000)),
            Scene::Late10 => ms(10_000 + self.below(2_000)),
            Scene::Late30 => ms(30_000 + self.below(2_000)),
            Scene::Flapping6 | Scene::Flapping30 | Scene::AnycastSplit => ms(self.below(5_000)),
        }
    }
}
