//! The report on a fleet's run: each certificate by name, for machines, for people and as the message of the node.

use dns01_core::Exit;
use dns01_step::Failure;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use crate::fate::{Fate, fate, shortened};
use crate::fleet::AT_ONCE;
use crate::source::Refused;
use crate::suggest::Suggestions;
use crate::{Asked, Due};

/// Names beyond so many octets are counted: the message that Argo shows has 2,000.
const NAMES_SHOWN: usize = 1_000;

/// The `report` output.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    certificates: Vec<Fate>,
    /// Each `ConfigMap` whose certificates were not even looked at.
    refused: Vec<Unread>,
    /// So many more are due, and have to wait for the next time.
    later: usize,
    /// The code where nothing else failed.
    #[serde(skip)]
    refusal: Option<Exit>,
}

#[derive(Debug, Serialize)]
struct Unread {
    definitions: String,
    why: String,
}

impl Report {
    /// Looks at each of `due`.
    pub(crate) async fn on(
        due: &[Due],
        refused: &[Refused],
        later: usize,
        asked: &Asked<'_>,
    ) -> Result<Self, Failure> {
        let suggestions = Suggestions::default();
        let fates: Vec<Result<Fate, Failure>> = stream::iter(due)
            .map(|due| fate(due, asked, &suggestions))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let unread = |one: &Refused| Unread {
            definitions: one.definitions.clone(),
            why: shortened(&one.failure.reason()),
        };
        Ok(Self {
            certificates: fates.into_iter().collect::<Result<_, _>>()?,
            refusal: refused.first().map(|one| one.failure.exit()),
            refused: refused.iter().map(unread).collect(),
            later,
        })
    }

    /// For people: a line for each.
    pub(crate) fn text(&self) -> String {
        let width = self.certificates.iter().map(|fate| fate.certificate.len()).max();
        let width = width.unwrap_or_default();
        let mut lines: Vec<String> = Vec::new();
        for Fate { certificate, result, not_after, why } in &self.certificates {
            let until = if not_after.is_empty() { "-" } else { not_after };
            let line = format!("{certificate:width$}  {result:9}  {until:20}  {why}");
            lines.push(line.trim_end().to_owned());
        }
        for Unread { definitions, why } in &self.refused {
            lines.push(format!("ConfigMap {definitions} was not used: {why}"));
        }
        let failed = self.failed().count();
        let well = self.certificates.len() - failed;
        let later = match self.later {
            0 => String::new(),
            later => format!("; {later} more are due and follow next time"),
        };
        lines.push(format!("{well} well, {failed} failed{later}"));
        lines.join("\n")
    }

    /// A failure that names what failed. Its code is 23, start anew later: nothing here is helped by a retry, and each
    /// certificate's own code is its pod's. Where only definitions were refused, it is their own code.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let failed: Vec<&Fate> = self.failed().collect();
        let mut said = Vec::new();
        match failed.as_slice() {
            [] => (),
            [one] => said.push(format!("certificate `{}` failed: {}", one.certificate, one.why)),
            several => {
                let names: Vec<&str> = several.iter().map(|one| one.certificate.as_str()).collect();
                let (failed, all) = (several.len(), self.certificates.len());
                said.push(format!("{failed} of {all} certificates failed: {}", listed(&names)));
            }
        }
        if !self.refused.is_empty() {
            let names: Vec<&str> =
                self.refused.iter().map(|one| one.definitions.as_str()).collect();
            let why = &self.refused[0].why;
            said.push(format!("definitions were not used: {}: {why}", listed(&names)));
        }
        if said.is_empty() {
            return Ok(());
        }
        let exit = self.refusal.filter(|_| failed.is_empty()).unwrap_or(Exit::OrderDead);
        let hint =
            "the `report` output says why; the next scheduled run tries again, or submit one";
        Err(Failure::new(exit, said.join("; ")).hint(hint))
    }

    fn failed(&self) -> impl Iterator<Item = &Fate> {
        self.certificates.iter().filter(|fate| fate.result == "failed")
    }
}

/// `a, b … and 14 more`.
fn listed(names: &[&str]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        if text.len() + name.len() > NAMES_SHOWN {
            return format!("{text} … and {} more", names.len() - at);
        }
        text.push_str(if at == 0 { "" } else { ", " });
        text.push_str(name);
    }
    text
}
