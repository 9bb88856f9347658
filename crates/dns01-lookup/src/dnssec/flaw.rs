//! What is wrong with the keys of a zone, or with a signature by them: pure, so that a sentence comes out of it where the
//! validator says no more than "bogus".

use std::fmt;

use chrono::DateTime;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{PublicKey as _, Verifier as _};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// Why a validating resolver would reject an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// The parent zone says that the zone is signed, and it has no keys.
    NoKey,
    /// None of its keys is the one of a DS record; the key tags that these name.
    OtherKey(Vec<u16>),
    /// Records of this type come without a signature.
    Unsigned(RecordType),
    /// The signatures over records of this type ended at this time, in seconds since 1970.
    Expired(RecordType, u32),
    /// They begin at this time.
    Early(RecordType, u32),
    /// They are not by a key of the zone, or over something else.
    Mismatch(RecordType),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => {
                f.write_str("the parent zone has a DS record, and there is no DNSKEY record")
            }
            Self::OtherKey(tags) => {
                let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
                let tags = tags.join(", ");
                write!(
                    f,
                    "the DS record of the parent zone (key tag {tags}) fits none of the zone's keys"
                )
            }
            Self::Unsigned(kind) => {
                write!(
                    f,
                    "the parent zone has a DS record, and the {kind} record has no signature (RRSIG)"
                )
            }
            Self::Expired(kind, at) => {
                write!(f, "the signature (RRSIG) over the {kind} record expired on {}", day(*at))
            }
            Self::Early(kind, at) => {
                write!(
                    f,
                    "the signature (RRSIG) over the {kind} record is valid from {} on",
                    day(*at)
                )
            }
            Self::Mismatch(kind) => {
                write!(
                    f,
                    "the signature (RRSIG) over the {kind} record is bogus: no key of the zone fits it"
                )
            }
        }
    }
}

/// The keys of a zone, and who vouches for them.
pub(super) struct Keys<'a> {
    /// The zone.
    pub(super) apex: &'a Name,
    /// The DS records of the parent zone.
    pub(super) signers: &'a [Record],
    /// The zone's answer to a question for its keys.
    pub(super) answer: &'a Message,
}

impl Keys<'_> {
    /// What is wrong with the keys themselves.
    pub(super) fn flaw(&self, now: u32) -> Option<Flaw> {
        if self.all().next().is_none() {
            return Some(Flaw::NoKey);
        }
        let signers: Vec<_> = self.signers.iter().filter_map(ds).collect();
        if !signers.iter().any(|ds| ds.algorithm().is_supported()) {
            // To a validator that doesn't know the algorithm the zone is unsigned.
            return None;
        }
        let vouched: Vec<_> = self.all().filter(|key| self.is_vouched_for(key)).collect();
        if vouched.is_empty() {
            return Some(Flaw::OtherKey(signers.iter().map(|ds| ds.key_tag()).collect()));
        }
        let signed = Signed::new(&self.answer.answers, self.apex, RecordType::DNSKEY);
        signed.flaw_by(&vouched, now)
    }

    fn all(&self) -> impl Iterator<Item = &DNSKEY> {
        self.answer.answers.iter().filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DNSKEY(key)) if record.name == *self.apex => Some(key),
            _ => None,
        })
    }

    fn is_vouched_for(&self, key: &DNSKEY) -> bool {
        let covers = |ds: &DS| ds.covers(self.apex, key).unwrap_or(false);
        self.signers.iter().filter_map(ds).any(covers)
    }
}

/// Records of one name and type with their signatures.
pub(super) struct Signed<'a> {
    kind: RecordType,
    records: Vec<&'a Record>,
    signatures: Vec<&'a RRSIG>,
}

impl<'a> Signed<'a> {
    fn new(answers: &'a [Record], name: &Name, kind: RecordType) -> Self {
        let at_name = || answers.iter().filter(|record| record.name == *name);
        let covering =
            |record: &'a Record| signature(record).filter(|it| it.input().type_covered == kind);
        Self {
            kind,
            records: at_name().filter(|record| record.record_type() == kind).collect(),
            signatures: at_name().filter_map(covering).collect(),
        }
    }

    /// The records that were asked for.
    pub(super) fn all(answer: &'a Message) -> Vec<Self> {
        let asked = answer.queries.iter();
        let sets = asked.map(|query| Self::new(&answer.answers, query.name(), query.query_type()));
        sets.filter(|set| !set.records.is_empty()).collect()
    }

    /// What is wrong with all of the signatures.
    pub(super) fn flaw(&self, keys: &Keys<'_>, now: u32) -> Option<Flaw> {
        self.flaw_by(&keys.all().collect::<Vec<_>>(), now)
    }

    fn flaw_by(&self, keys: &[&DNSKEY], now: u32) -> Option<Flaw> {
        let usable: Vec<_> =
            self.signatures.iter().filter(|it| it.input().algorithm.is_supported()).collect();
        if usable.is_empty() && !self.signatures.is_empty() {
            return None;
        }
        let Some(last) = usable.iter().max_by_key(|it| it.input().sig_expiration.get()) else {
            return Some(Flaw::Unsigned(self.kind));
        };
        let (begin, end) = (last.input().sig_inception.get(), last.input().sig_expiration.get());
        let mut timely = usable
            .iter()
            .filter(|it| {
                it.input().sig_inception.get() <= now && now <= it.input().sig_expiration.get()
            })
            .peekable();
        if timely.peek().is_none() {
            return Some(if end < now {
                Flaw::Expired(self.kind, end)
            } else {
                Flaw::Early(self.kind, begin)
            });
        }
        let holds = timely.any(|signature| keys.iter().any(|key| self.fits(signature, key)));
        (!holds).then_some(Flaw::Mismatch(self.kind))
    }

    fn fits(&self, signature: &RRSIG, key: &DNSKEY) -> bool {
        let input = signature.input();
        let Some(first) = self.records.first() else { return false };
        key.calculate_key_tag().is_ok_and(|tag| tag == input.key_tag)
            && key.public_key().algorithm() == input.algorithm
            && key
                .verify_rrsig(&first.name, DNSClass::IN, signature, self.records.iter().copied())
                .is_ok()
    }
}

/// Whether there is any signature in it.
pub(super) fn is_signed(answer: &Message) -> bool {
    answer.answers.iter().chain(&answer.authorities).any(|record| signature(record).is_some())
}

/// The records of one name and type.
pub(super) fn of_type(records: &[Record], name: &Name, kind: RecordType) -> Vec<Record> {
    let wanted = |it: &&Record| it.name == *name && it.record_type() == kind;
    records.iter().filter(wanted).cloned().collect()
}

fn signature(record: &Record) -> Option<&RRSIG> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
        _ => None,
    }
}

fn ds(record: &Record) -> Option<&DS> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds),
        _ => None,
    }
}

fn day(seconds: u32) -> String {
    let at = DateTime::from_timestamp(seconds.into(), 0).unwrap_or_default();
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
