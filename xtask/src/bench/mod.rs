//! `cargo xtask bench [NAME…]`: dns01 beside its peers, on real servers, in one run; writes docs/performance.md and its picture.
//!
//! A bench is a function from the [`Ground`] to [`Outcome`]s. It may fail, and so may a contender: then the page says so.

mod argo;
mod client;
mod distance;
mod flapping;
mod ground;
mod issue;
mod late;
mod machine;
mod many;
mod measure;
mod outcome;
mod page;
mod picture;
mod site;
mod slow_ca;
mod start;
mod stats;

use crate::within::namespace;
use crate::{image, setup, shell};
use anyhow::{Context as _, Result, ensure};
use ground::Ground;
use harness::Network;
use outcome::Outcome;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Only these, such as B1
    names: Vec<String>,
    /// How often the quick ones are repeated; the slower ones a third of that
    #[arg(long, default_value_t = 15)]
    runs: usize,
    /// The dns01 to measure, inside the namespace
    #[arg(long, hide = true)]
    inside: Option<PathBuf>,
}

/// What one function measures, by the names of its outcomes.
struct Known {
    ids: &'static [&'static str],
    run: fn(&Ground) -> Result<Vec<Outcome>>,
}

const BENCHES: [Known; 10] = [
    Known { ids: &["B1", "B10"], run: |ground| Ok(issue::one(ground)) },
    Known { ids: &["B2"], run: |ground| Ok(issue::wildcard(ground)) },
    Known { ids: &["B3"], run: |ground| Ok(issue::many_names(ground)) },
    Known { ids: &["B4"], run: distance::run },
    Known { ids: &["B5"], run: |ground| Ok(slow_ca::run(ground)) },
    Known { ids: &["B6"], run: late::run },
    Known { ids: &["B7"], run: flapping::run },
    Known { ids: &["B8"], run: |ground| Ok(start::version(ground)) },
    Known { ids: &["B9"], run: |ground| Ok(start::due(ground)) },
    Known { ids: &["B11"], run: |ground| Ok(many::run(ground)) },
];

/// The page's sections, in its order.
const SECTIONS: [&str; 12] =
    ["B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11", "argo"];

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        let unknown = self.names.iter().find(|name| !SECTIONS.contains(&&***name));
        ensure!(
            unknown.is_none(),
            "there is no bench {}: these are {}",
            unknown.map_or("", |name| name),
            SECTIONS.join(", ")
        );
        ensure!(self.runs > 0, "--runs must be 1 or more");
        if let Some(dns01) = &self.inside {
            return self.measure(dns01);
        }
        if self.names == ["argo"] {
            // By itself: it has a cluster, and no peer.
            argo::run(self.runs)?;
            return write();
        }
        setup::Setup::BENCH.run()?;
        let dns01 = image::program(false)?;
        shell::run(shell::cargo().args(["build", "--locked", "--release", "-p", "bench"]))?;
        let own = std::env::current_exe().context("this program does not know where it is")?;
        let runs = self.runs.to_string();
        namespace(Network::Own, |inner| {
            inner.arg(own).args(["bench", "--runs", &runs]).arg("--inside").arg(dns01);
            shell::quiet(inner.args(&self.names))
        })
    }

    fn measure(&self, dns01: &Path) -> Result<()> {
        let ground = Ground::start(dns01, self.runs)?;
        let versions = machine::versions(&ground);
        for bench in &BENCHES {
            if !self.names.is_empty()
                && !bench.ids.iter().any(|id| self.names.iter().any(|name| name == id))
            {
                continue;
            }
            let start = Instant::now();
            // The harness panics where a server does not come up.
            let found = catch_unwind(AssertUnwindSafe(|| (bench.run)(&ground)));
            let found =
                found.unwrap_or_else(|_| Err(anyhow::Error::msg("a server did not do its part")));
            let broken = |error: anyhow::Error| {
                bench.ids.iter().map(|id| Outcome::broken(id, &format!("{error:#}"))).collect()
            };
            for mut outcome in found.unwrap_or_else(broken) {
                outcome.measured = format!("{}, {} runs", machine::today(), self.runs);
                outcome.machine = machine::machine();
                outcome.versions.clone_from(&versions);
                outcome.save()?;
                tell(&outcome);
            }
            // What is there already outlives an interruption.
            write()?;
            eprintln!("{} took {:.0} s", bench.ids.join(" and "), start.elapsed().as_secs_f64());
        }
        Ok(())
    }
}

/// Makes the page and its picture of all that has been measured.
fn write() -> Result<()> {
    let outcomes: Vec<_> = SECTIONS.iter().filter_map(|id| Outcome::load(id)).collect();
    for (file, text) in [
        ("performance.md", page::page(&outcomes)),
        ("performance.svg", picture::picture(&outcomes)),
    ] {
        let path = shell::root().join("docs").join(file);
        fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// Says on the terminal what was found.
fn tell(outcome: &Outcome) {
    println!("\n{} {}", outcome.id, outcome.title);
    for row in &outcome.rows {
        let shown = stats::spread(&row.values).map_or_else(
            || "–".to_owned(),
            |all| {
                format!(
                    "{} / {} / {} {}",
                    page::figure(all.min),
                    page::figure(all.median),
                    page::figure(all.max),
                    row.unit
                )
            },
        );
        println!("  {:<34} {:<18} {shown} ({}) {}", row.what, row.who, row.values.len(), row.note);
    }
    for goal in &outcome.goals {
        let word = match goal.is_met() {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        let measured = goal.figure.map_or_else(|| "–".to_owned(), page::figure);
        println!("  goal: {} {measured}, bound {}: {word}", goal.text, page::figure(goal.bound));
    }
}
