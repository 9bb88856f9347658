//! What an authoritative server's answer means for the values that are waited for.

#[cfg(test)]
mod tests;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, rdata::TXT};

use crate::engine::{Kind, Observation};
use crate::exchange::Trouble;

/// What `answer` to a TXT question for `owner` shows of `values`.
pub(crate) fn judge(answer: &Message, owner: &Name, values: &[String]) -> Observation {
    let serial = answer.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    let code = answer.metadata.response_code;
    let missing = |words: String| Observation { kind: Kind::Missing, words, serial };
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return missing(format!("answers {}", code_name(code)));
    }
    if !answer.metadata.authoritative {
        return missing("is not authoritative for the zone".to_owned());
    }
    if code == ResponseCode::NXDomain {
        return missing("answers NXDOMAIN".to_owned());
    }
    let at_owner = || {
        answer
            .answers
            .iter()
            .filter(|it| it.name == *owner && it.dns_class == DNSClass::IN)
            .map(|it| &it.data)
    };
    if let Some(RData::CNAME(target)) = at_owner().find(|data| matches!(data, RData::CNAME(_))) {
        return missing(format!(
            "answers with a CNAME to `{}`",
            target.0.to_ascii().trim_end_matches('.')
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
        return Observation { kind: Kind::Shown, words, serial };
    }
    missing(match (shown, texts.len()) {
        (0, 0) => "has no TXT record".to_owned(),
        (0, 1) => "shows another value".to_owned(),
        (0, others) => format!("shows {others} other values"),
        _ => format!("shows {shown} of {wanted} values"),
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
        Trouble::Silent | Trouble::Local(_) => (Kind::Silent, "does not answer"),
    };
    Observation { kind, words: words.to_owned(), serial: None }
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
