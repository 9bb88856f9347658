//! The servers that most benches share, and the contenders with their homes on them.

use super::client::{Client, Pace};
use super::measure::{Job, Sample, Series};
use super::site::{self, Site};
use anyhow::bail;
use harness::{Lab, NameServer as _, Named, Pebble, Zone};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// After this a bench begins no further round, so that all of them end within a quarter of an hour.
const LONGEST: Duration = Duration::from_secs(150);

/// A client by its name, and a CA by its directory.
type HomeOf = (&'static str, String);

/// The servers, and what has been prepared on them.
pub(super) struct Ground {
    pub(super) lab: Lab,
    pub(super) named: Named,
    /// It validates by asking the primary.
    pub(super) pebble: Pebble,
    pub(super) site: Site,
    /// A CA that accepts every challenge at once: where lego has luck each time.
    pub(super) lucky: Site,
    _accepting: Pebble,
    dns01: PathBuf,
    runs: usize,
    names: Cell<usize>,
    /// A home with an account, or why there is none.
    homes: RefCell<BTreeMap<HomeOf, Result<PathBuf, String>>>,
}

impl Ground {
    /// Starts all of it; only inside the private namespace.
    pub(super) fn start(dns01: &Path, runs: usize) -> anyhow::Result<Self> {
        let lab = Lab::new();
        site::own_hosts(&lab)?;
        let named = Named::builder(&lab).zone(Zone::new("bench.test")).secondaries(1).start();
        let pebble = Pebble::builder(&lab, named.address()).start();
        let accepting = Pebble::builder(&lab, named.address()).always_valid().start();
        let servers = [vec![named.address()], named.secondary_addresses()].concat();
        let site = Site::new(&lab, &named, &servers, &pebble)?;
        let lucky = site.at(accepting.directory());
        let (names, homes) = (Cell::new(0), RefCell::default());
        let dns01 = dns01.to_owned();
        Ok(Self {
            lab,
            named,
            pebble,
            site,
            lucky,
            _accepting: accepting,
            dns01,
            runs,
            names,
            homes,
        })
    }

    /// How often the quick things are repeated.
    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    /// How often the slower things are repeated.
    pub(super) fn fewer(&self) -> usize {
        self.runs.div_ceil(3).max(self.runs.min(2))
    }

    /// A name in `zone` that no CA has seen.
    pub(super) fn fresh(&self, zone: &str) -> String {
        let number = self.names.get();
        self.names.set(number + 1);
        format!("n{number}.{zone}")
    }

    /// The program of a client.
    pub(super) fn program(&self, client: Client) -> anyhow::Result<PathBuf> {
        client.program(&self.dns01).map_err(anyhow::Error::msg)
    }

    /// A home of `client` with an account at the CA of `site`, made on the first call, before anything is measured.
    pub(super) fn home(&self, client: Client, site: &Site) -> anyhow::Result<PathBuf> {
        let key = (client.name(), site.directory.clone());
        if !self.homes.borrow().contains_key(&key) {
            let made = self.make_home(client, site).map_err(|error| format!("{error:#}"));
            self.homes.borrow_mut().insert(key.clone(), made);
        }
        match self.homes.borrow().get(&key) {
            Some(Ok(home)) => Ok(home.clone()),
            Some(Err(why)) => bail!("{why}"),
            None => bail!("no home"),
        }
    }

    fn make_home(&self, client: Client, site: &Site) -> anyhow::Result<PathBuf> {
        let home = self.empty_home(client)?;
        let job = self.job(client, site, &home, &[self.fresh(&site.zone)], Pace::Eager)?;
        // certbot without a wait may fail, but has its account then.
        let first = job.run(&self.scratch());
        if client != Client::Certbot {
            first?;
        }
        Ok(home)
    }

    /// A home without an account.
    pub(super) fn empty_home(&self, client: Client) -> anyhow::Result<PathBuf> {
        let (home, program) = (self.lab.folder("home"), self.program(client)?);
        client.furnish(&program, &home)?;
        Ok(home)
    }

    /// A copy of a home, for a process beside others.
    pub(super) fn copy(&self, home: &Path) -> anyhow::Result<PathBuf> {
        let copy = self.lab.folder("copy").join("home");
        crate::shell::quiet(Command::new("cp").arg("-R").arg(home).arg(&copy))?;
        Ok(copy)
    }

    /// The command of `client` for these names.
    pub(super) fn job(
        &self,
        client: Client,
        site: &Site,
        home: &Path,
        names: &[String],
        pace: Pace,
    ) -> anyhow::Result<Job> {
        Ok(client.issue(&self.program(client)?, site, home, names, pace))
    }

    /// Where the figures of one run pass through.
    pub(super) fn scratch(&self) -> PathBuf {
        self.lab.folder("measure").join("figures")
    }

    /// One certificate for `names`, with a warm account.
    pub(super) fn issue(
        &self,
        client: Client,
        site: &Site,
        names: &[String],
    ) -> anyhow::Result<Sample> {
        let home = self.home(client, site)?;
        self.job(client, site, &home, names, Pace::Eager)?.run(&self.scratch())
    }

    /// The same on the shared servers, with what it asked of them added to `series`.
    pub(super) fn count(&self, client: Client, names: &[String], series: &mut Series) {
        // The account is made before the servers are read.
        let ready = self.home(client, &self.site);
        let before = self.seen();
        let run = ready.and_then(|_| self.issue(client, &self.site, names));
        if series.add(run) {
            let now = self.seen();
            for (what, (now, before)) in COUNTS.into_iter().zip(now.into_iter().zip(before)) {
                series.count(what, now - before);
            }
        }
    }

    /// HTTP requests, UPDATE packets, and the clients' questions to the primary, so far.
    fn seen(&self) -> [f64; 3] {
        let secondary = format!(" {}#", self.named.secondary_addresses()[0]);
        let queries = self.named.queries();
        let asked = queries.iter().filter(|line| !line.contains(&secondary) && !by_tcp(line));
        #[expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
        [self.pebble.requests(), self.named.update_requests(), asked.count()]
            .map(|count| count as f64)
    }
}

/// The numbers of so many rounds, fewer where they take too long.
pub(super) fn rounds(count: usize) -> impl Iterator<Item = usize> {
    let start = Instant::now();
    (0..count).take_while(move |round| *round == 0 || start.elapsed() < LONGEST)
}

pub(super) const COUNTS: [&str; 3] =
    ["HTTP requests", "UPDATE packets", "questions to the primary"];

/// Whether a logged query came by TCP, as the CA's do, and the harness's own.
pub(super) fn by_tcp(line: &str) -> bool {
    let flags = line.split_once(" query: ").and_then(|(_, asked)| asked.split(' ').nth(3));
    flags.is_some_and(|flags| flags.contains('T'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_by_tcp_is_told_from_one_by_udp() {
        let line = "client @0x7f 127.0.0.1#53 (a.test): query: a.test IN TXT";
        assert!(by_tcp(&format!("{line} -E(0)T (127.1.1.1)")));
        assert!(!by_tcp(&format!("{line} -E(0)D (127.1.1.1)")));
    }
}
