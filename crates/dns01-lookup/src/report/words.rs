//! The report in words: one line for the failure, what to do, and a line for each address.

use std::time::Duration;

use super::{Report, ServerReport};
use crate::{Answered, Reason, Role};

/// How the answers of a server begin that showed the values and lost them once.
pub(crate) const SHOWED: &str = "showed them and now ";
/// More servers than this are not named in one line.
const MAX_NAMED: usize = 8;

impl ServerReport {
    /// The server and its address, for people: `ns1.example.org (192.0.2.1)`.
    pub fn place(&self) -> String {
        if self.role == Role::Resolver {
            format!("resolver {}", self.address)
        } else if self.server == self.address {
            self.address.clone()
        } else {
            format!("{} ({})", self.server, self.address)
        }
    }

    /// What is wrong with it and for how long: `ns1.example.org (192.0.2.1) still answers NXDOMAIN for 41 s`.
    pub fn sentence(&self) -> String {
        let since = Duration::from_millis(self.since_ms);
        let lag = match (self.serial, self.newest_serial) {
            (Some(own), Some(newest)) => format!(", serial {own} < {newest},"),
            _ => String::new(),
        };
        let still = if self.last_answer.starts_with(SHOWED) { "" } else { "still " };
        format!("{} {still}{}{lag} for {}", self.place(), self.last_answer, seconds(since))
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
        let reason = self.reason().map(|reason| format!("; {reason}")).unwrap_or_default();
        let moved: Vec<_> = self.moved.iter().map(|it| format!("; {}", it.sentence())).collect();
        let moved = moved.concat();
        let bogus: Vec<_> = self.bogus().map(|it| format!("; DNSSEC: {it}")).collect();
        let bogus = bogus.concat();
        if behind.is_empty() {
            behind.push(
                "every server shows it, but not for as long as the strategy wants".to_owned(),
            );
        }
        let behind = behind.join(", ");
        format!("{behind}; {} of {} {verb}{reason}{moved}{bogus}", self.agreeing, self.total)
    }

    /// Whose turn it is, as a half-sentence.
    fn reason(&self) -> Option<String> {
        let primary = match &self.primary {
            Some(it) => {
                format!(": its primary {} ({}) does not show it either", it.server, it.address)
            }
            None => String::new(),
        };
        Some(match self.reason? {
            Reason::ProviderHasNotPublished => {
                format!("the provider holds the value and has not published it{primary}")
            }
            Reason::NotOnThePrimary => format!("no server of the zone shows it{primary}"),
            Reason::SecondaryLags => "a secondary lags behind".to_owned(),
            Reason::SameSerialDiffers => "servers with the same serial differ".to_owned(),
            Reason::ServerFails => "that is the server's failure, not the record's".to_owned(),
            Reason::Removed => "it was there, and somebody removed it".to_owned(),
        })
    }

    pub(crate) fn hint(&self) -> String {
        let Some(first) = self.behind().next() else {
            return "give a longer --timeout".to_owned();
        };
        let zone = &first.zone;
        if !self.moved.is_empty() {
            "run `present` again: it writes where the CNAME leads now".to_owned()
        } else if self.behind().all(|server| server.answered == Answered::No) {
            format!(
                "open port 53 (UDP and TCP) from here to the servers of `{zone}`, or name others with --authority {zone}=IP"
            )
        } else if first.role == Role::Resolver && self.bogus().next().is_some() {
            format!(
                "sign `{zone}` anew, or correct its DS record: a CA will refuse it as resolvers do"
            )
        } else if first.role == Role::Resolver {
            let keeps = first.negative_ttl.filter(|seconds| *seconds > 0);
            let keeps =
                keeps.map(|seconds| format!(", here up to {seconds} s more")).unwrap_or_default();
            format!(
                "wait longer: a resolver may keep an old answer for as long as the SOA record of `{zone}` says{keeps}"
            )
        } else if self.reason == Some(Reason::Removed) {
            "find out who else writes TXT records under this name, then run `present` again"
                .to_owned()
        } else if self.reason == Some(Reason::ProviderHasNotPublished) {
            format!("wait longer, or ask the provider why `{zone}` is not published")
        } else if self.reason == Some(Reason::ServerFails) {
            format!("repair {}, or take it out of the NS records of `{zone}`", first.server)
        } else if self.reason == Some(Reason::SameSerialDiffers) {
            format!("ask the operator of {} why it differs at the same serial", first.server)
        } else if first.flips > 0 {
            format!("ask the operator of {} why its answers differ", first.server)
        } else if let Some(domain) = self.undelegated() {
            format!("delegate `{domain}`: as it is, its closest zone is `{zone}`")
        } else if self.agreeing == 0 {
            format!(
                "check that the records are in zone `{zone}` at the provider that serves it; if they are, wait longer"
            )
        } else {
            format!("wait longer, or repair the zone transfer of `{zone}` to {}", first.server)
        }
    }

    /// The domain that has a zone of its own, and whose delegation from a top-level domain is missing.
    fn undelegated(&self) -> Option<String> {
        let first = self.behind().next()?;
        let is_top = first.zone.apex.labels().count() == 1;
        let top = is_top && first.rcode.as_deref() == Some("NXDOMAIN");
        let owner = first.owner.as_str().strip_suffix(&format!(".{}", first.zone))?;
        let domain = owner.rsplit('.').next()?;
        top.then(|| format!("{domain}.{}", first.zone))
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
        let dnssec =
            self.dnssec.iter().filter_map(|it| Some(("DNSSEC".to_owned(), it.reason.clone()?)));
        let delegation = self.delegation.iter().map(|it| ("delegation".to_owned(), it.sentence()));
        let lines = self.servers.iter().map(line).chain(unresolved);
        lines.chain(delegation).chain(dnssec).collect()
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
        let zone = Zone { apex: "a.test".parse().unwrap() };
        let (name, address) = (format!("ns{number}.a.test"), format!("192.0.2.{number}"));
        ServerReport {
            agrees,
            answered: Answered::Yes,
            last_answer: "answers NXDOMAIN".to_owned(),
            since_ms: 41_900,
            serial: Some(7),
            asked: 12,
            ..ServerReport::unasked(zone, name, address)
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
            report.hint(),
            "wait longer, or repair the zone transfer of `a.test` to ns2.a.test"
        );
    }

    #[test]
    fn a_lag_is_told_by_its_serials_and_the_reason_ends_the_line() {
        let mut late = server(2, false);
        (late.serial, late.newest_serial) = (Some(2_026_112_101), Some(2_026_112_102));
        let mut report = report(vec![server(1, true), late]);
        report.reason = Some(Reason::SecondaryLags);
        assert_eq!(
            report.why(),
            "ns2.a.test (192.0.2.2) still answers NXDOMAIN, serial 2026112101 < 2026112102, for 41 s; \
             1 of 2 addresses agree; a secondary lags behind"
        );
        report.reason = Some(Reason::Removed);
        assert!(report.why().ends_with("; it was there, and somebody removed it"));
        assert!(report.hint().starts_with("find out who else writes"));
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
        assert!(report.hint().starts_with("check that the records are in zone `a.test`"));
    }

    #[test]
    fn seconds_have_tenths_while_they_matter() {
        let shown =
            [40, 1_990, 9_999, 10_000, 61_500].map(|millis| seconds(Duration::from_millis(millis)));
        assert_eq!(shown, ["0.0 s", "1.9 s", "9.9 s", "10 s", "61 s"]);
    }
}
