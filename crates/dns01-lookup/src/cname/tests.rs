//! Chains of CNAMEs through a fake resolver.

use dns01_core::{Exit, Explain as _};

use super::*;
use crate::fake::Fake;

const FQDN: &str = "_acme-challenge.a.test";

async fn locate(lines: &str) -> Result<Location, LookupError> {
    Fake::serving(lines).await.lookup().locate(&FQDN.parse().unwrap()).await
}

/// `a.test` and `b.test`, and so many CNAMEs from the challenge name to `end.b.test`.
fn chain_of(hops: usize) -> String {
    let zones = ["a.test SOA".to_owned(), "b.test SOA".to_owned()];
    let names: Vec<_> = (1..hops).map(|hop| format!("hop{hop}.b.test")).collect();
    let from = std::iter::once(FQDN).chain(names.iter().map(String::as_str));
    let to = names.iter().map(String::as_str).chain(["end.b.test"]);
    let aliases = from.zip(to).map(|(from, to)| format!("{from} CNAME {to}"));
    zones.into_iter().chain(aliases).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_name_that_is_no_alias_is_its_own_owner() {
    let found = locate("a.test SOA").await.unwrap();
    assert_eq!((found.owner.as_str(), found.zone.apex.as_str()), (FQDN, "a.test"));
    assert!(found.chain.is_empty() && found.wildcard_below.is_none());
}

#[tokio::test]
async fn eight_cnames_are_followed_and_nine_are_not() {
    let found = locate(&chain_of(8)).await.unwrap();
    assert_eq!((found.owner.as_str(), found.zone.apex.as_str()), ("end.b.test", "b.test"));
    assert_eq!((found.chain.len(), found.chain.last()), (8, Some(&found.owner)));
    let error = locate(&chain_of(9)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Input);
    let text = error.to_string();
    assert!(
        text.contains("more than 8 CNAMEs") && text.contains("`hop8.b.test` → `end.b.test`"),
        "{text}"
    );
}

#[tokio::test]
async fn a_circle_is_shown() {
    let error = locate(
        "a.test SOA
         _acme-challenge.a.test CNAME x.a.test
         x.a.test CNAME _acme-challenge.a.test",
    )
    .await
    .unwrap_err();
    assert_eq!(error.exit(), Exit::Input);
    assert_eq!(
        error.to_string(),
        "the CNAMEs of `_acme-challenge.a.test` lead in a circle: `x.a.test` → `_acme-challenge.a.test`"
    );
    let error = locate("a.test SOA\n_acme-challenge.a.test CNAME _acme-challenge.a.test")
        .await
        .unwrap_err();
    assert!(matches!(error, LookupError::CnameLoop { .. }));
}

#[tokio::test]
async fn a_target_that_does_not_exist_yet_is_no_fault_but_one_without_zone_is() {
    let found = locate("a.test SOA\nb.test SOA\n_acme-challenge.a.test CNAME to-come.b.test")
        .await
        .unwrap();
    assert_eq!(found.owner.as_str(), "to-come.b.test");
    for (lines, why) in [
        ("a.test SOA\n_acme-challenge.a.test CNAME x.nowhere.example", "nobody serves it"),
        (
            "a.test SOA\nexample SOA\n_acme-challenge.a.test CNAME x.gone.example",
            "only its TLD exists",
        ),
    ] {
        let error = locate(lines).await.unwrap_err();
        assert!(matches!(error, LookupError::CnameDangling { .. }), "{why}: {error:?}");
        assert_eq!(error.exit(), Exit::NotFound);
        assert!(error.hint().unwrap().starts_with("remove the CNAME at `_acme-challenge.a.test`"));
    }
}

#[tokio::test]
async fn a_wildcards_cname_is_recognised_and_not_followed() {
    let wildcard = "a.test SOA\nb.test SOA\na.test A 192.0.2.1\n*.a.test CNAME www.b.test\n";
    let found = locate(wildcard).await.unwrap();
    assert_eq!((found.owner.as_str(), found.zone.apex.as_str()), (FQDN, "a.test"));
    assert_eq!(found.wildcard_below.unwrap().as_str(), "a.test");
    // The same wildcard beside a CNAME that somebody did make.
    let found = locate(&format!("{wildcard}_acme-challenge.a.test CNAME x.b.test")).await.unwrap();
    assert_eq!((found.owner.as_str(), found.wildcard_below), ("x.b.test", None));
}

#[tokio::test]
async fn a_target_that_cannot_hold_a_record_is_refused() {
    let error = locate("a.test SOA\n_acme-challenge.a.test CNAME .").await.unwrap_err();
    assert!(error.to_string().contains("its CNAME points to `.`"), "{error}");
}
