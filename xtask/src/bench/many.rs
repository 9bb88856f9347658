//! B11: twenty processes at once, one certificate each.

use super::client::{Client, Pace};
use super::ground::{Ground, rounds};
use super::issue::{CANDIDATES, LUCKY};
use super::measure::{Job, Series};
use super::outcome::{Goal, Outcome, Row};
use super::site::Site;
use anyhow::Result;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

const AT_ONCE: usize = 20;

pub(super) fn run(ground: &Ground) -> Vec<Outcome> {
    let contenders = [
        (Client::Dns01.name(), Client::Dns01, &ground.site, usize::MAX),
        (Client::Lego.name(), Client::Lego, &ground.site, usize::MAX),
        (LUCKY, Client::Lego, &ground.lucky, usize::MAX),
        (Client::Certbot.name(), Client::Certbot, &ground.site, usize::MAX),
        (Client::AcmeSh.name(), Client::AcmeSh, &ground.site, 1),
    ];
    let mut all: Vec<_> =
        contenders.iter().map(|(who, ..)| (Series::new(who), vec![], vec![])).collect();
    for round in rounds(ground.fewer()) {
        for ((_, client, site, most), (series, walls, cpu)) in contenders.iter().zip(&mut all) {
            if round >= *most {
                continue;
            }
            let first = series.samples.len();
            match prepare(ground, *client, site) {
                Ok(jobs) => {
                    let wall = at_once(&jobs, series);
                    // A figure counts when all twenty have come through.
                    if series.samples.len() - first == AT_ONCE {
                        walls.push(wall);
                        cpu.push(series.samples[first..].iter().map(|sample| sample.cpu).sum());
                    }
                }
                Err(error) => {
                    series.add(Err(error));
                }
            }
        }
    }
    let mut outcome = Outcome::new("B11", "Twenty at once", ABOUT);
    for (series, walls, cpu) in &all {
        outcome.rows.push(series.row("wall of all", "s", walls.clone()));
        outcome.rows.push(series.row("CPU of all", "s", cpu.clone()));
    }
    outcome.rows.push(survivors(&all[0].0));
    let ratio = |what: &str, theirs: &str| outcome.ratio(what, "dns01", theirs);
    outcome.goals = vec![
        Goal::at_most("time, of lego's", ratio("wall of all", "lego 5"), 0.1),
        Goal::at_most("time, of certbot's", ratio("wall of all", "certbot"), 0.1),
        Goal::at_most("CPU, of lego's", ratio("CPU of all", "lego 5"), 0.5).limited_by(CANDIDATES),
        Goal::at_least("certificates of those wanted", outcome.median("dns01", SHARE), 1.0),
    ];
    vec![outcome]
}

const SHARE: &str = "share that succeeded";
const ABOUT: &str = "Twenty processes start together on this machine's cores, each for a name of its own, with a home and a warm account of its own.";

fn survivors(series: &Series) -> Row {
    series.row(SHARE, "", series.survived().into_iter().collect())
}

/// Twenty commands, and where the figures of each go.
fn prepare(ground: &Ground, client: Client, site: &Site) -> Result<Vec<(Job, PathBuf)>> {
    let home = ground.home(client, site)?;
    let one = |_| {
        let names = [ground.fresh(&site.zone)];
        let job = ground.job(client, site, &ground.copy(&home)?, &names, Pace::Eager)?;
        Ok((job, ground.scratch()))
    };
    (0..AT_ONCE).map(one).collect()
}

/// Seconds from the start of the first to the end of the last.
fn at_once(jobs: &[(Job, PathBuf)], series: &mut Series) -> f64 {
    let start = Instant::now();
    let runs: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> =
            jobs.iter().map(|(job, file)| scope.spawn(move || job.run(file))).collect();
        started.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let wall = start.elapsed().as_secs_f64();
    for run in runs {
        series.add(run.unwrap_or_else(|_| Err(anyhow::Error::msg("its thread panicked"))));
    }
    wall
}
