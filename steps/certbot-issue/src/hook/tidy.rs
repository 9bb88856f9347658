//! `certbot-hook cleanup`: removes the values of this certbot once it is done with all of them.

use cleanup::{Remover, Target};
use dns01_core::Challenge;
use dns01_lookup::Lookup;
use dns01_step::{Failure, Solvers, StepIo};

use super::journalled::Record;

/// Removes them; in a journal, what a zone read has shown gone is noted, and what it hasn't stays for `cleanup`.
pub(super) async fn clean(
    challenges: &[Challenge],
    solvers: &Solvers,
    lookup: &Lookup,
    record: Option<&Record>,
    io: &StepIo,
) -> Result<(), Failure> {
    let targets: Vec<Target> = match record {
        Some(record) => record.targets(challenges).await?,
        None => challenges.iter().cloned().map(Target::from).collect(),
    };
    let removal = Remover::new(solvers, lookup, None, io).remove(&targets).await;
    if let Some(record) = record {
        record.gone(&removal.gone).await?;
    }
    io.say(removal.summary());
    removal.verdict(false)
}
