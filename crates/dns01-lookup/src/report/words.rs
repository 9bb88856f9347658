//! The report in words: one line for the failure, what to do, and a line for each address.

use std::time::Duration;

use super::{Report, ServerReport};

/// More servers than this are not named in one line.
const MAX_NAMED: usize = 8;

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

/// Whole seconds for people, tenths below ten.
fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    if tenths < 100 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} s", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use dns01_core::Zone;

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
