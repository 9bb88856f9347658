//! Ready-made faults of a [`super::FakeDns`]. Those about TXT records leave every other answer as it is.

use super::{Asked, Fault, Reaction};
use hickory_proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType, rdata::SOA};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// It answers as it should.
pub fn none() -> Fault {
    Arc::new(|_, truth| as_it_is(truth))
}

/// Every answer takes this long.
pub fn delay(by: Duration) -> Fault {
    Arc::new(move |_, truth| Reaction::Answer(truth, by))
}

/// This share of the answers, in percent, gets lost, by UDP and TCP alike.
pub fn loss(percent: u64, seed: u64) -> Fault {
    let dice = Dice::new(seed);
    Arc::new(
        move |_, truth| {
            if dice.below(100) < percent { Reaction::Silence } else { as_it_is(truth) }
        },
    )
}

/// It never answers.
pub fn silence() -> Fault {
    Arc::new(|_, _| Reaction::Silence)
}

/// Every TXT question is answered with this code.
pub fn code(code: ResponseCode) -> Fault {
    of_txt(move |_, truth| as_it_is(refusal(truth, code)))
}

/// It does not say that it is authoritative.
pub fn lame() -> Fault {
    of_txt(|_, mut truth| {
        truth.metadata.authoritative = false;
        as_it_is(truth)
    })
}

/// UDP answers about TXT are cut off, and by TCP there is none.
pub fn truncated_without_tcp() -> Fault {
    of_txt(|asked, mut truth| {
        if asked.tcp {
            return Reaction::Silence;
        }
        truth.metadata.truncation = true;
        truth.answers.clear();
        as_it_is(truth)
    })
}

/// UDP answers about TXT are cut off, and by TCP they are whole.
pub fn truncated() -> Fault {
    of_txt(|asked, mut truth| {
        if !asked.tcp {
            truth.metadata.truncation = true;
            truth.answers.clear();
        }
        as_it_is(truth)
    })
}

/// It serves an older version of the zone for good: no TXT record, and this serial.
pub fn stale(serial: u32) -> Fault {
    stale_for(serial, Duration::MAX)
}

/// The same for this long after it was first asked for a TXT record that is there; then it answers as it should.
pub fn stale_for(serial: u32, time: Duration) -> Fault {
    let first = Mutex::new(None);
    Arc::new(move |asked, mut truth| {
        let there = asked.kind == RecordType::TXT && !truth.answers.is_empty();
        let since = first_time(&first, there);
        if since.is_some_and(|at| at.elapsed() >= time) {
            return as_it_is(truth);
        }
        if there {
            truth = without_record(truth, 5);
        }
        let sections = truth.answers.iter_mut().chain(&mut truth.authorities);
        for record in sections {
            if let RData::SOA(soa) = &record.data {
                record.data = RData::SOA(with_serial(soa, serial));
            }
        }
        as_it_is(truth)
    })
}

/// From the first time that it shows a name's TXT records on, it throws a coin for each such answer during this time, and
/// shows or misses them; afterwards it answers as it should. `percent` is the share of misses. Servers that share one
/// clone of this waver together, as a CA's view does with the server it asks.
pub fn flapping(percent: u64, time: Duration, seed: u64) -> Fault {
    let (first, dice) = (Mutex::new(BTreeMap::new()), Dice::new(seed));
    of_txt(move |asked, truth| {
        if truth.answers.is_empty() {
            return as_it_is(truth);
        }
        let mut first = first.lock().unwrap();
        let since = *first.entry(asked.name.clone()).or_insert_with(Instant::now);
        drop(first);
        let misses = since.elapsed() < time && dice.below(100) < percent;
        as_it_is(if misses { without_record(truth, 5) } else { truth })
    })
}

/// It misses every TXT record and says NXDOMAIN, to be kept for this many seconds.
pub fn negative(minimum: u32) -> Fault {
    of_txt(move |_, truth| as_it_is(without_record(truth, minimum)))
}

/// Shows another TXT value in place of the true ones.
pub fn another_value() -> Fault {
    of_txt(|_, mut truth| {
        for record in &mut truth.answers {
            if let RData::TXT(txt) = &mut record.data {
                *txt = hickory_proto::rr::rdata::TXT::new(vec!["another".to_owned()]);
            }
        }
        as_it_is(truth)
    })
}

/// It shows the TXT records for so many answers and misses them ever after, as if somebody had removed them.
pub fn forgetting(after: usize) -> Fault {
    let shown = Mutex::new(0);
    of_txt(move |_, truth| {
        let mut shown = shown.lock().unwrap();
        *shown += usize::from(!truth.answers.is_empty());
        as_it_is(if *shown > after { without_record(truth, 5) } else { truth })
    })
}

/// Signatures over TXT records don't fit.
pub fn bogus_signatures() -> Fault {
    of_txt(|_, mut truth| {
        for record in &mut truth.answers {
            if let RData::DNSSEC(DNSSECRData::RRSIG(good)) = &record.data {
                let mut octets = good.sig().to_vec();
                octets.iter_mut().take(1).for_each(|octet| *octet ^= 1);
                let bad = RRSIG::from_sig(good.input().clone(), octets);
                record.data = RData::DNSSEC(DNSSECRData::RRSIG(bad));
            }
        }
        as_it_is(truth)
    })
}

fn of_txt(fault: impl Fn(&Asked, Message) -> Reaction + Send + Sync + 'static) -> Fault {
    Arc::new(
        move |asked, truth| {
            if asked.kind == RecordType::TXT { fault(asked, truth) } else { as_it_is(truth) }
        },
    )
}

fn as_it_is(truth: Message) -> Reaction {
    Reaction::Answer(truth, Duration::ZERO)
}

/// When `now` was true for the first time.
fn first_time(first: &Mutex<Option<Instant>>, now: bool) -> Option<Instant> {
    let mut first = first.lock().unwrap();
    if now {
        first.get_or_insert_with(Instant::now);
    }
    *first
}

fn refusal(mut truth: Message, code: ResponseCode) -> Message {
    truth.answers.clear();
    truth.authorities.clear();
    truth.metadata.response_code = code;
    truth
}

/// NXDOMAIN in place of the answer.
fn without_record(truth: Message, minimum: u32) -> Message {
    let name = truth.queries[0].name().clone();
    let mut answer = refusal(truth, ResponseCode::NXDomain);
    // Any SOA record above the name makes the answer negative; what it says is how long.
    let apex = name.trim_to(usize::from(name.num_labels()).saturating_sub(1).max(1));
    let soa = SOA::new(name.clone(), name, 1, 3600, 60, 864_000, minimum);
    answer.authorities = vec![Record::from_rdata(apex, minimum, RData::SOA(soa))];
    answer
}

fn with_serial(soa: &SOA, serial: u32) -> SOA {
    let (refresh, retry, expire) = (soa.refresh, soa.retry, soa.expire);
    SOA::new(soa.mname.clone(), soa.rname.clone(), serial, refresh, retry, expire, soa.minimum)
}

/// A seeded coin (splitmix64).
struct Dice(Mutex<u64>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
