//! Zones as lines of text, answered from as an authoritative server would (RFC 1034 §4.3.2).

use std::net::Ipv4Addr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Records, one per line: `NAME TYPE VALUE`. A `SOA` line needs no value (the serial) and makes its name the apex of a zone; an `NS`
/// line at another name delegates it, unless it has a `SOA` line too.
#[derive(Clone)]
pub(crate) struct Data(Vec<Record>);

impl Data {
    pub(crate) fn new(lines: &str) -> Self {
        Self(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(record).collect())
    }

    /// Fills in the empty `answer`.
    pub(crate) fn answer(&self, mut answer: Message) -> Message {
        let name = answer.queries[0].name().clone();
        let kind = answer.queries[0].query_type();
        let (apex, cut) =
            (self.closest(RecordType::SOA, &name), self.closest(RecordType::NS, &name));
        let Some(apex) = apex else {
            answer.metadata.response_code = ResponseCode::Refused;
            answer.metadata.authoritative = false;
            return answer;
        };
        if let Some(cut) = cut.filter(|cut| cut.num_labels() > apex.num_labels()) {
            answer.metadata.authoritative = false;
            answer.authorities =
                self.at(&cut).into_iter().filter(|it| it.record_type() == RecordType::NS).collect();
            return answer;
        }
        let found = self.with_wildcards(&name, &apex);
        let exists = !found.is_empty() || self.0.iter().any(|it| name.zone_of(&it.name));
        let matches =
            |it: &Record| it.record_type() == kind || it.record_type() == RecordType::CNAME;
        answer.answers = found
            .into_iter()
            .filter(matches)
            .map(|it| Record::from_rdata(name.clone(), 1, it.data))
            .collect();
        if !exists {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        if answer.answers.is_empty() {
            answer.authorities = self
                .at(&apex)
                .into_iter()
                .filter(|it| it.record_type() == RecordType::SOA)
                .collect();
        }
        answer
    }

    /// The longest name with a record of this type that `name` is at or below.
    fn closest(&self, kind: RecordType, name: &Name) -> Option<Name> {
        let above = self.0.iter().filter(|it| it.record_type() == kind && it.name.zone_of(name));
        above.map(|it| it.name.clone()).max_by_key(Name::num_labels)
    }

    fn at(&self, name: &Name) -> Vec<Record> {
        self.0.iter().filter(|it| it.name == *name).cloned().collect()
    }

    /// The records at `name`, else those of the wildcard below its closest existing ancestor (RFC 4592 §3.3.1).
    fn with_wildcards(&self, name: &Name, apex: &Name) -> Vec<Record> {
        let mut closest = name.clone();
        while !self.0.iter().any(|it| closest.zone_of(&it.name)) && closest != *apex {
            closest = closest.base_name();
        }
        if closest == *name { self.at(name) } else { self.at(&closest.prepend_label("*").unwrap()) }
    }
}

fn record(line: &str) -> Record {
    let mut words = line.split_whitespace();
    let name = absolute(words.next().unwrap());
    let kind = words.next().unwrap();
    let value = words.next().unwrap_or_default();
    let data = match kind {
        "A" => RData::A(A(value.parse::<Ipv4Addr>().unwrap())),
        "AAAA" => RData::AAAA(AAAA(value.parse().unwrap())),
        "CNAME" => RData::CNAME(CNAME(absolute(value))),
        "NS" => RData::NS(NS(absolute(value))),
        "SOA" => {
            let serial = value.parse().unwrap_or(7);
            let primary = absolute(&format!("hidden.{}", name.to_ascii()));
            RData::SOA(SOA::new(primary, absolute("root"), serial, 1, 1, 1, 1))
        }
        "TXT" => RData::TXT(TXT::new(vec![value.to_owned()])),
        other => panic!("{other} in a test zone"),
    };
    Record::from_rdata(name, 1, data)
}

fn absolute(name: &str) -> Name {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).unwrap()
}
