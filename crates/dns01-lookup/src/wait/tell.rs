//! What the engine has seen, told by zone, server and address.

use std::net::SocketAddr;
use std::time::Duration;

use dns01_core::Zone;
use hickory_proto::rr::Name;

use super::Plan;
use super::plan::Question;
use crate::engine::{Engine, Target};
use crate::report::SHOWED;
use crate::{Answered, Report, ServerReport};

impl Plan {
    /// What the engine has seen, by zone and address; an address agrees when it does for every name.
    pub(super) fn report(&self, engine: &Engine, now: Duration) -> Report {
        let excused = engine.excused();
        let seen: Vec<_> = self.questions.iter().zip(engine.targets()).zip(excused).collect();
        let servers: Vec<_> = seen
            .chunk_by(|((one, _), _), ((next, _), _)| one.shares_its_address(next))
            .map(|names| self.server_report(names, now))
            .collect();
        Report {
            agreeing: servers.iter().filter(|server| server.agrees && !server.excused).count(),
            total: servers.iter().filter(|server| !server.excused).count(),
            unresolved: self.zones.iter().flat_map(|zone| zone.unresolved.clone()).collect(),
            waited_ms: millis(now),
            asked: servers.iter().map(|server| server.asked).sum(),
            delegation: Vec::new(),
            moved: Vec::new(),
            dnssec: Vec::new(),
            primary: None,
            reason: None,
            confirmed: None,
            servers,
        }
    }

    /// How many addresses show everything: what the report says, without making one.
    pub(super) fn agreeing(&self, engine: &Engine) -> usize {
        let mut left = engine.targets();
        let agrees = |names: &&[Question]| {
            let (own, others) = left.split_at(names.len());
            left = others;
            own.iter().all(Target::agrees)
        };
        self.questions.chunk_by(Question::shares_its_address).filter(agrees).count()
    }

    /// Every zone's addresses, in the order of the report's servers.
    pub(crate) fn addresses(&self) -> Vec<(Zone, SocketAddr)> {
        self.questions
            .chunk_by(Question::shares_its_address)
            .filter_map(|names| {
                Some((self.zones[names[0].zone].zone.clone(), names[0].at.address()?))
            })
            .collect()
    }

    /// Whether the provider said that it holds all values in `zone`.
    pub(crate) fn is_held(&self, zone: &Zone) -> bool {
        self.held.contains(zone)
    }

    /// The names asked for in `zone`, each with its values.
    pub(crate) fn names_in(&self, zone: &Zone) -> impl Iterator<Item = (&Name, &[String])> {
        let first = self.questions.iter().find(|it| self.zones[it.zone].zone == *zone);
        self.questions
            .iter()
            .filter(move |it| {
                first.is_some_and(|first| (first.zone, &first.at) == (it.zone, &it.at))
            })
            .map(|it| (&it.wire, &it.values[..]))
    }

    /// The values that the provider doesn't hold, as far as that is known.
    fn foreign(&self, question: &Question, mut others: Vec<String>) -> Vec<String> {
        if let Some(held) = self.published.get(&question.owner) {
            others.retain(|value| !held.contains(value));
        }
        others
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
            let so_far = if target.flips() > 1 { "goes back and forth and now " } else { SHOWED };
            words = format!("{so_far}{words}");
        }
        if names.len() > 1 {
            words = format!("{words} at `{}`", question.owner);
        }
        let targets = || names.iter().map(|((_, target), _)| *target);
        let agrees = targets().all(Target::agrees);
        let details = target.last().map(|(seen, _)| seen.details.clone()).unwrap_or_default();
        let answered = match (targets().any(Target::answers), details.failed) {
            (false, _) => Answered::No,
            (true, true) => Answered::Failing,
            (true, false) => Answered::Yes,
        };
        ServerReport {
            zone: zone.zone.clone(),
            owner: question.owner.clone(),
            role: self.role,
            server: zone.servers[question.server].name.clone(),
            address: question.at.show(),
            agrees,
            excused: names.iter().any(|(_, excused)| *excused),
            answered,
            first_seen_ms: targets()
                .map(Target::first_seen)
                .max_by_key(|at| at.unwrap_or(Duration::MAX))
                .flatten()
                .map(millis),
            last_answer: words,
            since_ms: millis(now.saturating_sub(since)),
            rcode: details.code,
            rtt_us: (answered != Answered::No).then(|| micros(details.round_trip)),
            last_miss_ms: targets().filter_map(Target::last_miss).max().map(millis),
            missing: details.missing,
            extra: self.foreign(question, details.others),
            negative_ttl: details.keep,
            serial: details.serial,
            newest_serial: None,
            flips: targets().map(Target::flips).sum(),
            asked: targets().map(Target::asked).sum(),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
