//! Runs one command of a contender and says what it took.

use super::outcome::Row;
use crate::shell;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The longest that any command may take, in seconds.
const PATIENCE: &str = "120";

/// A command line with its environment, which is all that it gets.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) words: Vec<OsString>,
    pub(super) env: Vec<(String, OsString)>,
    /// Its working directory and HOME.
    pub(super) home: PathBuf,
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Seconds.
    pub(super) wall: f64,
    /// Seconds, of the process and its children.
    pub(super) cpu: f64,
    /// The most memory of any one process, in MiB.
    pub(super) peak: f64,
}

impl Job {
    /// Runs it to its end; `file` is where the figures pass through. An error is one line.
    pub(super) fn run(&self, file: &Path) -> Result<Sample> {
        let mut command = Command::new("timeout");
        command.args(["-k", "2", PATIENCE]).arg(shell::target().join("release/measure")).arg(file);
        command.args(&self.words).env_clear().envs(self.env.iter().cloned());
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", &self.home);
        let output = command.current_dir(&self.home).output().context("could not start it")?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            let end: String = last.chars().take(160).collect();
            match output.status.code() {
                Some(124 | 137) => bail!("not over after {PATIENCE} s"),
                Some(code) => bail!("exit {code}: {end}"),
                None => bail!("killed: {end}"),
            }
        }
        let text = std::fs::read(file).context("it left no figures")?;
        let found: Value = serde_json::from_slice(&text)?;
        let number = |name: &str| found[name].as_f64().with_context(|| format!("no {name}"));
        Ok(Sample {
            wall: number("wall_us")? / 1e6,
            cpu: number("cpu_us")? / 1e6,
            peak: number("peak_kib")? / 1024.0,
        })
    }
}

/// The runs of one contender, with named counts beside what each took.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) who: String,
    pub(super) samples: Vec<Sample>,
    pub(super) counts: Vec<(&'static str, Vec<f64>)>,
    failures: Vec<String>,
}

impl Series {
    pub(super) fn new(who: &str) -> Self {
        Self { who: who.to_owned(), samples: vec![], counts: vec![], failures: vec![] }
    }

    /// Adds a run; true when it succeeded.
    pub(super) fn add(&mut self, run: Result<Sample>) -> bool {
        let succeeded = run.is_ok();
        match run {
            Ok(sample) => self.samples.push(sample),
            Err(error) => self.failures.push(format!("{error:#}")),
        }
        succeeded
    }

    /// Adds a count of the newest run.
    pub(super) fn count(&mut self, what: &'static str, value: f64) {
        match self.counts.iter_mut().find(|(name, _)| *name == what) {
            Some((_, values)) => values.push(value),
            None => self.counts.push((what, vec![value])),
        }
    }

    /// Rows for wall, CPU and memory, and for every count.
    pub(super) fn rows(&self) -> Vec<Row> {
        let taken = |what, unit, of: fn(&Sample) -> f64| {
            self.row(what, unit, self.samples.iter().map(of).collect())
        };
        let mut rows = vec![
            taken("wall", "s", |sample| sample.wall),
            taken("CPU", "s", |sample| sample.cpu),
            taken("memory", "MiB", |sample| sample.peak),
        ];
        rows.extend(self.counts.iter().map(|(what, values)| self.row(what, "", values.clone())));
        // Once is enough.
        rows.iter_mut().skip(1).for_each(|row| row.note.clear());
        rows
    }

    /// One row of this contender, which says how many of its runs failed and how the last one did.
    pub(super) fn row(&self, what: &str, unit: &str, values: Vec<f64>) -> Row {
        let (failed, all) = (self.failures.len(), self.failures.len() + self.samples.len());
        let note = self.failures.last().map(|last| format!("{failed} of {all} failed: {last}"));
        Row {
            who: self.who.clone(),
            what: what.to_owned(),
            unit: unit.to_owned(),
            values,
            note: note.unwrap_or_default(),
        }
    }

    /// Whether it was tried at all.
    pub(super) fn ran(&self) -> bool {
        self.failures.len() + self.samples.len() > 0
    }

    /// The share of runs that succeeded.
    pub(super) fn survived(&self) -> Option<f64> {
        let all = self.failures.len() + self.samples.len();
        #[expect(clippy::cast_precision_loss, reason = "counts of a few dozen runs")]
        (all > 0).then(|| self.samples.len() as f64 / all as f64)
    }
}
