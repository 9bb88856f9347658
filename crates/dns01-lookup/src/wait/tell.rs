//! What the engine has seen, told by zone, server and address.

use std::time::Duration;

use super::{Plan, Question};
use crate::engine::{Engine, Kind, Target};
use crate::resolver::show;
use crate::{Report, ServerReport};

impl Plan {
    /// What the engine has seen, by zone and address; an address agrees when it does for every name.
    pub(super) fn report(&self, engine: &Engine, now: Duration) -> Report {
        let excused = engine.excused();
        let seen: Vec<_> = self.questions.iter().zip(engine.targets()).zip(excused).collect();
        let servers: Vec<_> = seen
            .chunk_by(|((one, _), _), ((next, _), _)| {
                (one.zone, one.address) == (next.zone, next.address)
            })
            .map(|names| self.server_report(names, now))
            .collect();
        Report {
            agreeing: servers.iter().filter(|server| server.agrees && !server.excused).count(),
            total: servers.iter().filter(|server| !server.excused).count(),
            unresolved: self.zones.iter().flat_map(|zone| zone.unresolved.clone()).collect(),
            waited_ms: millis(now),
            servers,
        }
    }

    fn server_report(&self, names: &[((&Question, &Target), bool)], now: Duration) -> ServerReport {
        // What is said is about the name that is furthest behind.
        let worst = names.iter().min_by_key(|((_, target), _)| (target.agrees(), target.phase()));
        let ((question, target), _) = worst.unwrap_or(&names[0]);
        let zone = &self.zones[question.zone];
        let (mut words, since) = match target.last() {
            Some((seen, since)) => (seen.words.clone(), since),
            None => ("has not answered".to_owned(), Duration::ZERO),
        };
        if target.wavers() {
            words = format!("goes back and forth and now {words}");
        }
        if names.len() > 1 {
            words = format!("{words} at `{}`", question.owner);
        }
        let targets = || names.iter().map(|((_, target), _)| *target);
        let agrees = targets().all(Target::agrees);
        ServerReport {
            zone: zone.zone.clone(),
            server: zone.servers[question.server].name.clone(),
            address: show(question.address),
            agrees,
            excused: names.iter().any(|(_, excused)| *excused),
            answered: targets()
                .any(|it| matches!(it.last_kind(), Some(Kind::Shown | Kind::Missing))),
            first_seen_ms: targets()
                .map(Target::first_seen)
                .max_by_key(|at| at.unwrap_or(Duration::MAX))
                .flatten()
                .map(millis),
            last_answer: words,
            since_ms: millis(now.saturating_sub(since)),
            serial: target.last().and_then(|(seen, _)| seen.serial),
            flips: targets().map(Target::flips).sum(),
            asked: targets().map(Target::asked).sum(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
