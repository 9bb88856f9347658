//! The provider against a server in this process: what goes over the wire, and what each answer means.

use dns01_core::{Exit, Explain as _};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Name;
use hickory_proto::rr::rdata::tsig::TsigError;

use super::fake::{Fake, Quirks, key, record, zone};
use crate::{DnsProvider as _, published};

#[tokio::test]
async fn values_of_one_zone_go_in_one_packet_each_way() {
    let fake = Fake::start(Quirks::default()).await;
    let provider = fake.provider(Some(key("hmac-sha256")));
    let records = [record("apex"), record("wildcard")];
    provider.add(&zone(), &records).await.unwrap();
    assert_eq!(fake.look(|state| state.datagrams.len()), 1);
    provider.remove(&zone(), &records).await.unwrap();
    assert_eq!(fake.look(|state| (state.datagrams.len(), state.texts.len())), (2, 0));
}

#[tokio::test]
async fn removing_one_value_keeps_the_other_and_a_foreign_one() {
    let fake = Fake::start(Quirks::default()).await;
    let provider = fake.provider(Some(key("hmac-sha256")));
    let name = Name::from_ascii("_acme-challenge.example.org.").unwrap();
    fake.look(|state| state.texts.push((name, "foreign".into())));
    provider.add(&zone(), &[record("apex"), record("wildcard")]).await.unwrap();
    provider.add(&zone(), &[record("apex")]).await.unwrap();
    provider.remove(&zone(), &[record("apex"), record("never there")]).await.unwrap();
    let published = published(&provider, &zone(), &record("").name).await.unwrap();
    assert_eq!(published.values, ["foreign", "wildcard"]);
    assert_eq!(published.serial, Some(42));
}

#[tokio::test]
async fn all_three_algorithms_and_no_key_at_all_work() {
    let fake = Fake::start(Quirks::default()).await;
    for key in [None, Some("hmac-sha256"), Some("hmac-sha384"), Some("HMAC-SHA512.")] {
        fake.provider(key.map(super::fake::key)).add(&zone(), &[record("v")]).await.unwrap();
    }
}

#[tokio::test]
async fn an_update_too_large_for_a_datagram_goes_over_tcp() {
    let fake = Fake::start(Quirks::default()).await;
    let provider = fake.provider(Some(key("hmac-sha256")));
    let records: Vec<_> = (0..20).map(|number| record(&format!("{number:043}"))).collect();
    provider.add(&zone(), &records).await.unwrap();
    let (datagrams, largest) = fake.look(|state| {
        (state.datagrams.len(), state.streamed.iter().map(Vec::len).max().unwrap_or_default())
    });
    assert_eq!(datagrams, 0);
    assert!(largest > super::wire::MAX_DATAGRAM);
}

#[tokio::test]
async fn more_than_fits_into_one_message_is_refused_at_once() {
    let fake = Fake::start(Quirks::default()).await;
    let records: Vec<_> = (0..1200).map(|number| record(&format!("{number:043}"))).collect();
    let error = fake.provider(None).add(&zone(), &records).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Input);
    assert!(error.to_string().ends_with("has too many records for one message"), "{error}");
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_again_over_tcp() {
    let fake = Fake::start(Quirks { truncate: true, ..Quirks::default() }).await;
    fake.provider(Some(key("hmac-sha256"))).add(&zone(), &[record("v")]).await.unwrap();
    assert_eq!(fake.look(|state| (state.datagrams.len(), state.texts.len())), (1, 1));
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again_with_another_id() {
    let fake = Fake::start(Quirks { swallow: 1, ..Quirks::default() }).await;
    fake.provider(Some(key("hmac-sha256"))).add(&zone(), &[record("v")]).await.unwrap();
    let mut ids = fake.look(|state| {
        state.datagrams.iter().map(|octets| [octets[0], octets[1]]).collect::<Vec<_>>()
    });
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn where_datagrams_are_dropped_the_last_try_goes_over_tcp() {
    let fake = Fake::start(Quirks { swallow: usize::MAX, ..Quirks::default() }).await;
    fake.provider(None).add(&zone(), &[record("v")]).await.unwrap();
    assert_eq!(fake.look(|state| (state.datagrams.len(), state.texts.len())), (2, 1));
}

#[tokio::test]
async fn silence_ends_as_transient() {
    let fake = Fake::start(Quirks { mute: true, ..Quirks::default() }).await;
    let error = fake.provider(None).add(&zone(), &[record("v")]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Transient);
    assert!(error.to_string().contains("no answer within 0.5 s"), "{error}");
}

#[tokio::test]
async fn an_unsigned_success_is_not_believed() {
    let fake = Fake::start(Quirks { unsigned: true, ..Quirks::default() }).await;
    let provider = fake.provider(Some(key("hmac-sha256")));
    let error = provider.add(&zone(), &[record("v")]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Transient);
    assert!(error.to_string().contains("is not signed"), "{error}");
}

#[tokio::test]
async fn a_forged_answer_is_not_believed() {
    let fake = Fake::start(Quirks { forged: true, ..Quirks::default() }).await;
    let provider = fake.provider(Some(key("hmac-sha256")));
    let error = provider.add(&zone(), &[record("v")]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Transient);
    assert!(error.to_string().contains("signature that is not the key's"), "{error}");
}

#[tokio::test]
async fn a_server_without_authority_cannot_be_read() {
    let fake = Fake::start(Quirks { lame: true, ..Quirks::default() }).await;
    let error = fake.provider(None).list(&zone(), &record("").name).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotFound);
}

#[tokio::test]
async fn every_failure_is_said_in_words_with_its_exit_code() {
    use ResponseCode as Code;
    for (code, tsig, exit, words) in [
        (
            Code::NotAuth,
            Some(TsigError::BadKey),
            Exit::AuthRefused,
            "does not accept TSIG key `test-key`: BADKEY",
        ),
        (
            Code::NotAuth,
            Some(TsigError::BadSig),
            Exit::AuthRefused,
            "the signature of TSIG key `test-key`: BADSIG",
        ),
        (Code::NotAuth, Some(TsigError::BadTime), Exit::Transient, "the clocks here and at"),
        (Code::NotAuth, None, Exit::AuthRefused, "refused to update zone `example.org`: NOTAUTH"),
        (Code::Refused, None, Exit::AuthRefused, "refused to update zone `example.org`: REFUSED"),
        (Code::NotZone, None, Exit::NotFound, "not in zone `example.org`: NOTZONE"),
        (Code::ServFail, None, Exit::Transient, "could not update zone `example.org`: SERVFAIL"),
        (Code::FormErr, None, Exit::Input, "did not understand the update: FORMERR"),
        (Code::NotImp, None, Exit::Input, "does not do dynamic updates: NOTIMP"),
        (Code::YXDomain, None, Exit::Input, "did not update zone `example.org`"),
    ] {
        let fake = Fake::start(Quirks { fail: Some((code, tsig)), ..Quirks::default() }).await;
        let provider = fake.provider(Some(key("hmac-sha256")));
        let error = provider.remove(&zone(), &[record("v")]).await.unwrap_err();
        assert_eq!(error.exit(), exit, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        let is_denied = exit == Exit::AuthRefused;
        assert_eq!(error.facts().len(), usize::from(is_denied), "{error}");
        assert!(!is_denied || error.hint().is_some());
    }
}

#[tokio::test]
async fn notauth_of_a_server_that_lacks_the_zone_is_not_found() {
    let quirks =
        Quirks { fail: Some((ResponseCode::NotAuth, None)), lame: true, ..Quirks::default() };
    let fake = Fake::start(quirks).await;
    let error = fake.provider(None).remove(&zone(), &[record("v")]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotFound);
    assert!(error.to_string().contains("is not authoritative for zone `example.org`"), "{error}");
}
