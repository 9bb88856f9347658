//! B5: a CA whose validation takes a second.

use super::client::Client;
use super::ground::{Ground, rounds};
use super::measure::Series;
use super::outcome::{Goal, Outcome};
use super::site::Site;
use anyhow::Context as _;
use harness::{FakeDns, NameServer as _, Pebble, faults};
use std::time::{Duration, Instant};

const TAKES: Duration = Duration::from_secs(1);

pub(super) fn run(ground: &Ground) -> Vec<Outcome> {
    let view =
        FakeDns::start_at(ground.lab.address(), ground.named.address(), faults::delay(TAKES));
    let pebble = Pebble::builder(&ground.lab, view.address()).start();
    let slow = ground.site.at(pebble.directory());
    let clients = [Client::Floor, Client::Dns01, Client::Lego, Client::Certbot];
    let mut all: Vec<_> = clients.iter().map(|client| Series::new(client.name())).collect();
    for _ in rounds(ground.fewer()) {
        for (client, series) in clients.iter().zip(&mut all) {
            one(ground, &slow, *client, &view, series);
        }
    }
    let mut outcome = Outcome::new("B5", "A CA that takes a second to validate", ABOUT);
    outcome.rows = all.iter().flat_map(Series::rows).collect();
    outcome.rows.retain(|row| ["wall", OVERSHOOT].contains(&&*row.what));
    outcome
        .rows
        .iter_mut()
        .filter(|row| row.what == OVERSHOOT)
        .for_each(|row| "s".clone_into(&mut row.unit));
    let most = outcome.median("dns01", OVERSHOOT);
    outcome.goals = vec![Goal::at_most("overshoot, s", most, 0.15)];
    vec![outcome]
}

fn one(ground: &Ground, slow: &Site, client: Client, view: &FakeDns, series: &mut Series) {
    let name = ground.fresh(&slow.zone);
    let run = ground.issue(client, slow, std::slice::from_ref(&name));
    let end = Instant::now();
    if series.add(run) {
        let owner = format!("_acme-challenge.{name}");
        // The CA knows when the last of its questions is answered.
        let last = view
            .asked()
            .into_iter()
            .filter(|asked| asked.name == owner)
            .map(|asked| asked.at)
            .max();
        if let Ok(validated) = last.context("the CA never asked").map(|last| last + TAKES) {
            series.count(OVERSHOOT, end.saturating_duration_since(validated).as_secs_f64());
        }
    }
}

const OVERSHOOT: &str = "overshoot";
const ABOUT: &str = "Each of the CA's questions is answered after 1 s. Overshoot is the time from then to the end of the command: it holds the \
    client's pause between looks, the finalization, the download, and the removal of the record.";
