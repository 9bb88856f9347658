//! The messages we send: UPDATE (RFC 2136 §2) and plain queries.

use dns01_core::{OwnerName, TxtRecord, Zone};
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// What an UPDATE does with its records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// "Add to an RRset": class IN (RFC 2136 §2.5.1).
    Add,
    /// "Delete an RR from an RRset", by value: class NONE, TTL 0 (RFC 2136 §2.5.4).
    Delete,
}

/// One UPDATE of `zone` with all of `records`, and no prerequisites: adding what is there and deleting what isn't
/// are both fine.
pub(super) fn update(zone: &Zone, records: &[TxtRecord], change: Change) -> Option<Message> {
    let mut message = Message::new(0, MessageType::Query, OpCode::Update);
    message.add_query(Query::query(wire_name(&zone.apex)?, RecordType::SOA));
    for TxtRecord { name, value, ttl } in records {
        let text = RData::TXT(TXT::from_bytes(vec![value.as_bytes()]));
        let mut record = Record::from_rdata(wire_name(name)?, *ttl, text);
        if change == Change::Delete {
            record.dns_class = DNSClass::NONE;
            record.ttl = 0;
        }
        // The update section sits where answers have their authorities (RFC 2136 §2.2).
        message.add_authority(record);
    }
    Some(message)
}

/// A query for authoritative data: recursion not desired.
pub(super) fn query(name: &OwnerName, kind: RecordType) -> Option<Message> {
    let mut message = Message::new(0, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(wire_name(name)?, kind));
    Some(message)
}

/// The TXT values in `answer` at exactly the name that was asked for, each the concatenation of its strings.
pub(super) fn texts(answer: &Message) -> Vec<String> {
    let Some(asked) = answer.queries.first() else { return Vec::new() };
    let here = answer.answers.iter().filter(|record| record.name == *asked.name());
    here.filter_map(|record| match &record.data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    })
    .collect()
}

/// The serial of the zone in `answer`.
pub(super) fn serial(answer: &Message) -> Option<u32> {
    answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    })
}

/// A name for the wire; `None` cannot happen, since an owner name has only letters, digits, hyphens and underscores.
fn wire_name(name: &OwnerName) -> Option<Name> {
    Name::from_ascii(format!("{}.", name.as_str())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: &str) -> TxtRecord {
        let name = "_acme-challenge.example.org".parse().unwrap();
        TxtRecord { name, value: value.into(), ttl: 60 }
    }

    #[test]
    fn an_update_adds_in_class_in_and_deletes_single_values_in_class_none() {
        let zone = Zone { apex: "example.org".parse().unwrap() };
        for (change, class, ttl) in [(Change::Add, "0001", 60), (Change::Delete, "00fe", 0)] {
            let message = update(&zone, &[record("value")], change).unwrap();
            let octets = message.to_vec().unwrap();
            let octets: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(
                octets.concat(),
                format!(
                    // Id 0, opcode 5; one zone, no prerequisites, one update; `example.org` SOA IN; the TXT.
                    "000028000001000000010000076578616d706c65036f72670000060001\
                     0f5f61636d652d6368616c6c656e6765c00c0010{class}{ttl:08x}00060576616c7565"
                )
            );
        }
    }

    #[test]
    fn a_query_asks_for_no_recursion() {
        let message = query(&"example.org".parse().unwrap(), RecordType::TXT).unwrap();
        assert!(!message.metadata.recursion_desired);
        assert_eq!(message.metadata.op_code, OpCode::Query);
    }

    #[test]
    fn only_texts_at_the_name_itself_count_and_long_ones_are_joined() {
        let mut answer = query(&"a.example.org".parse().unwrap(), RecordType::TXT).unwrap();
        let text = |strings: &[&str]| {
            RData::TXT(TXT::new(strings.iter().map(ToString::to_string).collect()))
        };
        for (name, data) in [
            ("A.example.org.", text(&["one ", "value"])),
            ("b.example.org.", text(&["behind a CNAME"])),
            ("a.example.org.", text(&[""])),
        ] {
            answer.add_answer(Record::from_rdata(Name::from_ascii(name).unwrap(), 60, data));
        }
        assert_eq!(texts(&answer), ["one value", ""]);
    }
}
