//! What was seen where: the report that says why a wait ended as it did.

use std::time::Duration;

use dns01_core::Zone;
use serde::Serialize;

use crate::Unresolved;
use crate::engine::{Engine, Kind, Target};
use crate::resolver::show;
use crate::wait::{Plan, Question};

/// More servers than this are not named in one line.
const MAX_NAMED: usize = 8;

/// What every address of every server showed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One entry for each zone and address.
    pub servers: Vec<ServerReport>,
    /// Name servers that could not be asked because they have no address.
    pub unresolved: Vec<Unresolved>,
    /// How many addresses showed everything.
    pub agreeing: usize,
    /// How many had to. Addresses that cannot be reached from here don't count where their server has another.
    pub total: usize,
    /// How long this took, in milliseconds.
    pub waited_ms: u64,
}

/// What one address showed of one zone.
#[derive(Clone, Debug, Serialize)]
pub struct ServerReport {
    /// The zone.
    pub zone: Zone,
    /// The server's name, or its address where only that is known.
    pub server: String,
    /// The address, with the port unless it is 53.
    pub address: String,
    /// Whether it shows all values, lastingly.
    pub agrees: bool,
    /// Whether it is left out of the count: not reachable from here, while its server answers at another address.
    pub excused: bool,
    /// Whether it answered the last question at all.
    pub answered: bool,
    /// When it first showed all values, in milliseconds since the start.
    pub first_seen_ms: Option<u64>,
    /// What it last answered, in words: `answers NXDOMAIN`, `shows 1 of 2 values`, `does not answer`.
    pub last_answer: String,
    /// For how long it has been answering that, in milliseconds.
    pub since_ms: u64,
    /// The zone's serial, where a negative answer told it.
    pub serial: Option<u32>,
    /// How often it went back from showing the values to not showing them.
    pub flips: u32,
    /// How many questions it was asked.
    pub asked: u32,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// How many addresses show everything.
    pub agreeing: usize,
    /// How many have to.
    pub total: usize,
    /// Since the start of the wait.
    pub elapsed: Duration,
    /// Those that don't yet.
    pub behind: &'a [ServerReport],
}

impl ServerReport {
    /// The server and its address, for people: `ns1.example.org (192.0.2.1)`.
    pub fn place(&self) -> String {
        if self.server == self.address {
            self.address.clone()
        } else {
            format!("{} ({})", self.server, self.address)
        }
    }

    /// What is wrong with it and for how long: `ns1.example.org (192.0.2.1) still answers NXDOMAIN for 41 s`.
    pub fn sentence(&self) -> String {
        let since = Duration::from_millis(self.since_ms);
        format!("{} still {} for {}", self.place(), self.last_answer, seconds(since))
    }
}

impl Report {
    /// The servers that count and do not agree.
    pub fn behind(&self) -> impl Iterator<Item = &ServerReport> {
        self.servers.iter().filter(|server| !server.agrees && !server.excused)
    }

    /// One line that names each server that is behind, what it answers and for how long.
    pub(crate) fn why(&self) -> String {
        let mut behind: Vec<_> = self.behind().map(ServerReport::sentence).collect();
        let more = behind.len().saturating_sub(MAX_NAMED);
        behind.truncate(MAX_NAMED);
        if more > 0 {
            behind.push(format!("and {more} more"));
        }
        let verb = if self.total == 1 { "address agrees" } else { "addresses agree" };
        format!("{}; {} of {} {verb}", behind.join(", "), self.agreeing, self.total)
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let first = self.behind().next()?;
        let zone = &first.zone;
        Some(if self.behind().all(|server| !server.answered) {
            format!(
                "open port 53 (UDP and TCP) from here to the servers of `{zone}`, or name others with --authority {zone}=IP"
            )
        } else if first.flips > 0 {
            format!("ask the operator of {} why its answers differ", first.server)
        } else if self.agreeing == 0 {
            format!(
                "check that the records are in zone `{zone}` at the provider that serves it; if they are, wait longer"
            )
        } else {
            format!("wait longer, or repair the zone transfer of `{zone}` to {}", first.server)
        })
    }

    pub(crate) fn facts(&self) -> Vec<(String, String)> {
        let line = |server: &ServerReport| {
            let serial =
                server.serial.map(|serial| format!(", serial {serial}")).unwrap_or_default();
            let label = match (server.agrees, server.excused) {
                (true, _) => "agrees",
                (false, true) => "not counted",
                (false, false) => "behind",
            };
            let value = format!(
                "{} {} for {} (asked {}×, went back {}×{serial})",
                server.place(),
                server.last_answer,
                seconds(Duration::from_millis(server.since_ms)),
                server.asked,
                server.flips,
            );
            (label.to_owned(), value)
        };
        let unresolved = self.unresolved.iter().map(|it| {
            ("no address".to_owned(), format!("{} of zone {}: {}", it.server, it.zone, it.reason))
        });
        self.servers.iter().map(line).chain(unresolved).collect()
    }
}

impl Plan {
    /// What the engine has seen, by zone and address; an address agrees when it does for every name.
    pub(crate) fn report(&self, engine: &Engine, now: Duration) -> Report {
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

/// Whole seconds for people, tenths below ten.
pub(crate) fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    if tenths < 100 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} s", tenths / 10)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(number: usize, agrees: bool) -> ServerReport {
        ServerReport {
            zone: Zone { apex: "a.test".parse().unwrap() },
            server: format!("ns{number}.a.test"),
            address: format!("192.0.2.{number}"),
            agrees,
            excused: false,
            answered: true,
            first_seen_ms: None,
            last_answer: "answers NXDOMAIN".to_owned(),
            since_ms: 41_900,
            serial: Some(7),
            flips: 0,
            asked: 12,
        }
    }

    fn report(servers: Vec<ServerReport>) -> Report {
        let agreeing = servers.iter().filter(|server| server.agrees).count();
        Report { total: servers.len(), agreeing, servers, ..Report::default() }
    }

    #[test]
    fn the_line_names_the_server_its_address_its_answer_and_the_time() {
        let report = report((1..=4).map(|number| server(number, number != 2)).collect());
        assert_eq!(
            report.why(),
            "ns2.a.test (192.0.2.2) still answers NXDOMAIN for 41 s; 3 of 4 addresses agree"
        );
        assert_eq!(
            report.facts()[1].1,
            "ns2.a.test (192.0.2.2) answers NXDOMAIN for 41 s (asked 12×, went back 0×, serial 7)"
        );
        assert_eq!(
            report.hint().unwrap(),
            "wait longer, or repair the zone transfer of `a.test` to ns2.a.test"
        );
    }

    #[test]
    fn the_line_stays_short_however_many_are_behind() {
        let report = report((1..=30).map(|number| server(number, false)).collect());
        assert!(
            report.why().contains(", and 22 more; 0 of 30 addresses agree"),
            "{}",
            report.why()
        );
        assert_eq!(report.facts().len(), 30);
        assert!(report.hint().unwrap().starts_with("check that the records are in zone `a.test`"));
    }

    #[test]
    fn seconds_have_tenths_while_they_matter() {
        let shown =
            [40, 1_990, 9_999, 10_000, 61_500].map(|millis| seconds(Duration::from_millis(millis)));
        assert_eq!(shown, ["0.0 s", "1.9 s", "9.9 s", "10 s", "61 s"]);
    }
}
