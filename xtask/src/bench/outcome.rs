//! What a bench found, and where that is kept: one JSON file each in `target/bench`, so that running some benches anew
//! changes only their part of the page.

use super::stats;
use crate::shell;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// One bench: rows of figures, and the goals that were set for them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// `B1`, `argo`.
    pub(crate) id: String,
    /// What the section is called.
    pub(crate) title: String,
    /// What was done and measured, a paragraph.
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) goals: Vec<Goal>,
    /// The day, the machine and the versions of everything: filled in where it is saved.
    pub(crate) measured: String,
    pub(crate) machine: String,
    pub(crate) versions: Vec<String>,
}

/// One quantity of one contender.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Row {
    /// `dns01`, `lego 5`.
    pub(crate) who: String,
    /// `wall`, `HTTP requests`.
    pub(crate) what: String,
    /// `s`, `ms`, `MiB`, or nothing for a count.
    pub(crate) unit: String,
    /// One per run that succeeded.
    pub(crate) values: Vec<f64>,
    /// Failures, and what has to be known to read the row.
    pub(crate) note: String,
}

/// A figure and its bound.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Goal {
    pub(crate) text: String,
    /// Nothing where it could not be measured.
    pub(crate) figure: Option<f64>,
    pub(crate) bound: f64,
    /// The figure is to reach the bound, not to stay below it.
    pub(crate) at_least: bool,
    /// What forbids it, where that is known: shown when it is not met.
    pub(crate) limit: String,
}

impl Goal {
    /// `figure` is to be `bound` or less.
    pub(crate) fn at_most(text: &str, figure: Option<f64>, bound: f64) -> Self {
        Self { text: text.to_owned(), figure, bound, ..Self::default() }
    }

    /// `figure` is to be `bound` or more.
    pub(crate) fn at_least(text: &str, figure: Option<f64>, bound: f64) -> Self {
        Self { at_least: true, ..Self::at_most(text, figure, bound) }
    }

    /// What forbids it.
    pub(crate) fn limited_by(self, limit: &str) -> Self {
        Self { limit: limit.to_owned(), ..self }
    }

    pub(crate) fn is_met(&self) -> Option<bool> {
        let figure = self.figure?;
        Some(if self.at_least { figure >= self.bound } else { figure <= self.bound })
    }
}

impl Outcome {
    /// A bench of this name without figures yet.
    pub(crate) fn new(id: &str, title: &str, about: &str) -> Self {
        Self { id: id.into(), title: title.into(), about: about.into(), ..Self::default() }
    }

    /// What stands in place of the figures of a bench that broke down.
    pub(crate) fn broken(id: &str, why: &str) -> Self {
        let row =
            Row { who: "all".into(), note: format!("the bench failed: {why}"), ..Row::default() };
        Self { rows: vec![row], ..Self::new(id, "not measured", "") }
    }

    /// The figures of one row; none where there is no such row.
    pub(crate) fn values(&self, who: &str, what: &str) -> &[f64] {
        let row = self.rows.iter().find(|row| row.who == who && row.what == what);
        row.map_or(&[], |row| &row.values)
    }

    /// The ratio of two rows of the same quantity.
    pub(crate) fn ratio(&self, what: &str, ours: &str, theirs: &str) -> Option<f64> {
        stats::ratio(self.values(ours, what), self.values(theirs, what))
    }

    /// The median of one row.
    pub(crate) fn median(&self, who: &str, what: &str) -> Option<f64> {
        stats::median(self.values(who, what))
    }

    /// The largest figure of one row.
    pub(crate) fn most(&self, who: &str, what: &str) -> Option<f64> {
        stats::spread(self.values(who, what)).map(|spread| spread.max)
    }

    /// Writes it to its file.
    pub(crate) fn save(&self) -> Result<()> {
        let file = folder().join(format!("{}.json", self.id));
        fs::create_dir_all(folder())?;
        fs::write(&file, serde_json::to_string_pretty(self)?)
            .with_context(|| format!("could not write {}", file.display()))
    }

    /// Reads the newest figures of a bench, where it has run.
    pub(crate) fn load(id: &str) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder().join(format!("{id}.json"))).ok()?).ok()
    }
}

fn folder() -> PathBuf {
    shell::target().join("bench")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_at_its_bound_and_unknown_without_a_figure() {
        assert_eq!(Goal::at_most("", Some(2.0), 2.0).is_met(), Some(true));
        assert_eq!(Goal::at_most("", Some(2.1), 2.0).is_met(), Some(false));
        assert_eq!(Goal::at_least("", Some(2.0), 2.0).is_met(), Some(true));
        assert_eq!(Goal::at_least("", Some(1.9), 2.0).is_met(), Some(false));
        assert_eq!(Goal::at_least("", None, 2.0).is_met(), None);
    }

    #[test]
    fn a_row_that_is_not_there_has_no_figures() {
        let outcome = Outcome::broken("B1", "no name server");
        assert_eq!(outcome.ratio("wall", "dns01", "lego 5"), None);
        assert_eq!(outcome.most("dns01", "wall"), None);
    }
}
