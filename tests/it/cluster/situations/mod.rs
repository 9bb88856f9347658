//! What goes wrong on a cluster, to each composite: one table.

mod canary;
mod cases;
mod seen;

use super::certbot::provide_image;
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
    /// How many values it publishes.
    values: usize,
    /// Whether every try has values of its own: certbot makes an order of its own each time.
    anew: bool,
    /// How many of them a stopped run leaves in the zone: without a journal nobody knows when to remove them.
    left_by_stop: usize,
    /// How many `argo terminate` leaves: one process cleans up by itself when it is told to end.
    left_by_terminate: usize,
    /// How many orders a run that was shut down and the next one may make: a certbot that is killed leaves one behind.
    orders: usize,
}

/// What answers the challenges of another client: it issues nothing.
const CHALLENGE_ONLY: &str = "dns01-challenge-only";

/// The first two are played in every run, all in `make soak`.
const COMPOSITES: [Composite; 4] = [
    Composite {
        template: "dns01-certificate",
        short: "dag",
        asks: ("order", "order"),
        writes: "present",
        waits: ("wait-propagation", "wait-propagation"),
        values: NAMES.len(),
        anew: false,
        left_by_stop: 0,
        left_by_terminate: NAMES.len(),
        orders: 1,
    },
    Composite {
        template: "dns01-certificate-onepod",
        short: "onepod",
        asks: ("issue", "run"),
        writes: "run",
        waits: ("issue", "run"),
        values: NAMES.len(),
        anew: false,
        left_by_stop: 0,
        left_by_terminate: 0,
        orders: 1,
    },
    Composite {
        template: "dns01-certificate-certbot",
        short: "certbot",
        asks: ("certbot-issue", "issue"),
        writes: "issue",
        waits: ("certbot-issue", "issue"),
        values: NAMES.len(),
        anew: true,
        left_by_stop: 0,
        left_by_terminate: NAMES.len(),
        orders: 2,
    },
    Composite {
        template: CHALLENGE_ONLY,
        short: "challenge",
        asks: ("present", "present"),
        writes: "present",
        waits: ("wait-propagation", "wait-propagation"),
        values: 1,
        anew: false,
        left_by_stop: 1,
        left_by_terminate: 1,
        orders: 0,
    },
];

impl Composite {
    fn issues(&self) -> bool {
        self.template != CHALLENGE_ONLY
    }
}

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
        (seen.row(name, composite, &platform, start.elapsed()), Some(platform))
    }));
    played.unwrap_or_else(|_| (format!("{name:<24} {of:<9} not as expected, see above"), None))
}

#[test]
#[ignore = "needs the cluster"]
fn in_eight_situations_phase_message_and_zone_are_right_and_no_secret_is_seen() {
    let watch = Watch::start(Cluster::shared());
    let composites = if std::env::var_os("DNS01_SOAK").is_some() {
        provide_image(Cluster::shared());
        &COMPOSITES[..]
    } else {
        &COMPOSITES[..2]
    };
    let plays: Vec<_> = SITUATIONS
        .iter()
        .flat_map(|situation| composites.iter().map(move |one| (situation, one)))
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
