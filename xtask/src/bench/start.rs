//! B8 and B9: what it takes to start, and to ask the CA whether a certificate is due.

use super::client::{Client, Pace};
use super::ground::Ground;
use super::measure::{Job, Series};
use super::outcome::{Goal, Outcome, Row};
use anyhow::{Context as _, Result};
use std::ffi::OsString;
use std::path::Path;

/// `--version` is cheap.
const TIMES: usize = 4;

/// B8.
pub(super) fn version(ground: &Ground) -> Vec<Outcome> {
    let clients = [Client::Dns01, Client::Lego, Client::OldLego, Client::Certbot, Client::AcmeSh];
    let mut all: Vec<_> = clients.iter().map(|client| Series::new(client.name())).collect();
    let home = ground.lab.folder("home");
    for round in 0..ground.runs() * TIMES {
        for (client, series) in clients.iter().zip(&mut all) {
            if round % TIMES > 0 && matches!(client, Client::Certbot | Client::AcmeSh) {
                continue;
            }
            series.add(ground.program(*client).and_then(|program| {
                let words = vec![program.into_os_string(), "--version".into()];
                Job { words, env: vec![], home: home.clone() }.run(&ground.scratch())
            }));
        }
    }
    let mut outcome = Outcome::new("B8", "Starting", ABOUT_VERSION);
    outcome.rows = all.iter().flat_map(Series::rows).filter(|row| row.what != "CPU").collect();
    for client in [Client::Dns01, Client::Lego, Client::OldLego] {
        outcome.rows.extend(ground.program(client).ok().and_then(|program| size(client, &program)));
    }
    let wall = |theirs: &str| outcome.ratio("wall", "dns01", theirs);
    outcome.goals = vec![
        Goal::at_most("time, of lego's", wall("lego 5"), 0.1).limited_by(ANY_PROCESS),
        Goal::at_most("time, of certbot's", wall("certbot"), 0.005).limited_by(ANY_PROCESS),
    ];
    vec![outcome]
}

const ANY_PROCESS: &str =
    "nearly all of it is what starting any process takes, even one that does nothing";
const TLS: &str = "the start and the TLS handshake, which curl pays for too";
const ABOUT_VERSION: &str =
    "`--version`, which every task of a workflow pays for before it does anything.";

fn size(client: Client, program: &Path) -> Option<Row> {
    #[expect(clippy::cast_precision_loss, reason = "a few dozen megabytes")]
    let octets = std::fs::metadata(program).ok()?.len() as f64;
    let mut row = Series::new(client.name()).row("program", "MB", vec![octets / 1e6]);
    "its file".clone_into(&mut row.note);
    Some(row)
}

/// B9.
pub(super) fn due(ground: &Ground) -> Vec<Outcome> {
    let site = &ground.site;
    let name = ground.fresh(&site.zone);
    let mut all: Vec<_> = [Client::Dns01.name(), Client::Lego.name(), CURL].map(Series::new).into();
    let mut jobs: Vec<Result<Job>> = Vec::new();
    for client in [Client::Dns01, Client::Lego] {
        jobs.push(ground.home(client, site).and_then(|home| {
            let job = ground.job(client, site, &home, std::slice::from_ref(&name), Pace::Eager)?;
            job.run(&ground.scratch()).context("its first certificate")?;
            // The same command again finds nothing to do, after it has asked the CA.
            Ok(job)
        }));
    }
    let curl = ["curl", "-s", "-o", "/dev/null", "-o", "/dev/null", "--cacert", &site.ca_file()];
    let curl: Vec<OsString> = curl.iter().map(|word| OsString::from(*word)).collect();
    let urls = vec![OsString::from(&site.directory); 2];
    jobs.push(Ok(Job {
        words: [curl, urls].concat(),
        env: vec![],
        home: ground.lab.folder("home"),
    }));
    for _ in 0..ground.runs() {
        for (job, series) in jobs.iter().zip(&mut all) {
            let before = ground.pebble.requests();
            let run = match job {
                Ok(job) => job.run(&ground.scratch()),
                Err(error) => Err(anyhow::Error::msg(format!("{error:#}"))),
            };
            if series.add(run) {
                #[expect(clippy::cast_precision_loss, reason = "a few requests")]
                series.count("HTTP requests", (ground.pebble.requests() - before) as f64);
            }
        }
    }
    let mut outcome = Outcome::new("B9", "Asking the CA whether a certificate is due", ABOUT_DUE);
    outcome.rows = all.iter().flat_map(Series::rows).collect();
    let ratio = |what: &str, theirs: &str| outcome.ratio(what, "dns01", theirs);
    outcome.goals = vec![
        Goal::at_most("CPU, of lego's", ratio("CPU", "lego 5"), 0.3).limited_by(TLS),
        Goal::at_most("memory, of lego's", ratio("memory", "lego 5"), 0.3),
        Goal::at_most("time, of two requests by curl", ratio("wall", CURL), 0.4).limited_by(TLS),
    ];
    vec![outcome]
}

const CURL: &str = "curl, 2 requests";
const ABOUT_DUE: &str = "The same command again, right after the certificate was issued: the client reads the directory and the renewal \
    information over TLS, finds that nothing is due, and ends. This is what a timer does most days. curl, which only fetches the directory twice, shows what TLS costs.";
