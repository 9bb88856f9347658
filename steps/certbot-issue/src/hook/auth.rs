//! `certbot-hook auth`: everything published at once, and seen by every name server before certbot goes on.

use dns01_core::Challenge;
use dns01_lookup::Lookup;
use dns01_step::{Failure, Solvers, StepIo};
use wait_propagation::{Asked, Telling};

use super::journalled::Record;

/// Records, publishes and waits.
pub(super) async fn answer(
    challenges: &[Challenge],
    solvers: &Solvers,
    lookup: &Lookup,
    asked: &Asked<'_>,
    record: Option<&Record>,
    io: &StepIo,
) -> Result<(), Failure> {
    if let Some(record) = record {
        record.wanted(challenges, lookup).await?;
    }
    dns01_core::fail_point::pass("hook::recorded");
    let presented = present::present(challenges, solvers, lookup, None, None, io).await?;
    let solvers = challenges.iter().filter_map(|one| solvers.choose(&one.domain).ok());
    let configured: Vec<_> = solvers.map(|solver| solver.propagation).collect();
    let patience = wait_propagation::patience(asked, &configured)?;
    let expected =
        wait_propagation::expectations(challenges, &presented.published, lookup, None).await?;
    let report =
        wait_propagation::wait(&expected, lookup, &patience, &mut Telling::new(io), io).await?;
    if let Some(record) = record {
        record.validating().await?;
    }
    dns01_core::fail_point::pass("hook::answered");
    io.say(format_args!("{}; {}", presented.summary(), wait_propagation::summary(&report)));
    Ok(())
}
