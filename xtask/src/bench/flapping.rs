//! B7: a name server, and the CA's view with it, that shows the record and then loses it again.

use super::client::{Client, Pace};
use super::ground::{Ground, rounds};
use super::measure::{Job, Series};
use super::outcome::{Goal, Outcome, Row};
use super::site::Site;
use anyhow::Result;
use harness::{FakeDns, Lab, NameServer as _, Named, Pebble, Zone, faults};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Orders of one client at once.
const WAVE: usize = 16;
/// For so long after the first sight each answer is as likely to lack the record as to show it.
const WAVERS: Duration = Duration::from_secs(6);

/// A client and a CA for it alone, whose orders are its orders.
struct Contender {
    client: Client,
    pebble: Pebble,
    site: Site,
    series: Series,
}

pub(super) fn run(ground: &Ground) -> Result<Vec<Outcome>> {
    let lab = Lab::new();
    let third = lab.address();
    let zone = Zone::new("flapping.test");
    let named = Named::builder(&lab).zone(zone).secondaries(1).also_served_at(third).start();
    let wavering = faults::flapping(50, WAVERS, 1);
    let _third = FakeDns::start_at(third, named.address(), Arc::clone(&wavering));
    let view = FakeDns::start_at(lab.address(), named.address(), wavering);
    let servers = [vec![named.address()], named.secondary_addresses(), vec![third]].concat();
    let contender = |client: Client| -> Result<Contender> {
        let pebble = Pebble::builder(&lab, view.address()).start();
        let site = Site::new(&lab, &named, &servers, &pebble)?;
        Ok(Contender { client, pebble, site, series: Series::new(client.name()) })
    };
    let mut all = vec![contender(Client::Dns01)?, contender(Client::Lego)?];
    for _ in rounds(ground.fewer().div_ceil(2)) {
        let mut started = Vec::new();
        for own in &mut all {
            match prepare(ground, own) {
                Ok(jobs) => started.push((own, jobs)),
                Err(error) => {
                    own.series.add(Err(error));
                }
            }
        }
        thread::scope(|scope| {
            for (own, jobs) in started {
                scope.spawn(move || wave(own, &jobs));
            }
        });
    }
    Ok(vec![told(&all)])
}

fn prepare(ground: &Ground, own: &Contender) -> Result<Vec<(Job, PathBuf)>> {
    let one = |_| {
        let (home, names) = (ground.empty_home(own.client)?, [ground.fresh(&own.site.zone)]);
        let job = ground.job(own.client, &own.site, &home, &names, Pace::Default)?;
        Ok((job, ground.scratch()))
    };
    (0..WAVE).map(one).collect()
}

fn wave(own: &mut Contender, jobs: &[(Job, PathBuf)]) {
    let runs: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> =
            jobs.iter().map(|(job, file)| scope.spawn(move || job.run(file))).collect();
        started.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for run in runs {
        own.series.add(run.unwrap_or_else(|_| Err(anyhow::Error::msg("its thread panicked"))));
    }
}

fn told(all: &[Contender]) -> Outcome {
    let mut outcome = Outcome::new("B7", "A name server that wavers", ABOUT);
    for own in all {
        let (orders, issued, lost) =
            (own.pebble.orders(), own.pebble.issued(), own.pebble.invalid());
        let share = |part: usize| {
            #[expect(clippy::cast_precision_loss, reason = "counts of a few dozen orders")]
            (orders > 0).then(|| part as f64 / orders as f64)
        };
        let row = |what: &str, value: Option<f64>| -> Row {
            let mut row = own.series.row(what, "", value.into_iter().collect());
            row.note = format!("{orders} orders");
            row
        };
        outcome.rows.push(row(SURVIVED, share(issued)));
        outcome.rows.push(row(FALSE, share(lost)));
        outcome.rows.push(own.series.row(
            "share of commands that got one",
            "",
            own.series.survived().into_iter().collect(),
        ));
        let walls = own.series.samples.iter().map(|sample| sample.wall).collect();
        let mut row = own.series.row("wall of those", "s", walls);
        row.note.clear();
        outcome.rows.push(row);
    }
    let (survived, wrong) = (outcome.median("dns01", SURVIVED), outcome.median("dns01", FALSE));
    outcome.goals = vec![
        Goal::at_least("orders that survive", survived, 0.95),
        Goal::at_most("authorizations lost because \"ready\" was false", wrong, 0.01)
            .limited_by(FEW),
    ];
    outcome
}

const SURVIVED: &str = "share of orders that survived";
const FALSE: &str = "share that was ready too early";
const FEW: &str = "one of the orders of this run is more than 1 %";
const ABOUT: &str = "Three name servers; for 6 s after the first sight of a record each answer of the third, and each answer that the CA gets, lacks \
    it with a chance of one half: an anycast cloud of which half is stale. Both clients with their defaults and at the same time, sixteen orders of each at once.";
