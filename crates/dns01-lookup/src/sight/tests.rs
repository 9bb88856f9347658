//! Answers judged, message by message.

use hickory_proto::op::{MessageType, OpCode};
use hickory_proto::rr::Record;
use hickory_proto::rr::rdata::{CNAME, SOA};

use super::*;

const OWNER: &str = "_acme-challenge.a.test.";

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn answer(code: ResponseCode, records: &[(&str, RData)]) -> Message {
    let mut answer = Message::new(1, MessageType::Response, OpCode::Query);
    answer.metadata.authoritative = true;
    answer.metadata.response_code = code;
    answer.add_answers(
        records.iter().map(|(at, data)| Record::from_rdata(name(at), 1, data.clone())),
    );
    answer
}

fn texts(values: &[&[&str]]) -> Message {
    let records: Vec<_> = values
        .iter()
        .map(|strings| {
            let strings = strings.iter().map(|string| (*string).to_owned()).collect();
            (OWNER, RData::TXT(TXT::new(strings)))
        })
        .collect();
    answer(ResponseCode::NoError, &records)
}

fn says(answer: &Message, values: &[&str]) -> (Kind, String) {
    let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
    let seen = judge(answer, &name(OWNER), &values);
    (seen.kind, seen.words)
}

#[test]
fn values_are_compared_whole_and_exactly() {
    let long = "x".repeat(255);
    for (strings, value, kind) in [
        (&["-abc"][..], "-abc", Kind::Shown),
        (&["ab", "c"], "abc", Kind::Shown),
        (&[&long, "y"], &format!("{long}y"), Kind::Shown),
        (&["abc"], "ABC", Kind::Missing),
        (&["abcd"], "abc", Kind::Missing),
        (&["abc"], "abcd", Kind::Missing),
        (&["\"abc\""], "abc", Kind::Missing),
        (&["abc "], "abc", Kind::Missing),
    ] {
        assert_eq!(says(&texts(&[strings]), &[value]).0, kind, "{strings:?} {value}");
    }
}

#[test]
fn all_values_have_to_be_there_and_others_do_not_matter() {
    let shown = texts(&[&["a"], &["b"], &["foreign"]]);
    assert_eq!(says(&shown, &["a", "b"]), (Kind::Shown, "shows all 2 values".into()));
    assert_eq!(says(&shown, &["a", "c"]), (Kind::Missing, "shows 1 of 2 values".into()));
    assert_eq!(says(&shown, &["c"]), (Kind::Missing, "shows 3 other values".into()));
    assert_eq!(says(&texts(&[&["old"]]), &["c"]), (Kind::Missing, "shows another value".into()));
    assert_eq!(says(&texts(&[]), &["c"]), (Kind::Missing, "has no TXT record".into()));
}

#[test]
fn a_value_counts_only_at_its_name_and_from_an_authority() {
    let value = || RData::TXT(TXT::new(vec!["a".to_owned()]));
    let elsewhere = answer(ResponseCode::NoError, &[("b.test.", value())]);
    assert_eq!(says(&elsewhere, &["a"]).0, Kind::Missing);
    let alias = [(OWNER, RData::CNAME(CNAME(name("b.test.")))), ("b.test.", value())];
    assert_eq!(
        says(&answer(ResponseCode::NoError, &alias), &["a"]),
        (Kind::Missing, "answers with a CNAME to `b.test`".into())
    );
    let mut lame = texts(&[&["a"]]);
    lame.metadata.authoritative = false;
    assert_eq!(says(&lame, &["a"]), (Kind::Missing, "is not authoritative for the zone".into()));
    for (code, words) in [
        (ResponseCode::ServFail, "answers SERVFAIL"),
        (ResponseCode::Refused, "answers REFUSED"),
        (ResponseCode::NXDomain, "answers NXDOMAIN"),
        (ResponseCode::BADVERS, "answers response code 16"),
    ] {
        assert_eq!(says(&answer(code, &[(OWNER, value())]), &["a"]), (Kind::Missing, words.into()));
    }
}

#[test]
fn a_negative_answer_tells_the_serial() {
    let mut negative = answer(ResponseCode::NXDomain, &[]);
    let soa = SOA::new(name("ns.a.test."), name("root.a.test."), 2_026_112_101, 1, 1, 1, 1);
    negative.add_authority(Record::from_rdata(name("a.test."), 1, RData::SOA(soa)));
    assert_eq!(
        judge(&negative, &name(OWNER), &["a".to_owned()]).details.serial,
        Some(2_026_112_101)
    );
}
