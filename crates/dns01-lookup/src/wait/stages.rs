//! The stages of a strategy, one after the other, within one deadline.

use std::collections::BTreeMap;
use std::time::Duration;

use dns01_core::Zone;
use futures_util::future::{join, join_all};
use hickory_proto::op::Message;
use hickory_proto::rr::Record;
use tokio::time::{Instant, sleep};

use super::{Ended, Plan, Run};
use crate::engine::{Lego, Rule, Streak};
use crate::resolver::Resolver;
use crate::strategy::{Stage, Way};
use crate::{Dnssec, Expectation, LookupError, Patience, Progress, Report, dnssec, truth};

/// A rule with another to fall back on gets lego's own timeout, or half of what is left.
const FALL_BACK: Duration = Duration::from_mins(1);

/// Waits as [`crate::Lookup::wait`] says.
pub(crate) async fn wait(
    resolver: &Resolver,
    expected: &[Expectation],
    patience: &Patience,
    progress: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Result<Report, LookupError> {
    let asks = patience.strategy.0.iter().any(|stage| matches!(stage, Stage::Authorities(_)));
    let plan = Plan::new(resolver, if asks { expected } else { &[] }).await?;
    let start = Instant::now();
    let left = || patience.timeout.saturating_sub(start.elapsed());
    let mut report = Report::default();
    for stage in &patience.strategy.0 {
        match stage {
            Stage::Fixed(pause) => {
                tracing::info!(seconds = pause.as_secs(), "waiting without asking anyone");
                sleep(*pause).await;
            }
            Stage::Authorities(ways) => {
                // The parent zones are asked meanwhile.
                let zones = plan.zones.iter().map(|it| &it.zone);
                let seen = by_ways(ways, patience, &plan, start, progress);
                let (seen, signers) = join(seen, dnssec::signers(resolver, zones)).await;
                let mut seen = seen?;
                seen.report.dnssec = examine(resolver, &plan, &signers, seen.answers).await;
                if !seen.done {
                    truth::explain(resolver, &plan, &mut seen.report).await;
                    return Err(LookupError::NotYet { report: Box::new(seen.report) });
                }
                report = seen.report;
            }
            Stage::Resolvers => {
                let gate = plan.through(&patience.gates);
                let run = Run { plan: &gate, start, timeout: left() };
                let seen = run.run(Rule::Stable, progress).await?;
                report.add(seen.report);
                if !seen.done {
                    return Err(LookupError::NotYet { report: Box::new(report) });
                }
            }
        }
    }
    report.waited_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

async fn by_ways(
    ways: &[Way],
    patience: &Patience,
    plan: &Plan,
    start: Instant,
    progress: &mut (dyn FnMut(&Progress<'_>) + Send),
) -> Result<Ended, LookupError> {
    let mut seen = Ended { done: false, report: Report::default(), answers: Vec::new() };
    for (index, way) in ways.iter().enumerate() {
        let left = patience.timeout.saturating_sub(start.elapsed());
        let is_last = index + 1 == ways.len();
        let timeout = if is_last { left } else { FALL_BACK.min(left / 2) };
        let rule = match way {
            Way::Stable => Rule::Stable,
            Way::Lego => Rule::Lego(Lego::new()),
            Way::Streak => Rule::Streak(Streak::new(patience.streak)),
        };
        seen = Run { plan, start, timeout }.run(rule, progress).await?;
        if seen.done {
            break;
        }
        if !is_last {
            tracing::info!("{way:?} gave up after {} s; falling back", timeout.as_secs());
        }
    }
    Ok(seen)
}

/// What validation says of each zone.
async fn examine(
    resolver: &Resolver,
    plan: &Plan,
    signers: &BTreeMap<Zone, Vec<Record>>,
    answers: Vec<Option<Message>>,
) -> Vec<Dnssec> {
    let mut evidence = vec![Vec::new(); plan.zones.len()];
    for (question, answer) in plan.questions.iter().zip(answers) {
        evidence[question.zone].extend(answer.map(|answer| (question.address, answer)));
    }
    let zones = plan.zones.iter().zip(evidence).map(|(it, evidence)| {
        let servers = it.addresses().map(|(_, address)| address).collect();
        dnssec::examine(resolver, &it.zone, servers, signers.get(&it.zone), evidence)
    });
    join_all(zones).await
}
