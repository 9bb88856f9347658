//! `store-secret`: delivers a certificate to every sink and verifies each by reading it back.
//!
//! Tries all sinks, records each in the journal, and calls the generation delivered only when every one holds it. It
//! never talks to a CA or to DNS, and never replaces a certificate by an older one.

mod deliver;
mod folder;

use std::path::PathBuf;

use clap::Parser;
use dns01_step::{
    Attempt, Definitions, Failure, GenerationArgs, JournalArgs, Output, PlannedSink, SinkArgs,
    Step, StepIo, planned_sinks,
};
use dns01_store::Name;

pub use deliver::{Delivery, Outcome, deliver, deliver_bundle};

/// Deliver a certificate to its sinks.
#[derive(Debug, Parser)]
pub struct StoreSecret {
    #[command(flatten)]
    generation: GenerationArgs,
    /// Deliver the PEM files of this folder (fullchain.pem, privkey.pem), not a generation of the journal
    #[arg(long, value_name = "DIR", conflicts_with = "generation")]
    from: Option<PathBuf>,
    #[command(flatten)]
    sinks: SinkArgs,
    #[command(flatten)]
    journal: JournalArgs,
}

impl Step for StoreSecret {
    const NAME: &'static str = "store-secret";
    const OUTPUTS: &'static [Output] = &[
        Output {
            name: "changed",
            about: "whether any sink holds something new: true or false",
            default: "",
        },
        Output {
            name: "sinks",
            about: "how each sink fared: a JSON list of id, state, error",
            default: "[]",
        },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let definitions = Definitions::load(&io.common().config)?;
        let name: Name =
            io.certificate()?.parse().attempt(|| "use the certificate's name".into())?;
        let planned = planned_sinks(&definitions, name.as_str(), &self.sinks, &self.journal)?;
        PlannedSink::check_stdout(&planned, io)?;
        let delivery = if let Some(folder) = &self.from {
            deliver_bundle(&folder::read(folder)?, &name, &planned, io).await
        } else {
            let generation = self.generation.read()?;
            let backend = dns01_store::open(&self.journal.address())
                .await
                .attempt(|| "open the journal".into())?;
            deliver(&backend.journal(&name), generation, &planned, io).await?
        };
        io.put("changed", delivery.changed())?;
        io.put_json("sinks", &delivery.outcomes)?;
        // A key on stdout must stay the only thing there.
        if !planned.iter().any(PlannedSink::is_stdout) {
            io.say(delivery.summary());
        }
        delivery.checked().map(drop)
    }
}
