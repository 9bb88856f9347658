//! What was seen where: the report that says why a wait ended as it did.

mod words;

pub(crate) use words::SHOWED;

use std::time::{Duration, Instant};

use dns01_core::{OwnerName, Zone};
use serde::Serialize;

use crate::{Delegation, Dnssec, Moved, Primary, Reason, SignatureState, Unresolved};

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
    /// How many questions were asked of all servers together; at most 1,000 in a second.
    pub asked: u32,
    /// Zones whose parent names other servers than they do, where the wait took more than a second.
    pub delegation: Vec<Delegation>,
    /// Aliases that led elsewhere in the end than in the beginning.
    pub moved: Vec<Moved>,
    /// What validation says of each zone, as a CA does it; it does not hold the wait back.
    pub dnssec: Vec<Dnssec>,
    /// The primary of the zone that is behind, where the wait failed and it could be asked.
    pub primary: Option<Primary>,
    /// Whose turn it is, where the wait failed and that could be found out.
    pub reason: Option<Reason>,
    /// When every authority had shown all values several times in a row. None where nobody was asked, or a rule was
    /// satisfied that believes the first sighting. It is for whoever goes on in this process at once.
    #[serde(skip)]
    pub confirmed: Option<Instant>,
}

/// What one address showed of one zone.
#[derive(Clone, Debug, Serialize)]
pub struct ServerReport {
    /// The zone.
    pub zone: Zone,
    /// The name that is furthest behind there, or any.
    pub owner: OwnerName,
    /// In what capacity it was asked.
    pub role: Role,
    /// The server's name, or its address where only that is known.
    pub server: String,
    /// The address, with the port unless it is 53.
    pub address: String,
    /// Whether it shows all values, lastingly.
    pub agrees: bool,
    /// Whether it is left out of the count: not reachable from here, while its server answers at another address.
    pub excused: bool,
    /// Whether it answered the last question.
    pub answered: Answered,
    /// When it first showed all values, in milliseconds since the start.
    pub first_seen_ms: Option<u64>,
    /// What it last answered, in words: `answers NXDOMAIN`, `shows 1 of 2 values`, `does not answer`.
    pub last_answer: String,
    /// For how long it has been answering that, in milliseconds.
    pub since_ms: u64,
    /// The response code of the last answer, such as `NXDOMAIN`.
    pub rcode: Option<String>,
    /// How long the last answer took to come, in microseconds.
    pub rtt_us: Option<u64>,
    /// When it last failed to show all values, in milliseconds since the start.
    pub last_miss_ms: Option<u64>,
    /// The values that its last answer lacks, at most 16.
    pub missing: Vec<String>,
    /// The values in its last answer that are neither waited for nor held by the provider, at most 16.
    pub extra: Vec<String>,
    /// For how long a resolver may keep its last answer that there is no record, in seconds.
    pub negative_ttl: Option<u32>,
    /// The zone's serial at this address, where it told it.
    pub serial: Option<u32>,
    /// The newest serial seen of the zone, where this address has an older one.
    pub newest_serial: Option<u32>,
    /// How often it went back from showing the values to not showing them.
    pub flips: u32,
    /// How many questions it was asked.
    pub asked: u32,
}

/// Whether a server answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answered {
    /// Nothing came, or nothing gets there.
    No,
    /// It said something about itself rather than about the record: `SERVFAIL`, or that it has no authority.
    Failing,
    /// It said whether the record is there.
    Yes,
}

/// In what capacity a server is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It holds the zone.
    Authority,
    /// It asks others; it was asked after the authorities agreed.
    Resolver,
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
    /// All of them.
    pub servers: &'a [ServerReport],
}

impl<'a> Progress<'a> {
    /// Those that count and don't show everything yet.
    pub fn behind(&self) -> impl Iterator<Item = &'a ServerReport> + use<'a> {
        self.servers.iter().filter(|server| !server.agrees && !server.excused)
    }
}

impl Report {
    /// Adds what a later stage saw.
    pub(crate) fn add(&mut self, later: Self) {
        self.agreeing += later.agreeing;
        self.total += later.total;
        self.waited_ms += later.waited_ms;
        self.asked += later.asked;
        self.servers.extend(later.servers);
    }

    /// Why a CA that validates, as all public ones do, would get no answer: a sentence for each zone.
    pub fn bogus(&self) -> impl Iterator<Item = &str> {
        let bogus = self.dnssec.iter().filter(|it| it.state == SignatureState::Bogus);
        bogus.filter_map(|it| it.reason.as_deref())
    }

    /// The servers that count and do not agree.
    pub fn behind(&self) -> impl Iterator<Item = &ServerReport> {
        self.servers.iter().filter(|server| !server.agrees && !server.excused)
    }
}

#[cfg(test)]
impl ServerReport {
    /// An address of which nothing is known yet.
    pub(crate) fn unasked(zone: Zone, server: String, address: String) -> Self {
        Self {
            owner: zone.apex.clone(),
            zone,
            role: Role::Authority,
            server,
            address,
            agrees: false,
            excused: false,
            answered: Answered::No,
            first_seen_ms: None,
            last_answer: "has not answered".to_owned(),
            since_ms: 0,
            rcode: None,
            rtt_us: None,
            last_miss_ms: None,
            missing: Vec::new(),
            extra: Vec::new(),
            negative_ttl: None,
            serial: None,
            newest_serial: None,
            flips: 0,
            asked: 0,
        }
    }
}
