//! Authorities found through a fake resolver.

use dns01_core::{Exit, Explain as _};

use super::*;
use crate::fake::{Fake, lookup};

async fn servers(lines: &str) -> Result<Authorities, LookupError> {
    let zone = Zone { apex: "a.test".parse().unwrap() };
    Fake::serving(lines).await.lookup().authorities(&zone).await
}

#[tokio::test]
async fn every_address_of_every_server_is_found_and_those_without_are_named() {
    let found = servers(
        "a.test SOA
         a.test NS ns1.a.test
         a.test NS ns2.b.test
         a.test NS gone.b.test
         ns1.a.test A 192.0.2.1
         ns1.a.test A 192.0.2.2
         ns1.a.test AAAA 2001:db8::1
         b.test SOA
         ns2.b.test AAAA 2001:db8::2",
    )
    .await
    .unwrap();
    let servers: Vec<_> = found
        .servers
        .iter()
        .map(|it| {
            (
                it.name.as_str(),
                it.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            )
        })
        .collect();
    assert_eq!(
        servers,
        [
            ("ns1.a.test", "192.0.2.1:53 192.0.2.2:53 [2001:db8::1]:53".to_owned()),
            ("ns2.b.test", "[2001:db8::2]:53".to_owned())
        ]
    );
    assert_eq!(found.unresolved.len(), 1);
    assert_eq!(
        (found.unresolved[0].server.as_str(), found.unresolved[0].reason.as_str()),
        ("gone.b.test", "NXDOMAIN")
    );
}

#[tokio::test]
async fn a_zone_without_usable_servers_is_not_found() {
    for (lines, why) in [
        ("a.test SOA", "it has no NS records"),
        ("a.test SOA\na.test NS ns.a.test", "`ns.a.test` has no address (NXDOMAIN)"),
        ("b.test SOA", "REFUSED"),
    ] {
        let error = servers(lines).await.unwrap_err();
        assert_eq!(error.exit(), Exit::NotFound);
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.hint().unwrap().contains("--authority a.test=IP"));
    }
}

#[tokio::test]
async fn a_failed_address_lookup_is_worth_another_attempt() {
    let data = crate::fake::Data::new("a.test SOA\na.test NS ns.a.test");
    let server = Fake::start(move |asked, answer| {
        let mut answer = data.answer(answer);
        if asked.kind == RecordType::A {
            answer.metadata.response_code = ResponseCode::ServFail;
        }
        vec![answer]
    })
    .await;
    let zone = Zone { apex: "a.test".parse().unwrap() };
    let error = server.lookup().authorities(&zone).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Transient, "{error}");
}

#[tokio::test]
async fn a_zone_that_names_an_army_is_refused() {
    let many: Vec<_> =
        (0..65).map(|n| format!("a.test NS ns{n}.a.test\nns{n}.a.test A 192.0.2.1\n")).collect();
    let many = many.concat();
    let error = servers(&format!("a.test SOA\n{many}")).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Policy);
    assert_eq!(error.to_string(), "zone `a.test` names 65 name servers, and at most 64 are asked");
    let many: Vec<_> = (0..=255)
        .map(|n| format!("ns.a.test A 192.0.2.{n}\nns2.a.test A 198.51.100.{n}\n"))
        .collect();
    let many = many.concat();
    let error = servers(&format!(
        "a.test SOA\na.test NS ns.a.test\na.test NS ns2.a.test\nns.a.test AAAA ::1\n{many}"
    ))
    .await
    .unwrap_err();
    assert!(error.to_string().contains("names 513 name server addresses"), "{error}");
}

#[tokio::test]
async fn servers_that_the_user_names_need_no_lookup() {
    let (one, two) = (Fake::serving("").await, Fake::serving("").await);
    let zone = Zone { apex: "a.test".parse().unwrap() };
    let found = lookup(&[], &[("a.test", &[&one, &two])]).authorities(&zone).await.unwrap();
    let addresses: Vec<_> = found.addresses().collect();
    assert_eq!(addresses, [(0, one.address), (1, two.address)]);
    assert!(one.asked().is_empty());
}
