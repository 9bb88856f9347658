//! Carries out what the engine decides: asks, listens, and tells what was seen.

mod tell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use dns01_core::{OwnerName, Zone};
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use futures_util::stream::{self, FuturesUnordered};
use hickory_proto::rr::{Name, RecordType};
use tokio::time::{Instant, sleep_until};

use crate::authorities::{MAX_SERVERS, authorities};
use crate::engine::{Engine, MAX_IN_FLIGHT, Observation, Rule, Step};
use crate::exchange::{self, Trouble};
use crate::resolver::Resolver;
use crate::sight::{judge, judge_trouble};
use crate::truth;
use crate::wire::to_wire;
use crate::{Authorities, Expectation, LookupError, Progress, Report};

/// `progress` hears at least this often that time goes by.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// What is asked of whom. The index of a question is that of its target in the engine.
pub(crate) struct Plan {
    zones: Vec<Authorities>,
    questions: Vec<Question>,
    /// The zones of which the provider said that it holds all values.
    held: BTreeSet<Zone>,
}

/// All values of one name, at one address.
struct Question {
    /// Indexes into [`Plan::zones`] and its servers.
    zone: usize,
    server: usize,
    address: SocketAddr,
    owner: OwnerName,
    wire: Name,
    values: Vec<String>,
}

/// The answer to a question: which, asked when, and what it showed.
struct Answer {
    question: usize,
    asked_at: Duration,
    seen: Result<Observation, io::Error>,
}

/// Waits as [`crate::Lookup::wait`] says.
pub(crate) async fn wait(
    resolver: &Resolver,
    expected: &[Expectation],
    timeout: Duration,
    progress: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Result<Report, LookupError> {
    let plan = Plan::new(resolver, expected).await?;
    let start = Instant::now();
    let mut engine = Engine::new(Rule::Stable, plan.servers(), timeout);
    let mut answers = FuturesUnordered::new();
    let mut told: Option<(usize, Duration)> = None;
    loop {
        let now = start.elapsed();
        match engine.step(now) {
            Step::Ask(due) => {
                answers.extend(due.into_iter().map(|question| plan.ask(question, now)));
                continue;
            }
            Step::Done => return Ok(plan.report(&engine, now)),
            Step::Late => {
                let mut report = Box::new(plan.report(&engine, now));
                truth::explain(resolver, &plan, &mut report).await;
                return Err(LookupError::NotYet { report });
            }
            Step::Wait(until) => {
                let heard = told.map_or(now, |(_, at)| at + HEARTBEAT);
                tokio::select! {
                    Some(answer) = answers.next() => hear(&mut engine, answer, start.elapsed())?,
                    () = sleep_until(start + until.min(heard.max(now + Duration::from_millis(1)))) => (),
                }
            }
        }
        let elapsed = start.elapsed();
        let report = plan.report(&engine, elapsed);
        if told
            .is_none_or(|(agreeing, at)| agreeing != report.agreeing || elapsed >= at + HEARTBEAT)
        {
            told = Some((report.agreeing, elapsed));
            let behind: Vec<_> = report.behind().cloned().collect();
            let (agreeing, total) = (report.agreeing, report.total);
            progress(&Progress { agreeing, total, elapsed, behind: &behind });
        }
    }
}

/// Looks as [`crate::Lookup::look_once`] says.
pub(crate) async fn look_once(
    resolver: &Resolver,
    expected: &[Expectation],
) -> Result<Report, LookupError> {
    let plan = Plan::new(resolver, expected).await?;
    let start = Instant::now();
    let mut engine = Engine::new(Rule::Stable, plan.servers(), Duration::ZERO);
    let all = 0..plan.questions.len();
    all.clone().for_each(|question| engine.ask(question, Duration::ZERO));
    let mut answers = stream::iter(all)
        .map(|question| plan.ask(question, start.elapsed()))
        .buffer_unordered(MAX_IN_FLIGHT);
    while let Some(answer) = answers.next().await {
        hear(&mut engine, answer, start.elapsed())?;
    }
    drop(answers);
    let report = plan.report(&engine, start.elapsed());
    if report.behind().next().is_some() {
        return Err(LookupError::NotYet { report: Box::new(report) });
    }
    Ok(report)
}

/// Tells the engine; only a fault of this machine ends the wait.
fn hear(engine: &mut Engine, answer: Answer, now: Duration) -> Result<(), LookupError> {
    match answer.seen {
        Ok(seen) => engine.observe(answer.question, answer.asked_at, now, seen),
        Err(error) => return Err(LookupError::Socket(error)),
    }
    Ok(())
}

impl Plan {
    async fn new(resolver: &Resolver, expected: &[Expectation]) -> Result<Self, LookupError> {
        // One question serves all values of a name.
        let mut wanted: BTreeMap<_, BTreeMap<&OwnerName, BTreeSet<&String>>> = BTreeMap::new();
        for it in expected.iter().filter(|it| !it.values.is_empty()) {
            if !it.owner.is_within(&it.zone.apex) {
                let (owner, zone) = (it.owner.clone(), it.zone.clone());
                return Err(LookupError::OutsideZone { owner, zone });
            }
            wanted.entry(&it.zone).or_default().entry(&it.owner).or_default().extend(&it.values);
        }
        let zones = try_join_all(wanted.keys().map(|zone| authorities(resolver, zone))).await?;
        let mut questions = Vec::new();
        for (zone, names) in wanted.values().enumerate() {
            let mut known = BTreeSet::new();
            for (server, address) in
                zones[zone].addresses().filter(|(_, address)| known.insert(*address))
            {
                for (owner, values) in names {
                    let owner = (*owner).clone();
                    let wire = to_wire(&owner).map_err(|error| LookupError::NoZone {
                        name: owner.clone(),
                        why: error.to_string(),
                    })?;
                    let values = values.iter().map(|value| (*value).clone()).collect();
                    questions.push(Question { zone, server, address, owner, wire, values });
                }
            }
        }
        let says_so = |it: &&Expectation| {
            let held = it.published.as_ref().map(|held| &held.values);
            held.is_some_and(|held| it.values.iter().all(|value| held.contains(value)))
        };
        let unknown: BTreeSet<_> =
            expected.iter().filter(|it| !says_so(it)).map(|it| &it.zone).collect();
        let held = wanted.keys().filter(|zone| !unknown.contains(*zone)).map(|it| (*it).clone());
        let held = held.collect();
        Ok(Self { zones, questions, held })
    }

    /// The engine's idea of the servers: a number for each.
    fn servers(&self) -> impl Iterator<Item = usize> {
        self.questions.iter().map(|it| it.zone * MAX_SERVERS + it.server)
    }

    async fn ask(&self, question: usize, asked_at: Duration) -> Answer {
        let Question { address, wire, values, .. } = &self.questions[question];
        let seen = match exchange::ask(*address, wire, RecordType::TXT).await {
            Ok(message) => Ok(judge(&message, wire, values)),
            Err(Trouble::Local(error)) => Err(error),
            Err(trouble) => Ok(judge_trouble(&trouble)),
        };
        Answer { question, asked_at, seen }
    }
}
