//! `present`: publishes the TXT records that answer challenges.
//!
//! Adds by value and one call per zone, so apex and wildcard go out together and what others hold stays. Running it
//! twice leaves the same records as running it once; `cleanup` takes the same flags and undoes exactly this. It opens
//! no journal and never asks a CA.

use std::collections::BTreeMap;

use clap::Parser;
use dns01_core::{Challenge, DomainName, Origin, OwnerName, Published, TxtRecord, Zone};
use dns01_lookup::{Location, Lookup, LookupArgs};
use dns01_providers::DnsProvider;
use dns01_step::{
    Attempt, ChallengeArgs, ChosenSolver, Definitions, Failure, Output, SolverArgs, Solvers, Step,
    StepIo,
};
use futures_util::future::try_join_all;
use serde::Serialize;

/// Publish the TXT records that answer challenges.
#[derive(Debug, Parser)]
pub struct Present {
    #[command(flatten)]
    challenges: ChallengeArgs,
    #[command(flatten)]
    solver: SolverArgs,
    /// Time to live of the records, in seconds; else the solver's, else the provider's lowest
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u32>,
    /// Zone that holds the records, where it cannot be found by SOA
    #[arg(long, value_name = "ZONE")]
    zone: Option<OwnerName>,
    #[command(flatten)]
    lookup: LookupArgs,
}

/// What was published.
#[derive(Debug, Default)]
pub struct Presented {
    /// Every record, in the order of the challenges.
    pub records: Vec<Record>,
    /// What the providers hold afterwards, one entry per owner name.
    pub published: Vec<Published>,
}

/// One published record, an element of the `records` output.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The zone.
    pub zone: Zone,
    /// The owner name.
    pub owner: OwnerName,
    /// The TXT value.
    pub value: String,
    /// Seconds.
    pub ttl: u32,
    /// The provider's id.
    pub provider: String,
}

impl Step for Present {
    const NAME: &'static str = "present";
    const OUTPUTS: &'static [Output] = &[
        Output {
            name: "records",
            about: "the records published: zone, owner, value, ttl, provider",
            default: "[]",
        },
        Output {
            name: "published",
            about: "what each provider holds after the write; empty: not known",
            default: "",
        },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let challenges = self.challenges.read()?;
        let solvers = Solvers::new(io, &self.solver, &Definitions::load(&io.common().config)?);
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let zone = self.zone.map(|apex| Zone { apex });
        let presented =
            present(&challenges, &solvers, &lookup, zone.as_ref(), self.ttl, io).await?;
        io.put_json("records", &presented.records)?;
        io.put_json("published", &presented.published)?;
        io.say(presented.summary());
        Ok(())
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

/// Publishes the answers to `challenges`: per solver and zone one write, all of them at once.
pub async fn present(
    challenges: &[Challenge],
    solvers: &Solvers,
    lookup: &Lookup,
    zone: Option<&Zone>,
    ttl: Option<u32>,
    io: &StepIo,
) -> Result<Presented, Failure> {
    let mut chosen: BTreeMap<String, (ChosenSolver, Box<dyn DnsProvider>)> = BTreeMap::new();
    let mut batches: BTreeMap<(String, Zone), Vec<TxtRecord>> = BTreeMap::new();
    let placed =
        try_join_all(challenges.iter().map(|challenge| place(challenge, solvers, lookup, zone)))
            .await?;
    for (challenge, (solver, location)) in challenges.iter().zip(placed) {
        let name = solver.name.clone();
        if !chosen.contains_key(&name) {
            let provider = set_up(&solver)?;
            chosen.insert(name.clone(), (solver, provider));
        }
        let (solver, provider) = &chosen[&name];
        let ttl = ttl.or(solver.ttl).or(provider.ttl()).unwrap_or(lowest_ttl(&solver.provider));
        let record = TxtRecord { name: location.owner, value: challenge.value.clone(), ttl };
        let batch = batches.entry((name, location.zone)).or_default();
        if !batch.contains(&record) {
            batch.push(record);
        }
    }
    let writes = batches.iter().map(|((solver, zone), records)| {
        let (solver, provider) = &chosen[solver];
        write(&**provider, &solver.provider, zone, records, io)
    });
    let mut presented = Presented::default();
    for (published, ((solver, zone), records)) in
        try_join_all(writes).await?.into_iter().zip(&batches)
    {
        presented.published.extend(published);
        presented.records.extend(records.iter().map(|record| Record {
            zone: zone.clone(),
            owner: record.name.clone(),
            value: record.value.clone(),
            ttl: record.ttl,
            provider: chosen[solver].0.provider.clone(),
        }));
    }
    Ok(presented)
}

/// Sets up the provider of each of `names` and asks nothing of it: what is missing is better known before an order.
pub fn preflight<'a>(
    names: impl IntoIterator<Item = &'a DomainName>,
    solvers: &Solvers,
) -> Result<(), Failure> {
    names.into_iter().try_for_each(|name| set_up(&solvers.choose(name)?).map(drop))
}

fn set_up(solver: &ChosenSolver) -> Result<Box<dyn DnsProvider>, Failure> {
    solver.check_secret()?;
    dns01_providers::build(&solver.provider, &solver.source)
        .attempt(|| format!("set up the provider `{}`", solver.provider))
}

async fn place(
    challenge: &Challenge,
    solvers: &Solvers,
    lookup: &Lookup,
    zone: Option<&Zone>,
) -> Result<(ChosenSolver, Location), Failure> {
    let solver = solvers.choose(&challenge.domain)?;
    let found = match (zone, solver.follow_cname) {
        (Some(zone), _) => lookup.locate_in(&challenge.fqdn, zone).await,
        (None, true) => lookup.locate(&challenge.fqdn).await,
        (None, false) => lookup.locate_literally(&challenge.fqdn).await,
    };
    Ok((solver, found.attempt(|| format!("find the zone of `{}`", challenge.fqdn))?))
}

/// One write, and what is there afterwards. A signal lets it end, so that its outcome is known.
async fn write(
    provider: &dyn DnsProvider,
    id: &str,
    zone: &Zone,
    records: &[TxtRecord],
    io: &StepIo,
) -> Result<Vec<Published>, Failure> {
    let names = listed(records);
    let added = io.interrupt().protect(provider.add(zone, records)).await;
    added.attempt(|| format!("add TXT {names} to zone `{zone}` at {id}")).map_err(|failure| {
        // A refusal is certain; after a time-out nobody knows.
        if failure.exit().is_retryable() {
            failure
        } else {
            failure.state(format!("nothing was written to zone `{zone}`"))
        }
    })?;
    dns01_core::fail_point::pass("present::added");
    let mut owners: Vec<&OwnerName> = records.iter().map(|record| &record.name).collect();
    owners.sort();
    owners.dedup();
    try_join_all(owners.into_iter().map(|owner| async move {
        let published = dns01_providers::published(provider, zone, owner).await;
        published.attempt(|| format!("read back TXT `{owner}` from zone `{zone}` at {id}"))
    }))
    .await
}

fn listed(records: &[TxtRecord]) -> String {
    let mut names: Vec<String> =
        records.iter().map(|record| format!("`{}`", record.name)).collect();
    names.dedup();
    names.join(", ")
}

fn lowest_ttl(provider: &str) -> u32 {
    dns01_providers::find(provider).map_or(60, |spec| spec.min_ttl)
}

impl Presented {
    /// One line for people: how many records, where.
    pub fn summary(&self) -> String {
        let mut places: Vec<String> = self
            .records
            .iter()
            .map(|record| format!("{} (zone {}, {})", record.owner, record.zone, record.provider))
            .collect();
        places.dedup();
        match places.as_slice() {
            [] => "nothing to publish".to_owned(),
            [place] => format!("{} TXT at {place}", self.records.len()),
            [place, others @ ..] => {
                format!("{} TXT at {place} and {} more", self.records.len(), others.len())
            }
        }
    }
}
