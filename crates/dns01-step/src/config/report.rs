//! Problems while they are collected: found by their way in the tree, told by line and column.

use super::error::{ConfigError, MOST_SHOWN, Problem};
use super::locate::position;
use super::tree::{Node, Seg, Way};

/// What is wrong so far.
pub(super) struct Report<'a> {
    text: &'a str,
    tree: &'a Node,
    found: Vec<Found>,
}

struct Found {
    way: Way,
    of_key: bool,
    text: String,
    hint: Option<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str, tree: &'a Node) -> Self {
        Self { text, tree, found: Vec::new() }
    }

    /// Something is wrong with the key at the end of `way`.
    pub(super) fn key(&mut self, way: &[usize], text: String, hint: Option<String>) {
        self.found.push(Found { way: way.to_vec(), of_key: true, text, hint });
    }

    /// Something is wrong with the value at the end of `way`.
    pub(super) fn value(&mut self, way: &[usize], text: String, hint: Option<String>) {
        self.found.push(Found { way: way.to_vec(), of_key: false, text, hint });
    }

    /// Something is wrong with what `path` names, or would name if it were there.
    pub(super) fn at(&mut self, path: &[Seg<'_>], text: String, hint: impl Into<Option<String>>) {
        let way = self.tree.way(path);
        self.value(&way, text, hint.into());
    }

    /// The error, if anything was wrong.
    pub(super) fn finish(self, origin: &str) -> Result<(), ConfigError> {
        if self.found.is_empty() {
            return Ok(());
        }
        let more = self.found.len().saturating_sub(MOST_SHOWN);
        let mut problems: Vec<Problem> = self
            .found
            .into_iter()
            .take(MOST_SHOWN)
            .map(|found| {
                let place = position(self.text, &found.way, found.of_key).unwrap_or((1, 1));
                Problem::new(place, &found.text, found.hint)
            })
            .collect();
        problems.sort();
        Err(ConfigError::Wrong { origin: origin.to_owned(), problems, more })
    }
}
