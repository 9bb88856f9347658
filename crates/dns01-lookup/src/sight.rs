//! What an authoritative server's answer means for the values that are waited for.

#[cfg(test)]
mod tests;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, rdata::TXT};

use crate::engine::{Details, Kind, Observation};
use crate::exchange::Trouble;

/// More values than this are not listed, nor longer ones in full.
const MAX_LISTED: usize = 16;

/// What `answer` to a TXT question for `owner` shows of `values`.
pub(crate) fn judge(answer: &Message, owner: &Name, values: &[String]) -> Observation {
    let mut seen = meaning(answer, owner, values);
    let soa = answer.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some((soa.serial, soa.minimum.min(record.ttl))),
        _ => None,
    });
    let texts = texts(answer, owner);
    let is_there = |value: &&String| texts.iter().any(|text| text == value.as_bytes());
    let others = texts.iter().filter(|text| !values.iter().any(|it| it.as_bytes() == &text[..]));
    seen.details = Details {
        failed: !answer.metadata.authoritative
            || !matches!(
                answer.metadata.response_code,
                ResponseCode::NoError | ResponseCode::NXDomain
            ),
        code: Some(code_name(answer.metadata.response_code)),
        serial: soa.map(|(serial, _)| serial),
        // Only a negative answer is kept for this long (RFC 2308 §5).
        keep: soa.filter(|_| texts.is_empty()).map(|(_, seconds)| seconds),
        missing: values.iter().filter(|it| !is_there(it)).take(MAX_LISTED).cloned().collect(),
        others: others.take(MAX_LISTED).map(|it| String::from_utf8_lossy(it).into()).collect(),
        alias: alias(answer, owner).is_some(),
        ..Details::default()
    };
    seen
}

fn meaning(answer: &Message, owner: &Name, values: &[String]) -> Observation {
    let code = answer.metadata.response_code;
    let missing = |words: String| Observation::new(Kind::Missing, words);
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return missing(format!("answers {}", code_name(code)));
    }
    if !answer.metadata.authoritative {
        return missing("is not authoritative for the zone".to_owned());
    }
    if code == ResponseCode::NXDomain {
        return missing("answers NXDOMAIN".to_owned());
    }
    if let Some(target) = alias(answer, owner) {
        return missing(format!(
            "answers with a CNAME to `{}`",
            target.to_ascii().trim_end_matches('.')
        ));
    }
    let texts = texts(answer, owner);
    let wanted = values.len();
    let shown =
        values.iter().filter(|value| texts.iter().any(|text| text == value.as_bytes())).count();
    if shown == wanted {
        let words = if wanted == 1 {
            "shows the value".to_owned()
        } else {
            format!("shows all {wanted} values")
        };
        return Observation::new(Kind::Shown, words);
    }
    missing(match (shown, texts.len()) {
        (0, 0) => "has no TXT record".to_owned(),
        (0, 1) => "shows another value".to_owned(),
        (0, others) => format!("shows {others} other values"),
        _ => format!("shows {shown} of {wanted} values"),
    })
}

/// Where `owner` leads, if it is an alias.
fn alias<'a>(answer: &'a Message, owner: &Name) -> Option<&'a Name> {
    answer.answers.iter().find_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *owner && record.dns_class == DNSClass::IN => {
            Some(&target.0)
        }
        _ => None,
    })
}

/// The TXT records of `answer` at `owner`, each as one text.
pub(crate) fn texts(answer: &Message, owner: &Name) -> Vec<Vec<u8>> {
    let at_owner =
        answer.answers.iter().filter(|it| it.name == *owner && it.dns_class == DNSClass::IN);
    at_owner
        .filter_map(|it| match &it.data {
            RData::TXT(txt) => Some(joined(txt)),
            _ => None,
        })
        .collect()
}

/// What it means that there was no answer.
pub(crate) fn judge_trouble(trouble: &Trouble) -> Observation {
    let (kind, words) = match trouble {
        Trouble::Unreachable(_) => (Kind::Unreachable, "cannot be reached from here"),
        Trouble::Refused => (Kind::Silent, "refuses connections"),
        Trouble::Https(words) => (Kind::Silent, &words[..]),
        Trouble::Silent | Trouble::Local(_) => (Kind::Silent, "does not answer"),
    };
    Observation::new(kind, words)
}

/// The strings of one record as one text (RFC 7208 §3.3 for the custom, RFC 8555 §8.4 for the use).
fn joined(txt: &TXT) -> Vec<u8> {
    txt.txt_data.concat()
}

/// The mnemonic of a response code, as `dig` prints it.
pub(crate) fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::NotAuth => "NOTAUTH".to_owned(),
        other => format!("response code {}", u16::from(other)),
    }
}
