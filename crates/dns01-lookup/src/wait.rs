//! Carries out what the engine decides: asks, listens, and tells what was seen.

mod moves;
mod plan;
mod stages;
mod tell;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};
use hickory_proto::op::Message;
use tokio::time::{Instant, sleep_until};

use crate::engine::{Engine, MAX_IN_FLIGHT, Observation, Rule, Step};
use crate::resolver::Resolver;
use crate::{Expectation, LookupError, Progress, Report};

pub use moves::Moved;
pub(crate) use plan::Plan;
pub(crate) use stages::wait;

/// `progress` hears at least this often that time goes by.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The answer to a question: which, asked when, what it showed and what it was.
struct Answer {
    question: usize,
    asked_at: Duration,
    seen: Result<(Observation, Option<Message>), io::Error>,
}

/// How a stage ended.
struct Ended {
    /// Whether the rule was satisfied in time.
    done: bool,
    report: Report,
    /// The last answer to each question that showed records.
    answers: Vec<Option<Message>>,
}

/// One stage of a wait: what is asked, until when, and who is told.
struct Run<'a> {
    plan: &'a Plan,
    /// Of the whole wait.
    start: Instant,
    /// For this stage.
    timeout: Duration,
    /// Set while some server has been failing for a while, whatever it shows.
    in_trouble: &'a AtomicBool,
}

impl Run<'_> {
    async fn run(
        &self,
        rule: Rule,
        progress: &mut (dyn FnMut(&Progress<'_>) + Send),
    ) -> Result<Ended, LookupError> {
        let Self { plan, start, timeout, in_trouble } = self;
        let begin = Instant::now();
        let mut engine = Engine::new(rule, plan.servers(), *timeout).with_v6(plan.are_v6());
        let mut kept = vec![None; plan.questions.len()];
        let mut answers = FuturesUnordered::new();
        let mut told: Option<(usize, Duration)> = None;
        loop {
            let now = begin.elapsed();
            match engine.step(now) {
                Step::Ask(due) => {
                    answers.extend(due.into_iter().map(|question| plan.ask(question, now)));
                    continue;
                }
                Step::Done => {
                    let report = plan.report(&engine, now);
                    return Ok(Ended { done: true, report, answers: kept });
                }
                Step::Late => {
                    drop(answers);
                    self.look_again(&mut engine, begin).await?;
                    let report = plan.report(&engine, begin.elapsed());
                    return Ok(Ended { done: false, report, answers: kept });
                }
                Step::Wait(until) => {
                    let heard = told.map_or(now, |(_, at)| at + HEARTBEAT);
                    let until = until.min(heard.max(now + Duration::from_millis(1)));
                    tokio::select! {
                        Some(mut answer) = answers.next() => {
                            keep(&mut kept, &mut answer);
                            hear(&mut engine, answer, begin.elapsed())?;
                        }
                        () = sleep_until(begin + until) => (),
                    }
                }
            }
            let now = begin.elapsed();
            in_trouble.store(engine.in_trouble(now), Ordering::Relaxed);
            let agreeing = plan.agreeing(&engine);
            if told.is_none_or(|(before, at)| before != agreeing || now >= at + HEARTBEAT) {
                told = Some((agreeing, now));
                let report = plan.report(&engine, now);
                let (agreeing, total) = (report.agreeing, report.total);
                let (elapsed, servers) = (start.elapsed(), &report.servers[..]);
                progress(&Progress { agreeing, total, elapsed, servers });
            }
        }
    }
}

impl Run<'_> {
    /// Those that showed the values and were left alone since may have lost them; whether they did is part of the reason.
    async fn look_again(&self, engine: &mut Engine, begin: Instant) -> Result<(), LookupError> {
        let stale = engine.stale(begin.elapsed());
        let mut answers = stream::iter(stale)
            .map(|question| self.plan.ask(question, begin.elapsed()))
            .buffer_unordered(MAX_IN_FLIGHT);
        while let Some(answer) = answers.next().await {
            let (seen, _) = answer.seen.map_err(LookupError::Socket)?;
            engine.record(answer.question, begin.elapsed(), seen);
        }
        Ok(())
    }
}

/// Looks as [`crate::Lookup::look_once`] says.
pub(crate) async fn look_once(
    resolver: &Resolver,
    expected: &[Expectation],
) -> Result<Report, LookupError> {
    let plan = Plan::new(resolver, expected).await?;
    let start = Instant::now();
    let rule = Rule::Stable;
    let mut engine = Engine::new(rule, plan.servers(), Duration::ZERO).with_v6(plan.are_v6());
    let mut due: Vec<_> = (0..plan.questions.len()).collect();
    // Who says nothing is asked once more: packets get lost, and so do all that IPv6 swallows.
    for _ in 0..2 {
        for question in &due {
            engine.ask(*question, start.elapsed());
        }
        let mut answers = stream::iter(due)
            .map(|question| plan.ask(question, start.elapsed()))
            .buffer_unordered(MAX_IN_FLIGHT);
        while let Some(answer) = answers.next().await {
            hear(&mut engine, answer, start.elapsed())?;
        }
        drop(answers);
        due = engine.silent();
    }
    let report = plan.report(&engine, start.elapsed());
    if report.behind().next().is_some() {
        return Err(LookupError::NotYet { report: Box::new(report) });
    }
    Ok(report)
}

/// Keeps an answer with records in it.
fn keep(kept: &mut [Option<Message>], answer: &mut Answer) {
    let Ok((_, message)) = &mut answer.seen else { return };
    if let Some(message) = message.take().filter(|it| !it.answers.is_empty()) {
        kept[answer.question] = Some(message);
    }
}

/// Tells the engine; only a fault of this machine ends the wait.
fn hear(engine: &mut Engine, answer: Answer, now: Duration) -> Result<(), LookupError> {
    match answer.seen {
        Ok((seen, _)) => engine.observe(answer.question, answer.asked_at, now, seen),
        Err(error) => return Err(LookupError::Socket(error)),
    }
    Ok(())
}
