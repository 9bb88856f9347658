//! B1, B2, B3 and B10: getting a certificate for one name, for a name with its wildcard, and for twenty names.

use super::client::Client;
use super::ground::{Ground, rounds};
use super::measure::Series;
use super::outcome::{Goal, Outcome};
use super::stats;

/// Where lego has luck each time.
pub(super) const LUCKY: &str = "lego 5, lucky";

/// Runs every contender in turn, and lego also at the CA where it is lucky.
fn compare(
    ground: &Ground,
    runs: usize,
    slow: usize,
    name: impl Fn(&str) -> Vec<String>,
) -> Vec<Series> {
    let real = [
        Client::Floor,
        Client::Dns01,
        Client::Lego,
        Client::OldLego,
        Client::Certbot,
        Client::AcmeSh,
    ];
    let mut all: Vec<_> = real.iter().map(|client| Series::new(client.name())).collect();
    let mut lucky = Series::new(LUCKY);
    for round in rounds(runs) {
        for (client, series) in real.iter().zip(&mut all) {
            let limit = if is_slow(*client, slow) { slow.min(runs) } else { runs };
            // Of two that are both that slow, one will do.
            let spared = slow == 1 && *client == Client::OldLego;
            if round < limit && !spared {
                ground.count(*client, &name(&ground.fresh(&ground.site.zone)), series);
            }
        }
        lucky.add(ground.issue(
            Client::Lego,
            &ground.lucky,
            &name(&ground.fresh(&ground.site.zone)),
        ));
    }
    all.insert(3, lucky);
    all
}

/// Where the slow ones run twice at most, many names make lego one of them.
fn is_slow(client: Client, slow: usize) -> bool {
    client.is_slow() || (slow == 1 && client == Client::Lego)
}

fn filled(mut outcome: Outcome, all: &[Series]) -> Outcome {
    outcome.rows = all.iter().filter(|series| series.ran()).flat_map(Series::rows).collect();
    outcome
}

/// B1 and B10.
pub(super) fn one(ground: &Ground) -> Vec<Outcome> {
    let all = compare(ground, ground.runs(), 3, |name| vec![name.to_owned()]);
    let mut issue = filled(Outcome::new("B1", "One certificate", ABOUT_ONE), &all);
    let wall = |theirs: &str| issue.ratio("wall", "dns01", theirs);
    issue.goals = vec![
        Goal::at_most("time, of lego's", wall("lego 5"), 0.02).limited_by(LEGO_WAITS),
        Goal::at_most("time, of lego's where it is lucky", wall(LUCKY), 0.6).limited_by(LOOKS),
        Goal::at_most("time, of certbot's", wall("certbot"), 0.05).limited_by(LOOKS),
        Goal::at_most("time, of the floor", wall("floor"), 1.5).limited_by(LOOKS),
    ];
    let mut cost = Outcome::new("B10", "What one certificate costs the machine", ABOUT_COST);
    cost.rows =
        issue.rows.iter().filter(|row| ["CPU", "memory"].contains(&&*row.what)).cloned().collect();
    issue.rows.retain(|row| !["CPU", "memory"].contains(&&*row.what));
    cost.goals = vec![
        Goal::at_most("CPU, of lego's", cost.ratio("CPU", "dns01", "lego 5"), 0.3)
            .limited_by(CANDIDATES),
        Goal::at_most("memory, of lego's", cost.ratio("memory", "dns01", "lego 5"), 0.3),
    ];
    vec![issue, cost]
}

const ABOUT_ONE: &str = "One new name; the account exists already. The CA validates by asking the primary, and every client that can look waits until \
    both name servers show the record. All knobs are set as favourably as they go: lego polls without a pause, certbot and acme.sh wait 0 s. Having asked \
    for validation, lego looks once at once, and when that is too early it sleeps for 2.5 to 7.5 s. So it is shown twice: as it comes out, and \"lucky\" at a CA \
    that accepts every challenge at once. No client reads more roots than this CA's.";
const LEGO_WAITS: &str = "how often lego's first look comes too early depends on the machine; in these runs its median is the lucky case";
const LOOKS: &str = "it looks several times at every server, which B7 needs, and waits a few answers' time before it asks how the order stands, \
    which keeps it within the requests of B3; it also writes its journal durably before every step that a crash could cut off, and the floor keeps nothing";
const ABOUT_COST: &str = "The same runs: processor time of the process and all its children, and the most memory that any one of them had.";
pub(super) const CANDIDATES: &str = "it looks at every server several times, keeps, checks and reads back what the others do not, and signs with the \
    smaller and slower P-256 of its TLS library: the fast one made the image larger than 12 MB";

/// B2.
pub(super) fn wildcard(ground: &Ground) -> Vec<Outcome> {
    let all = compare(ground, ground.fewer(), 2, |name| vec![name.to_owned(), format!("*.{name}")]);
    let mut outcome = filled(Outcome::new("B2", "A name and its wildcard", ABOUT_WILDCARD), &all);
    let ratio = |theirs: &str| outcome.ratio("wall", "dns01", theirs);
    outcome.goals = vec![
        Goal::at_most("UPDATE packets, one each way", outcome.most("dns01", "UPDATE packets"), 2.0),
        Goal::at_most("time, of lego's", ratio("lego 5"), 0.02).limited_by(LEGO_WAITS),
        Goal::at_most("time, of certbot's", ratio("certbot"), 0.05).limited_by(LOOKS),
    ];
    vec![outcome]
}

const ABOUT_WILDCARD: &str = "Both need a TXT record of the same name. lego takes them one after the other, here without the 60 s that it sleeps between them unless told otherwise.";

/// B3.
pub(super) fn many_names(ground: &Ground) -> Vec<Outcome> {
    let names = |name: &str| (0..NAMES).map(|number| format!("a{number}.{name}")).collect();
    let all = compare(ground, ground.fewer(), 1, names);
    let mut outcome = filled(Outcome::new("B3", "Twenty names", ABOUT_NAMES), &all);
    let requests = stats::median(outcome.values("dns01", "HTTP requests"));
    outcome.goals = vec![
        Goal::at_most("HTTP requests for N names, 2N + 8", requests, 48.0).limited_by(POLLS),
        Goal::at_most("UPDATE packets, one each way", outcome.most("dns01", "UPDATE packets"), 2.0),
        Goal::at_most("time, of certbot's", outcome.ratio("wall", "dns01", "certbot"), 0.05)
            .limited_by(LOOKS),
    ];
    vec![outcome]
}

const NAMES: usize = 20;
const POLLS: &str =
    "the CA takes long enough for its own work that the order is asked for once more";
const ABOUT_NAMES: &str =
    "One certificate for twenty names of one zone. The slowest clients run once.";
