//! Zone walks through fake resolvers and delegations.

use dns01_core::{Exit, Explain as _};
use hickory_proto::op::ResponseCode;

use super::*;
use crate::fake::{Fake, lookup};

async fn zone(lines: &str, name: &str) -> Result<String, LookupError> {
    let found = Fake::serving(lines).await.lookup().locate(&name.parse().unwrap()).await?;
    Ok(found.zone.to_string())
}

#[tokio::test]
async fn the_closest_zone_is_found_whatever_its_depth() {
    let lines =
        "uk SOA\nexample.co.uk SOA\nsub.example.co.uk SOA\nsub.example.co.uk NS ns.example.co.uk
                 _acme-challenge.own.example.co.uk SOA\nwww.example.co.uk A 192.0.2.1";
    for (name, apex) in [
        ("_acme-challenge.example.co.uk", "example.co.uk"),
        ("_acme-challenge.www.example.co.uk", "example.co.uk"),
        ("_acme-challenge.not.there.example.co.uk", "example.co.uk"),
        ("_acme-challenge.sub.example.co.uk", "sub.example.co.uk"),
        ("_acme-challenge.deep.sub.example.co.uk", "sub.example.co.uk"),
        ("_acme-challenge.own.example.co.uk", "_acme-challenge.own.example.co.uk"),
    ] {
        assert_eq!(zone(lines, name).await.unwrap(), apex, "{name}");
    }
}

#[tokio::test]
async fn an_alias_on_the_way_up_does_not_lead_astray() {
    // The answer for `www.a.test` ends in b.test, and tells b.test's SOA.
    let server = Fake::start(|asked, mut answer| {
        let lines = "a.test SOA\nb.test SOA\nwww.a.test CNAME b.test";
        let data = crate::fake::Data::new(lines);
        if asked.name == "_acme-challenge.www.a.test" {
            // A forwarder that leaves the authority section out.
            answer.metadata.response_code = ResponseCode::NXDomain;
            return vec![answer];
        }
        let mut answer = data.answer(answer);
        if asked.name == "www.a.test" {
            let mut end = hickory_proto::op::Message::query();
            end.add_query(hickory_proto::op::Query::query("b.test.".parse().unwrap(), asked.kind));
            answer.answers.extend(data.answer(end).answers);
        }
        vec![answer]
    })
    .await;
    let found =
        server.lookup().locate(&"_acme-challenge.www.a.test".parse().unwrap()).await.unwrap();
    assert_eq!(found.zone.to_string(), "a.test");
}

#[tokio::test]
async fn a_name_that_nobody_serves_is_not_found_and_says_so() {
    let error = zone("a.test SOA", "_acme-challenge.nosuch.example").await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotFound);
    assert!(error.to_string().contains("was answered REFUSED"), "{error}");
    let error = zone(". SOA", "_acme-challenge.nosuch.example").await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotFound);
    assert_eq!(
        error.to_string(),
        "no zone holds `_acme-challenge.nosuch.example`: not even its last label is delegated"
    );
}

#[tokio::test]
async fn a_resolver_that_fails_is_transient_and_the_next_one_is_asked() {
    let broken = Fake::start(|_, mut answer| {
        answer.metadata.response_code = ResponseCode::ServFail;
        vec![answer]
    })
    .await;
    let refusing = Fake::serving("other.test SOA").await;
    let good = Fake::serving("a.test SOA").await;
    let name = "_acme-challenge.a.test".parse().unwrap();
    let error = broken.lookup().locate(&name).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Transient);
    assert!(error.to_string().starts_with("resolver 127.0.0.1:"), "{error}");
    let before = broken.asked().len();
    let found = lookup(&[&broken, &refusing, &good], &[]).locate(&name).await.unwrap();
    assert_eq!(found.zone.to_string(), "a.test");
    // It was asked once more, and then only the one that had answered.
    assert_eq!(broken.asked().len(), before + 1);
}

#[tokio::test]
async fn a_referral_is_followed_to_the_delegated_zones_servers() {
    let parent = Fake::serving("a.test SOA\nsub.a.test NS ns.sub.a.test").await;
    let child =
        Fake::serving("sub.a.test SOA\n_acme-challenge.sub.a.test CNAME x.deep.sub.a.test").await;
    let lookup = lookup(&[&parent], &[("sub.a.test", &[&child])]);
    let found = lookup.locate(&"_acme-challenge.sub.a.test".parse().unwrap()).await.unwrap();
    assert_eq!(
        (found.owner.as_str(), found.zone.apex.as_str()),
        ("x.deep.sub.a.test", "sub.a.test")
    );
}

#[tokio::test]
async fn a_delegation_that_cannot_be_followed_never_yields_the_parent_zone() {
    let name = "_acme-challenge.sub.a.test".parse().unwrap();
    let parent = Fake::serving("a.test SOA\nsub.a.test NS gone.b.test").await;
    let error = parent.lookup().locate(&name).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Transient);
    assert_eq!(
        error.to_string(),
        "the servers of zone `sub.a.test` gave no answer for `_acme-challenge.sub.a.test`"
    );
    // A server that doesn't know the zone delegated to it, and points back up or to itself.
    for lines in ["test SOA\na.test NS ns.a.test", "a.test SOA\nsub.a.test NS ns.sub.a.test"] {
        let lame = Fake::serving(lines).await;
        let lookup = lookup(&[&parent], &[("sub.a.test", &[&lame])]);
        assert_eq!(lookup.locate(&name).await.unwrap_err().exit(), Exit::Transient, "{lines}");
    }
}

#[tokio::test]
async fn many_names_are_located_in_their_order_each_once() {
    let server = Fake::serving("a.test SOA\nb.test SOA").await;
    let names: Vec<OwnerName> =
        ["_acme-challenge.b.test", "_acme-challenge.a.test", "_acme-challenge.b.test"]
            .map(|name| name.parse().unwrap())
            .into();
    let found = server.lookup().locate_all(&names).await.unwrap();
    assert_eq!(found.iter().map(|it| it.fqdn.clone()).collect::<Vec<_>>(), names);
    // That a name is no alias is said by its zone.
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_zone_that_the_user_names_has_to_hold_the_end_of_the_chain() {
    let server =
        Fake::serving("a.test SOA\nb.test SOA\n_acme-challenge.a.test CNAME x.b.test").await;
    let zone = |apex: &str| Zone { apex: apex.parse().unwrap() };
    let name = "_acme-challenge.a.test".parse().unwrap();
    let found = server.lookup().locate_in(&name, &zone("b.test")).await.unwrap();
    assert_eq!((found.owner.as_str(), found.zone.apex.as_str()), ("x.b.test", "b.test"));
    let error = server.lookup().locate_in(&name, &zone("a.test")).await.unwrap_err();
    assert_eq!(error.to_string(), "`x.b.test` does not lie in zone `a.test`");
}

#[tokio::test]
async fn a_resolver_that_fails_for_one_zone_is_bypassed_from_the_zone_above() {
    let zone = Fake::serving("a.test SOA").await;
    let resolver = Fake::start(|asked, answer| {
        let known = crate::fake::Data::new("test SOA\ntest NS ns.test\nns.test A 127.255.255.254");
        let mut answer = known.answer(answer);
        if asked.name.ends_with("a.test") {
            answer.metadata.response_code = ResponseCode::ServFail;
        }
        vec![answer]
    })
    .await;
    let name = "_acme-challenge.a.test".parse().unwrap();
    // Nobody listens there, so the way down ends, and says where.
    let error = resolver.lookup().locate(&name).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotYet);
    assert_eq!(
        error.to_string(),
        "no server of the zone that holds `_acme-challenge.a.test` answers: 127.255.255.254 (connection refused)"
    );
    let named = lookup(&[&resolver], &[("a.test", &[&zone])]);
    assert_eq!(named.locate(&name).await.unwrap().zone.to_string(), "a.test");
}
