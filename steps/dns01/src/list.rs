//! `dns01 list`: the certificates of this host and how they stand.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use clap::{Command, Parser};
use dns01_core::Identifier;
use dns01_step::{Attempt, Failure, HomeArgs, JournalArgs, Output, Step, StepIo};
use dns01_store::Backend;
use dns01_store::journal::State;
use serde::Serialize;

use crate::renew::known;
use crate::{hiding, unburdened};

/// List the certificates of this host.
#[derive(Debug, Parser)]
pub(crate) struct List {
    #[command(flatten)]
    home: HomeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    name: String,
    names: Vec<String>,
    not_after: Option<DateTime<Utc>>,
    state: String,
}

impl Step for List {
    const NAME: &'static str = "list";
    const OUTPUTS: &'static [Output] = &[Output {
        name: "certificates",
        about: "every certificate: a JSON list of name, names, not-after, state",
        default: "[]",
    }];

    fn shape(command: Command) -> Command {
        hiding(unburdened(command), &["certificate", "quiet", "progress"])
    }

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let definitions = known(&io.common().config, &self.home.root(), None)?;
        let journal = JournalArgs { journal: None, home: self.home.clone() };
        let backend =
            dns01_store::open(&journal.address()).await.attempt(|| "open the journal".into())?;
        let mut lines = Vec::new();
        for certificate in
            definitions.documents().iter().flat_map(|document| &document.certificates)
        {
            let state = state(&certificate.name, &backend).await?;
            let not_after =
                state.as_ref().and_then(State::current).map(|chain| chain.leaf().not_after);
            let words = match (&state, certificate.suspend) {
                (_, true) => "suspended".to_owned(),
                (None, false) => "not issued yet".to_owned(),
                (Some(state), false) => state.phase.to_string(),
            };
            let names = certificate.dns_names.iter().map(Identifier::unicode).collect();
            lines.push(Line { name: certificate.name.clone(), names, not_after, state: words });
        }
        io.put_json("certificates", &lines)?;
        io.say(table(&lines));
        Ok(())
    }
}

async fn state(name: &str, backend: &Backend) -> Result<Option<State>, Failure> {
    let name = name.parse().attempt(|| "use the certificate's name".into())?;
    backend.journal(&name).read().await.attempt(|| format!("read the journal of `{name}`"))
}

fn table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "No certificate is defined here: `dns01 issue` makes one".to_owned();
    }
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or_default().max(4);
    let mut text = format!("{:width$}  {:16}  {:14}  NAMES", "NAME", "EXPIRES (UTC)", "STATE");
    for Line { name, names, not_after, state } in lines {
        let expires =
            not_after.map_or_else(|| "-".into(), |at| at.format("%Y-%m-%d %H:%M").to_string());
        let _ = write!(text, "\n{name:width$}  {expires:16}  {state:14}  {}", names.join(", "));
    }
    text
}
