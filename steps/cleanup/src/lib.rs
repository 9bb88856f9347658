//! `cleanup`: removes exactly the TXT values that a run has published, found by reading the zone.
//!
//! Acts for the run that the journal names, or for challenges given. It removes by value and never an RRset; a value
//! counts as gone only when a read of its zone has shown that. It opens no key and never asks a CA.

mod journalled;
mod remove;

use clap::Parser;
use dns01_core::{Exit, Origin, OwnerName, Zone};
use dns01_lookup::{Lookup, LookupArgs};
use dns01_step::{
    Attempt, ChallengeArgs, Definitions, Failure, JournalArgs, Output, SolverArgs, Solvers, Step,
    StepIo,
};

pub use journalled::{Request, clean};
pub use remove::{Left, Removal, Remover, Target};

/// Remove the TXT records that a run has published.
#[derive(Debug, Parser)]
pub struct Cleanup {
    #[command(flatten)]
    challenges: ChallengeArgs,
    #[command(flatten)]
    solver: SolverArgs,
    /// Zone that holds the records, where it cannot be found by SOA
    #[arg(long, value_name = "ZONE")]
    zone: Option<OwnerName>,
    /// Called on failure or stop: look twice, since a stopped step may still live, and exit 0 whatever is left
    #[arg(long)]
    exit_hook: bool,
    #[command(flatten)]
    journal: JournalArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

impl Step for Cleanup {
    const NAME: &'static str = "cleanup";
    const OUTPUTS: &'static [Output] = &[
        Output { name: "removed", about: "how many TXT values were removed", default: "" },
        Output {
            name: "left",
            about: "values that could not be seen gone, with the reason: a JSON list",
            default: "",
        },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let exit_hook = self.exit_hook;
        match self.clean_up(io).await {
            // A hook must not hide how the run itself ended.
            Err(failure) if exit_hook => {
                tracing::warn!(
                    code = failure.exit().code(),
                    "nothing removed: {}",
                    failure.reason()
                );
                Ok(())
            }
            ended => ended,
        }
    }

    fn explain(&self, io: &StepIo) -> Result<Vec<(String, String, Origin)>, Failure> {
        let solvers = Solvers::new(io, &self.solver, &Definitions::load(&io.common().config)?);
        let challenges =
            if self.challenges.are_given() { self.challenges.read()? } else { Vec::new() };
        solvers.explain(challenges.iter().map(|challenge| &challenge.domain), |solver| {
            dns01_providers::explain(&solver.provider, &solver.source)
                .attempt(|| format!("explain the provider `{}`", solver.provider))
        })
    }
}

impl Cleanup {
    async fn clean_up(self, io: &StepIo) -> Result<(), Failure> {
        let solvers = Solvers::new(io, &self.solver, &Definitions::load(&io.common().config)?);
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let remover = Remover::new(&solvers, &lookup, self.zone.map(|apex| Zone { apex }), io);
        let removal = if self.challenges.are_given() {
            let targets: Vec<Target> =
                self.challenges.read()?.into_iter().map(Target::from).collect();
            remover.remove(&targets).await
        } else {
            let backend = dns01_store::open(&self.journal.address())
                .await
                .attempt(|| "open the journal".into())?;
            let name = io.certificate()?.parse().attempt(|| "use the certificate's name".into())?;
            let request = Request { run: io.run_id()?, exit_hook: self.exit_hook, settle: true };
            clean(&backend.journal(&name), &request, &remover).await?
        };
        io.put("removed", removal.removed)?;
        io.put_json("left", &removal.left)?;
        io.say(removal.summary());
        removal.verdict(self.exit_hook)
    }
}

impl Removal {
    /// One line for people.
    pub fn summary(&self) -> String {
        if let Some(note) = &self.note {
            return note.clone();
        }
        match self.left.len() {
            0 => format!("{} TXT removed", self.removed),
            left => format!("{} TXT removed, {left} left", self.removed),
        }
    }

    /// Whether this is a failure: what is left is one, except for an exit hook, which must not hide the run's own.
    pub fn verdict(self, exit_hook: bool) -> Result<(), Failure> {
        match self.failure {
            Some(failure) if exit_hook => {
                tracing::warn!(left = self.left.len(), "left in the zone: {}", failure.reason());
                Ok(())
            }
            Some(failure) => Err(failure.state("the next cleanup of any run removes what is left")),
            None if self.left.is_empty() => Ok(()),
            None => Err(Failure::new(
                Exit::NotYet,
                format!("{} TXT values are still in the zone", self.left.len()),
            )),
        }
    }
}
