//! B6: a secondary that shows the record seconds late, and how long after that each client still waits.

use super::client::{Client, Pace};
use super::ground::{Ground, by_tcp, rounds};
use super::measure::{Job, Series};
use super::outcome::{Goal, Outcome};
use super::site::Site;
use anyhow::{Context as _, Result, ensure};
use harness::{FakeDns, Lab, NameServer as _, Named, Pebble, Zone, faults};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Seconds, to which up to two more come, so that the clients' rhythms meet it at any point.
const LAGS: [u64; 3] = [3, 10, 30];
/// After this nobody publishes any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client with servers of its own: all cases run at the same time, since all of them mostly wait.
struct Case {
    client: Client,
    lag: Duration,
    zone: String,
    named: Named,
    /// What the CA sees: the late secondary.
    view: FakeDns,
    site: Site,
    home: PathBuf,
    overshoot: Series,
    questions: Vec<f64>,
    _lab: Lab,
    _pebble: Pebble,
}

pub(super) fn run(ground: &Ground) -> Result<Vec<Outcome>> {
    let mut cases = Vec::new();
    for client in [Client::Dns01, Client::Lego, Client::Certbot] {
        for lag in LAGS {
            let number = cases.len();
            cases.push(case(
                ground,
                client,
                Duration::from_secs(lag),
                &format!("late{number}.test"),
            )?);
        }
    }
    for round in rounds(ground.fewer()) {
        // A fixed sleep needs no second look.
        let due = cases.iter_mut().filter(|case| round == 0 || case.client != Client::Certbot);
        let due: Vec<_> = due.map(|case| (ground.job_of(case), ground.scratch(), case)).collect();
        let jitter = jitter(round);
        thread::scope(|scope| {
            for (job, file, case) in due {
                scope.spawn(move || case.once(job, &file, jitter));
            }
        });
    }
    Ok(vec![told(&cases)])
}

/// Up to two seconds, spread evenly over the rounds.
fn jitter(round: usize) -> Duration {
    let steps = u32::try_from(round).unwrap_or_default();
    Duration::from_millis(u64::from(steps * 1236 % 2000))
}

fn case(ground: &Ground, client: Client, lag: Duration, zone: &str) -> Result<Case> {
    let lab = Lab::new();
    let named = Named::builder(&lab).zone(Zone::new(zone)).secondaries(1).held().start();
    let secondary = named.secondary_addresses()[0];
    let view = FakeDns::start_at(lab.address(), secondary, faults::none());
    let pebble = Pebble::builder(&lab, view.address()).start();
    let site = Site::new(&lab, &named, &[named.address(), secondary], &pebble)?;
    // A client that is not there tells why when its turn comes.
    let home = ground.empty_home(client).unwrap_or_default();
    let (zone, overshoot) = (zone.to_owned(), Series::new(client.name()));
    Ok(Case {
        client,
        lag,
        zone,
        named,
        view,
        site,
        home,
        overshoot,
        questions: vec![],
        _lab: lab,
        _pebble: pebble,
    })
}

impl Ground {
    /// The name of a case's next certificate, and the command that gets it.
    fn job_of(&self, case: &Case) -> Result<(String, Job)> {
        let name = self.fresh(&case.zone);
        let job = self.job(
            case.client,
            &case.site,
            &case.home,
            std::slice::from_ref(&name),
            Pace::Default,
        )?;
        Ok((name, job))
    }
}

impl Case {
    fn once(&mut self, job: Result<(String, Job)>, file: &std::path::Path, jitter: Duration) {
        let done = job.and_then(|(name, job)| {
            let owner = format!("_acme-challenge.{name}");
            let (run, shown) = thread::scope(|scope| {
                let run = scope.spawn(|| job.run(file));
                let shown = self.show_late(&owner, self.lag + jitter, || run.is_finished());
                (run.join(), shown)
            });
            let sample = run.map_err(|_| anyhow::Error::msg("its thread panicked"))??;
            let asked = self.view.asked().into_iter().filter(|asked| asked.name == owner);
            let validation = asked.map(|asked| asked.at).min().context("the CA never asked")?;
            Ok((sample, validation.saturating_duration_since(shown?), self.asked_for(&owner)))
        });
        match done {
            Ok((sample, overshoot, questions)) => {
                self.overshoot.add(Ok(sample));
                self.overshoot.count("overshoot", overshoot.as_secs_f64());
                self.questions.push(questions);
            }
            Err(error) => {
                self.overshoot.add(Err(error));
            }
        }
    }

    /// Lets the secondary have the record so long after the primary got it; gives when it showed it.
    fn show_late(&self, owner: &str, lag: Duration, over: impl Fn() -> bool) -> Result<Instant> {
        let (start, added) = (Instant::now(), format!("adding an RR at '{owner}'"));
        while !self.named.update_operations(&self.zone).iter().any(|line| line.contains(&added)) {
            ensure!(start.elapsed() < PATIENCE && !over(), "it never published a record");
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(lag);
        self.named.release(0);
        Ok(Instant::now())
    }

    /// How often the primary was asked for the record by the client.
    fn asked_for(&self, owner: &str) -> f64 {
        let wanted = format!(" query: {owner} IN TXT ");
        let asked =
            self.named.queries().into_iter().filter(|line| line.contains(&wanted) && !by_tcp(line));
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let count = asked.count() as f64;
        count
    }
}

fn told(cases: &[Case]) -> Outcome {
    let mut outcome = Outcome::new("B6", "A name server that is late", ABOUT);
    for case in cases {
        let overshoot = case.overshoot.counts.first().map(|(_, values)| values.clone());
        let (lag, overshoot) = (case.lag.as_secs(), overshoot.unwrap_or_default());
        let mut row = case.overshoot.row(&format!("overshoot at {lag} s"), "s", overshoot);
        if case.client == Client::Certbot && row.note.is_empty() {
            "it always sleeps for 60 s, and looks at nothing".clone_into(&mut row.note);
        }
        outcome.rows.push(row);
        let what = format!("questions to the primary at {lag} s");
        outcome.rows.push(case.overshoot.row(&what, "", case.questions.clone()));
    }
    for (lag, bound) in LAGS.into_iter().zip([0.35, 0.2, 0.2]) {
        let (text, what) =
            (format!("overshoot at {lag} s, of lego's"), format!("overshoot at {lag} s"));
        outcome.goals.push(
            Goal::at_most(&text, outcome.ratio(&what, "dns01", "lego 5"), bound).limited_by(FEW),
        );
    }
    let most = |what: &str| {
        let all =
            LAGS.iter().filter_map(|lag| outcome.most("dns01", &format!("{what} at {lag} s")));
        all.reduce(f64::max)
    };
    let (late, asked) = (most("overshoot"), most("questions to the primary"));
    outcome.goals.push(Goal::at_most("the largest overshoot, s", late, 0.6).limited_by(CONFIRMS));
    outcome.goals.push(
        Goal::at_most("questions to the primary, whatever the lag", asked, 9.0)
            .limited_by(LAST_LOOK),
    );
    outcome
}

const FEW: &str = "lego's overshoot is anything from 0 to 2 s, so few rounds say little";
const LAST_LOOK: &str = "one more is the last look at all servers right before the CA is asked, without which a crash in between would be taken up blindly";
const CONFIRMS: &str = "after the first sighting every server is asked several times more, so that one that flaps is not believed (B7)";
const ABOUT: &str = "The primary has the record at once, the secondary 3, 10 or 30 s later (and up to 2 s more), and the CA asks the secondary: \
    who does not wait for it fails. Overshoot is the time from the moment the secondary shows the record to the CA's first question. All clients with \
    their defaults: lego looks every 2 s, certbot sleeps for 60 s.";
