//! What goes wrong on a cluster, to each composite: one table.

mod canary;
mod cases;
mod seen;

use super::platform::{NAMES, Platform};
use canary::Watch;
use harness::{Cluster, NamedBuilder};
use seen::Seen;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// How many situations are played at once: they wait for pods more than they compute.
const AT_ONCE: usize = 8;

/// A composite, and where in it things happen.
struct Composite {
    template: &'static str,
    /// For names of namespaces.
    short: &'static str,
    /// The leaf template that first asks a name server, and its node.
    asks: (&'static str, &'static str),
    /// The node that writes to the zone.
    writes: &'static str,
    /// The leaf template that waits for the name servers, and its node.
    waits: (&'static str, &'static str),
    /// How many values `argo terminate` leaves in the zone: one process cleans up by itself when it is told to end.
    left_by_terminate: usize,
}

const COMPOSITES: [Composite; 2] = [
    Composite {
        template: "dns01-certificate",
        short: "dag",
        asks: ("order", "order"),
        writes: "present",
        waits: ("wait-propagation", "wait-propagation"),
        left_by_terminate: NAMES.len(),
    },
    Composite {
        template: "dns01-certificate-onepod",
        short: "onepod",
        asks: ("issue", "run"),
        writes: "run",
        waits: ("issue", "run"),
        left_by_terminate: 0,
    },
];

/// A situation: the servers it needs, and what happens.
struct Situation {
    name: &'static str,
    servers: fn(NamedBuilder) -> NamedBuilder,
    play: fn(&mut Platform, &Composite) -> Seen,
}

const SITUATIONS: [Situation; 8] = [
    Situation { name: "success", servers: one, play: cases::success },
    Situation { name: "permanent failure", servers: one, play: cases::permanent_failure },
    Situation { name: "transient, then success", servers: one, play: cases::transient },
    Situation { name: "stop", servers: held, play: cases::stop },
    Situation { name: "terminate", servers: held, play: cases::terminate },
    Situation { name: "controller killed", servers: held, play: cases::controller_killed },
    Situation { name: "pod deleted", servers: held, play: cases::pod_deleted },
    Situation { name: "two runs at once", servers: held, play: cases::two_runs },
];

fn one(named: NamedBuilder) -> NamedBuilder {
    named
}

/// A second name server that shows a change only once it is released: the wait lasts as long as we like.
fn held(named: NamedBuilder) -> NamedBuilder {
    named.secondaries(1).held()
}

/// The row, and the platform where all went as expected: its objects are searched for secrets at the end.
fn play(situation: &Situation, composite: &Composite) -> (String, Option<Platform>) {
    let start = Instant::now();
    let (name, of) = (situation.name, composite.short);
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut platform = Platform::with(of, situation.servers, |pebble| pebble);
        let seen = (situation.play)(&mut platform, composite);
        (seen.row(name, of, &platform, start.elapsed()), Some(platform))
    }));
    played.unwrap_or_else(|_| (format!("{name:<24} {of:<9} not as expected, see above"), None))
}

#[test]
#[ignore = "needs the cluster"]
fn in_eight_situations_phase_message_and_zone_are_right_and_no_secret_is_seen() {
    let watch = Watch::start(Cluster::shared());
    let plays: Vec<_> = SITUATIONS
        .iter()
        .flat_map(|situation| COMPOSITES.iter().map(move |one| (situation, one)))
        .enumerate()
        .collect();
    let (plays, played) = (Mutex::new(plays), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    // The last first: they are the longer ones.
                    let next = plays.lock().unwrap().pop();
                    let Some((number, (situation, composite))) = next else { return };
                    let one = play(situation, composite);
                    played.lock().unwrap().insert(number, one);
                }
            });
        }
    });
    let played = played.into_inner().unwrap();
    eprintln!("{}", Seen::HEAD);
    for (row, _) in played.values() {
        eprintln!("{row}");
    }
    let platforms: Vec<_> = played.values().filter_map(|(_, platform)| platform.as_ref()).collect();
    canary::assert_no_secret_is_seen(&platforms, watch);
    assert_eq!(platforms.len(), played.len(), "not all went as expected");
}
