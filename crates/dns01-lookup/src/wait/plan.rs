//! What is asked of whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dns01_core::{OwnerName, Zone};
use futures_util::future::try_join_all;
use hickory_proto::rr::{Name, RecordType};
use tokio::time::Instant;

use super::Answer;
use crate::authorities::{MAX_SERVERS, authorities};
use crate::doh::Doh;
use crate::exchange::{self, Trouble};
use crate::resolver::{Resolver, show};
use crate::sight::{judge, judge_trouble};
use crate::wire::to_wire;
use crate::{Authorities, Expectation, Gate, LookupError, Role, Server};

/// What is asked of whom. The index of a question is that of its target in the engine.
pub(crate) struct Plan {
    pub(super) zones: Vec<Authorities>,
    pub(super) questions: Vec<Question>,
    /// The zones of which the provider said that it holds all values.
    pub(super) held: BTreeSet<Zone>,
    /// What the provider said that it holds, by name.
    pub(super) published: BTreeMap<OwnerName, Vec<String>>,
    /// Who is asked.
    pub(super) role: Role,
}

/// Where a question is put.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Address(SocketAddr),
    Https(Doh),
}

impl Place {
    fn new(gate: &Gate) -> Result<Self, LookupError> {
        Ok(match gate {
            Gate::Dns(address) => Self::Address(*address),
            Gate::Https(url) => Self::Https(Doh::new(url)?),
        })
    }

    /// Its address, where that is all there is to it.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Https(_) => None,
        }
    }

    /// For people.
    pub(super) fn show(&self) -> String {
        match self {
            Self::Address(address) => show(*address),
            Self::Https(doh) => doh.url.to_string(),
        }
    }
}

/// All values of one name, at one address.
#[derive(Clone)]
pub(super) struct Question {
    /// Indexes into [`Plan::zones`] and its servers.
    pub(super) zone: usize,
    pub(super) server: usize,
    pub(super) at: Place,
    pub(super) owner: OwnerName,
    pub(super) wire: Name,
    pub(super) values: Vec<String>,
    /// The same in wire form, for all addresses alike.
    pub(super) put: Arc<exchange::Question>,
}

impl Question {
    fn new(
        zone: usize,
        server: usize,
        at: Place,
        owner: &OwnerName,
        values: &BTreeSet<&String>,
    ) -> Result<Self, LookupError> {
        let wire = to_wire(owner).map_err(|error| unaskable(owner, error))?;
        let put = exchange::Question::directly(&wire, RecordType::TXT);
        let put = Arc::new(put.map_err(|error| unaskable(owner, error))?);
        let values = values.iter().map(|value| (*value).clone()).collect();
        Ok(Self { zone, server, at, owner: owner.clone(), wire, values, put })
    }

    /// Whether `other` is put to the same address for the same zone.
    pub(super) fn shares_its_address(&self, other: &Self) -> bool {
        (self.zone, &self.at) == (other.zone, &other.at)
    }
}

fn unaskable(owner: &OwnerName, error: impl fmt::Display) -> LookupError {
    LookupError::NoZone { name: owner.clone(), why: error.to_string() }
}

impl Plan {
    pub(crate) async fn new(
        resolver: &Resolver,
        expected: &[Expectation],
    ) -> Result<Self, LookupError> {
        // One question serves all values of a name.
        let mut wanted: BTreeMap<_, BTreeMap<&OwnerName, BTreeSet<&String>>> = BTreeMap::new();
        for it in expected.iter().filter(|it| !it.values.is_empty()) {
            if !it.owner.is_within(&it.zone.apex) {
                let (owner, zone) = (it.owner.clone(), it.zone.clone());
                return Err(LookupError::OutsideZone { owner, zone });
            }
            wanted.entry(&it.zone).or_default().entry(&it.owner).or_default().extend(&it.values);
        }
        let zones = try_join_all(wanted.keys().map(|zone| authorities(resolver, zone))).await?;
        let mut questions = Vec::new();
        for (zone, names) in wanted.values().enumerate() {
            let mut known = BTreeSet::new();
            let mut servers = zones[zone].addresses().filter(|(_, address)| known.insert(*address));
            let Some((server, address)) = servers.next() else { continue };
            let at = Place::Address(address);
            let first: Vec<_> = names
                .iter()
                .map(|(owner, values)| Question::new(zone, server, at.clone(), owner, values))
                .collect::<Result<_, _>>()?;
            let others = servers.flat_map(|(server, address)| {
                let at = Place::Address(address);
                first.iter().map(move |it| Question { server, at: at.clone(), ..it.clone() })
            });
            let others: Vec<_> = others.collect();
            questions.extend(first.into_iter().chain(others));
        }
        let says_so = |it: &&Expectation| {
            let held = it.published.as_ref().map(|held| &held.values);
            held.is_some_and(|held| it.values.iter().all(|value| held.contains(value)))
        };
        let unknown: BTreeSet<_> =
            expected.iter().filter(|it| !says_so(it)).map(|it| &it.zone).collect();
        let held = wanted.keys().filter(|zone| !unknown.contains(*zone)).map(|it| (*it).clone());
        let held = held.collect();
        let published = expected
            .iter()
            .filter_map(|it| Some((it.owner.clone(), it.published.as_ref()?.values.clone())));
        let published = published.collect();
        Ok(Self { zones, questions, held, published, role: Role::Authority })
    }

    /// The same questions, put to recursive resolvers.
    pub(super) fn through(&self, gates: &[Gate]) -> Result<Self, LookupError> {
        let server = |gate: &Gate| Server { name: gate.to_string(), addresses: Vec::new() };
        let servers: Vec<_> = gates.iter().map(server).collect();
        let places = gates.iter().map(Place::new).collect::<Result<Vec<_>, _>>()?;
        let zone = |it: &Authorities| Authorities {
            zone: it.zone.clone(),
            servers: servers.clone(),
            unresolved: Vec::new(),
        };
        let mut questions = Vec::new();
        for zone in 0..self.zones.len() {
            let first = self.questions.iter().find(|question| question.zone == zone);
            for (server, at) in places.iter().enumerate() {
                let names = self.questions.iter().filter(|question| {
                    first.is_some_and(|first| {
                        (first.zone, &first.at) == (question.zone, &question.at)
                    })
                });
                for name in names {
                    let put = exchange::Question::recursively(&name.wire, RecordType::TXT);
                    let put = Arc::new(put.map_err(|error| unaskable(&name.owner, error))?);
                    questions.push(Question { server, at: at.clone(), put, ..name.clone() });
                }
            }
        }
        let zones = self.zones.iter().map(zone).collect();
        Ok(Self {
            zones,
            questions,
            held: BTreeSet::new(),
            published: self.published.clone(),
            role: Role::Resolver,
        })
    }

    /// Which of them are asked at an IPv6 address.
    pub(super) fn are_v6(&self) -> impl Iterator<Item = bool> {
        self.questions.iter().map(|it| it.at.address().is_some_and(|at| at.is_ipv6()))
    }

    /// The engine's idea of the servers: a number for each.
    pub(super) fn servers(&self) -> impl Iterator<Item = usize> {
        self.questions.iter().map(|it| it.zone * MAX_SERVERS + it.server)
    }

    pub(super) async fn ask(&self, question: usize, asked_at: Duration) -> Answer {
        let Question { at, wire, values, put, .. } = &self.questions[question];
        let recursive = self.role == Role::Resolver;
        let start = Instant::now();
        let answer = match at {
            Place::Https(doh) => doh.ask(wire, RecordType::TXT).await,
            Place::Address(at) => exchange::put(*at, put).await,
        };
        let seen = match answer {
            Ok(mut message) => {
                // A resolver may know; whether it is right was settled with the authorities before.
                message.metadata.authoritative |= recursive;
                let mut seen = judge(&message, wire, values);
                seen.details.round_trip = start.elapsed();
                Ok((seen, Some(message)))
            }
            Err(Trouble::Local(error)) => Err(error),
            Err(trouble) => Ok((judge_trouble(&trouble), None)),
        };
        Answer { question, asked_at, seen }
    }
}
