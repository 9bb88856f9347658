//! `wait-propagation`: returns when every address of every authoritative server shows the values of the challenges.
//!
//! Asks the servers themselves, never a cache; opens no journal, holds no credential, writes nothing. Where `present`
//! said what the provider holds (`--published`), a value missing there is told apart from a server that lags.

mod lego;
mod look;
mod patience;
mod telling;

use std::collections::BTreeMap;

use clap::Parser;
use dns01_core::{Challenge, Exit, OwnerName, Published, Zone};
use dns01_lookup::{Expectation, GateArg, Lookup, LookupArgs, Patience, Report};
use dns01_step::config::{GoDuration, Propagation};
use dns01_step::{Attempt, ChallengeArgs, Definitions, Failure, Output, Step, StepIo};

pub use lego::is_about_waiting;
use patience::TIMEOUT;
pub use patience::{Asked, patience};
pub use telling::Telling;

/// Wait until every authoritative server shows the values of the challenges.
#[derive(Debug, Parser)]
pub struct WaitPropagation {
    /// Name to look at with --check or --watch, such as _acme-challenge.example.org
    #[arg(value_name = "NAME", conflicts_with_all = ["challenges", "fqdn", "domain"])]
    name: Option<OwnerName>,
    /// Ask every name server once what it has at NAME, and show it (exit 80 unless all agree)
    #[arg(long, requires = "name", conflicts_with = "watch")]
    check: bool,
    /// The same every two seconds until the timeout, showing what changes
    #[arg(long, requires = "name")]
    watch: bool,
    #[command(flatten)]
    challenges: ChallengeArgs,
    /// What the provider holds, as `present` writes it: a JSON list; empty: not known
    #[arg(long, value_name = "JSON")]
    published: Option<String>,
    /// Zone that holds the records, where it cannot be found by SOA
    #[arg(long, value_name = "ZONE")]
    zone: Option<OwnerName>,
    /// Give up after this, such as 90s or 15m; default: 10m
    #[arg(long, value_name = "DURATION", value_parser = patience::seconds_too)]
    timeout: Option<GoDuration>,
    /// What counts as visible: stable, or stable,resolvers, fixed:60s, none
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<String>,
    /// Recursive resolvers that have to show it too, after the authorities, as IP, IP:port or https:// URL
    #[arg(long, value_name = "IP[:PORT]|URL")]
    gate_resolver: Vec<GateArg>,
    #[command(flatten)]
    lookup: LookupArgs,
}

impl Step for WaitPropagation {
    const NAME: &'static str = "wait-propagation";
    const OUTPUTS: &'static [Output] = &[Output {
        name: "report",
        about: "what each address of each server showed, as JSON",
        default: "",
    }];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        if let Some(name) = &self.name {
            return self.look(name, io).await;
        }
        let challenges = self.challenges.read()?;
        let published = published(self.published.as_deref())?;
        let asked = Asked {
            timeout: self.timeout.map(|timeout| timeout.0),
            strategy: self.strategy.as_deref(),
            gates: &self.gate_resolver,
        };
        let patience = patience(&asked, &configured(&challenges, io)?)?;
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let zone = self.zone.map(|apex| Zone { apex });
        let expected = expectations(&challenges, &published, &lookup, zone.as_ref()).await?;
        let report = wait(&expected, &lookup, &patience, &mut Telling::new(io), io).await?;
        io.put_json("report", &report)?;
        io.say(summary(&report));
        Ok(())
    }
}

impl WaitPropagation {
    async fn look(&self, name: &OwnerName, io: &StepIo) -> Result<(), Failure> {
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        if !self.watch {
            return look::check(name, &lookup, io).await;
        }
        look::watch(name, &lookup, self.timeout.map_or(TIMEOUT, |timeout| timeout.0), io).await
    }
}

fn published(json: Option<&str>) -> Result<Vec<Published>, Failure> {
    match json.map(str::trim) {
        None | Some("") => Ok(Vec::new()),
        Some(json) => serde_json::from_str(json).attempt(|| "read what `present` published".into()),
    }
}

/// How the solvers of these names want it waited for; their credentials are left alone.
fn configured(challenges: &[Challenge], io: &StepIo) -> Result<Vec<Propagation>, Failure> {
    let definitions = Definitions::load(&io.common().config)?;
    let document = definitions.document_for(io.common().certificate.as_deref());
    let solvers = challenges.iter().filter_map(|one| document?.solver_for(&one.domain));
    Ok(solvers.map(|solver| solver.propagation.clone()).collect())
}

/// What has to be seen where. Where `present` told the zone and owner it wrote to, they are taken from it.
pub async fn expectations(
    challenges: &[Challenge],
    published: &[Published],
    lookup: &Lookup,
    zone: Option<&Zone>,
) -> Result<Vec<Expectation>, Failure> {
    let mut by_owner: BTreeMap<(Zone, OwnerName), Expectation> = BTreeMap::new();
    let mut expect = |zone: &Zone, owner: &OwnerName, it: &Challenge, held: Option<&Published>| {
        let one = by_owner.entry((zone.clone(), owner.clone())).or_insert_with(|| Expectation {
            zone: zone.clone(),
            owner: owner.clone(),
            values: Vec::new(),
            aliases: Vec::new(),
            published: held.cloned(),
        });
        one.values.push(it.value.clone());
        if it.fqdn != *owner {
            one.aliases.push((it.fqdn.clone(), it.value.clone()));
        }
    };
    let mut unknown = Vec::new();
    for challenge in challenges {
        match published.iter().find(|held| held.values.contains(&challenge.value)) {
            Some(held) => expect(&held.zone, &held.owner, challenge, Some(held)),
            None => unknown.push(challenge),
        }
    }
    if let (false, Some(challenge)) = (published.is_empty(), unknown.first()) {
        let what = format!(
            "the provider does not hold the value for `{}` any more: somebody removed it",
            challenge.fqdn
        );
        return Err(Failure::new(Exit::NotYet, what).hint("run `present` again"));
    }
    let fqdns: Vec<OwnerName> = unknown.iter().map(|challenge| challenge.fqdn.clone()).collect();
    let found = match zone {
        None => lookup.locate_all(&fqdns).await,
        Some(zone) => {
            futures_util::future::try_join_all(
                fqdns.iter().map(|fqdn| lookup.locate_in(fqdn, zone)),
            )
            .await
        }
    };
    let found = found.attempt(|| "find the zones of the challenges".into())?;
    for (challenge, location) in unknown.into_iter().zip(found) {
        expect(&location.zone, &location.owner, challenge, None);
    }
    Ok(by_owner.into_values().collect())
}

/// Waits; on failure the report is left as output all the same.
pub async fn wait(
    expected: &[Expectation],
    lookup: &Lookup,
    patience: &Patience,
    telling: &mut Telling,
    io: &StepIo,
) -> Result<Report, Failure> {
    let names =
        expected.iter().map(|one| format!("`{}`", one.owner)).collect::<Vec<_>>().join(", ");
    let seen = lookup.wait(expected, patience, &mut |progress| telling.tell(progress)).await;
    let report = seen.as_ref().err().and_then(dns01_lookup::LookupError::report);
    if let (Some(report), WaitPropagation::NAME) = (report, io.step()) {
        io.put_json("report", report)?;
    }
    let report = seen.attempt(|| format!("see {names} on every name server"))?;
    for delegation in &report.delegation {
        tracing::warn!("{}", delegation.sentence());
    }
    for flaw in report.bogus() {
        tracing::warn!("DNSSEC: {flaw}; a CA that validates will refuse it");
    }
    Ok(report)
}

/// One line for people.
pub fn summary(report: &Report) -> String {
    let tenths = report.waited_ms / 100;
    if report.total == 0 {
        return format!("nobody was asked, {}.{} s", tenths / 10, tenths % 10);
    }
    let excused = match report.servers.iter().filter(|server| server.excused).count() {
        0 => String::new(),
        count => format!(" ({count} cannot be reached from here)"),
    };
    format!(
        "{} of {} addresses agree{excused}, {}.{} s",
        report.agreeing,
        report.total,
        tenths / 10,
        tenths % 10
    )
}
