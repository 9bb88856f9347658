//! The stages of a strategy, one after the other, within one deadline.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dns01_core::Zone;
use futures_util::future::{Either, join, join_all, select};
use hickory_proto::op::Message;
use hickory_proto::rr::Record;
use tokio::time::{Instant, sleep};

use super::{Ended, Moved, Plan, Run, moves};
use crate::engine::{Lego, Rule, Streak};
use crate::resolver::Resolver;
use crate::strategy::{Stage, Way};
use crate::{Dnssec, Expectation, LookupError, Patience, Progress, Report};
use crate::{delegation, dnssec, truth};

/// The DS records of each zone that is known to have some or none.
type Signers = BTreeMap<Zone, Vec<Record>>;

/// A rule with another to fall back on gets lego's own timeout, or half of what is left.
const FALL_BACK: Duration = Duration::from_mins(1);

/// An alias that changes more often than this is not waited for.
const MAX_MOVES: usize = 3;
/// When a wait takes longer than this, the delegation is looked at meanwhile.
const LONG: Duration = Duration::from_secs(1);
/// Where a server fails, its zone's servers are looked up again: first after this, then ever more rarely.
const RETHINK: Duration = Duration::from_secs(5);

/// Waits as [`crate::Lookup::wait`] says.
pub(crate) async fn wait(
    resolver: &Resolver,
    expected: &[Expectation],
    patience: &Patience,
    progress: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Result<Report, LookupError> {
    let asks = patience.strategy.0.iter().any(|stage| matches!(stage, Stage::Authorities(_)));
    let expected = if asks { expected.to_vec() } else { Vec::new() };
    let plan = Plan::new(resolver, &expected).await?;
    let mut waiting = Waiting { resolver, patience, start: Instant::now(), expected, plan };
    let mut report = Report::default();
    for stage in &patience.strategy.0 {
        match stage {
            Stage::Fixed(pause) => {
                tracing::info!(seconds = pause.as_secs(), "waiting without asking anyone");
                sleep(*pause).await;
            }
            Stage::Authorities(ways) => report = waiting.authorities(ways, progress).await?,
            Stage::Resolvers => {
                let gate = waiting.plan.through(&patience.gates)?;
                let seen = waiting.run(&gate, Rule::Stable, waiting.left(), progress).await?;
                report.add(seen.report);
                if !seen.done {
                    return Err(LookupError::NotYet { report: Box::new(report) });
                }
            }
        }
    }
    report.waited_ms = u64::try_from(waiting.start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// A wait: what is fixed, and what is found out again when something fails.
struct Waiting<'a> {
    resolver: &'a Resolver,
    patience: &'a Patience,
    start: Instant,
    expected: Vec<Expectation>,
    plan: Plan,
}

impl Waiting<'_> {
    fn left(&self) -> Duration {
        self.patience.timeout.saturating_sub(self.start.elapsed())
    }

    /// The values are there, wherever the aliases lead in the end; what else there is to say is found out meanwhile.
    async fn authorities(
        &mut self,
        ways: &[Way],
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Report, LookupError> {
        let mut moved = Vec::new();
        loop {
            let (mut seen, signers) = self.with_parents(ways, progress).await?;
            seen.report.dnssec = examine(self.resolver, &self.plan, &signers, seen.answers).await;
            let news = moves::follow(self.resolver, &mut self.expected).await;
            let again = !news.is_empty() && moved.len() < MAX_MOVES;
            moved.extend(news);
            seen.report.moved.clone_from(&moved);
            if seen.done && !again {
                return Ok(seen.report);
            }
            if !again || self.left().is_zero() {
                truth::explain(self.resolver, &self.plan, &mut seen.report).await;
                return Err(LookupError::NotYet { report: Box::new(seen.report) });
            }
            tracing::info!("{}", moved.last().map(Moved::sentence).unwrap_or_default());
            self.plan = Plan::new(self.resolver, &self.expected).await?;
        }
    }

    /// The parent zones are asked meanwhile, for DS records and, when it takes long, for their delegations. A wait that
    /// ends well is not held up by the latter.
    async fn with_parents(
        &mut self,
        ways: &[Way],
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<(Ended, Signers), LookupError> {
        let (resolver, zones) = (self.resolver, self.plan.zones.clone());
        let signers = dnssec::signers(resolver, zones.iter().map(|it| &it.zone));
        let seen = pin!(join(self.by_ways(ways, progress), signers));
        let delegations = pin!(async {
            sleep(LONG).await;
            delegation::differences(resolver, zones.iter()).await
        });
        let ((seen, signers), delegations) = match select(seen, delegations).await {
            Either::Left((seen, _)) => (seen, None),
            Either::Right((found, seen)) => (seen.await, Some(found)),
        };
        let mut seen = seen?;
        seen.report.delegation = match delegations {
            None if !seen.done => delegation::differences(resolver, zones.iter()).await,
            found => found.unwrap_or_default(),
        };
        Ok((seen, signers))
    }

    async fn by_ways(
        &mut self,
        ways: &[Way],
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Ended, LookupError> {
        let mut seen = Ended { done: false, report: Report::default(), answers: Vec::new() };
        for (index, way) in ways.iter().enumerate() {
            let is_last = index + 1 == ways.len();
            let timeout = if is_last { self.left() } else { FALL_BACK.min(self.left() / 2) };
            let rule = match way {
                Way::Stable => Rule::Stable,
                Way::Lego => Rule::Lego(Lego::new()),
                Way::Streak => Rule::Streak(Streak::new(self.patience.streak)),
            };
            seen = self.at_those_of_now(&rule, timeout, progress).await?;
            if seen.done {
                let confirms = *way != Way::Lego && seen.report.total > 0;
                seen.report.confirmed = confirms.then(|| Instant::now().into_std());
                break;
            }
            if !is_last {
                tracing::info!("{way:?} gave up after {} s; falling back", timeout.as_secs());
            }
        }
        Ok(seen)
    }

    /// The same rule from the start, whenever the zones turn out to have other servers.
    async fn at_those_of_now(
        &mut self,
        rule: &Rule,
        timeout: Duration,
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Ended, LookupError> {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let in_trouble = AtomicBool::new(false);
            let other = {
                let (plan, start, in_trouble) = (&self.plan, self.start, &in_trouble);
                let run = Run { plan, start, timeout: left, in_trouble };
                let run = pin!(run.run(rule.clone(), progress));
                match select(run, pin!(self.other_servers(in_trouble))).await {
                    Either::Left((seen, _)) => return seen,
                    Either::Right((plan, _)) => plan,
                }
            };
            tracing::info!("the zone has other name servers than before; asking these");
            self.plan = other;
        }
    }

    /// While a server fails: the plan with the servers of now, once they are others.
    async fn other_servers(&self, in_trouble: &AtomicBool) -> Plan {
        let mut pause = RETHINK;
        loop {
            sleep(pause).await;
            if in_trouble.load(Ordering::Relaxed) {
                if let Ok(plan) = Plan::new(self.resolver, &self.expected).await
                    && plan.addresses() != self.plan.addresses()
                {
                    return plan;
                }
                pause *= 2;
            }
        }
    }

    async fn run(
        &self,
        plan: &Plan,
        rule: Rule,
        timeout: Duration,
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Ended, LookupError> {
        let in_trouble = AtomicBool::new(false);
        Run { plan, start: self.start, timeout, in_trouble: &in_trouble }.run(rule, progress).await
    }
}

/// What validation says of each zone.
async fn examine(
    resolver: &Resolver,
    plan: &Plan,
    signers: &Signers,
    answers: Vec<Option<Message>>,
) -> Vec<Dnssec> {
    let mut evidence = vec![Vec::new(); plan.zones.len()];
    for (question, answer) in plan.questions.iter().zip(answers) {
        evidence[question.zone].extend(question.at.address().zip(answer));
    }
    let zones = plan.zones.iter().zip(evidence).map(|(it, evidence)| {
        let servers = it.addresses().map(|(_, address)| address).collect();
        dnssec::examine(resolver, &it.zone, servers, signers.get(&it.zone), evidence)
    });
    join_all(zones).await
}
