//! Surveys of fake servers.

use super::*;
use crate::fake::{Fake, lookup};

const OWNER: &str = "_acme-challenge.a.test";

async fn survey(servers: &[&Fake]) -> Survey {
    let resolver = Fake::serving("a.test SOA").await;
    let lookup = lookup(&[&resolver], &[("a.test", servers)]);
    lookup.survey(&OWNER.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn each_address_is_told_with_its_values_and_serial() {
    let zone = format!("a.test SOA 5\n{OWNER} TXT one\n{OWNER} TXT two");
    let (one, two) = (Fake::serving(&zone).await, Fake::serving(&zone).await);
    let seen = survey(&[&one, &two]).await;
    assert!(seen.agrees());
    let lines = seen.lines();
    assert_eq!(lines[0], format!("{} shows \"one\" \"two\", serial 5", one.address));
    assert_eq!(
        lines[2],
        format!("all addresses show these TXT records at `{OWNER}` (zone `a.test`)")
    );
}

#[tokio::test]
async fn whoever_differs_is_seen_and_the_last_line_says_what_to_do() {
    let good = Fake::serving(&format!("a.test SOA 6\n{OWNER} TXT one")).await;
    let old = Fake::serving("a.test SOA 5").await;
    let lame = Fake::serving("b.test SOA").await;
    let seen = survey(&[&good, &old]).await;
    assert!(!seen.agrees());
    assert_eq!(seen.lines()[1], format!("{} has no TXT record, serial 5", old.address));
    assert!(seen.lines()[2].contains("different serials: wait, or repair its zone transfer"));
    let seen = survey(&[&good, &lame]).await;
    assert_eq!(seen.lines()[1], format!("{} answers REFUSED", lame.address));
    assert!(!seen.agrees() && seen.lines()[2].starts_with("repair "));
    let seen = survey(&[&old]).await;
    assert!(!seen.agrees() && seen.lines()[1].contains("write it at the provider"));
}

#[tokio::test]
async fn a_name_that_is_no_challenges_or_has_no_zone_of_its_own_is_told() {
    let advice = async |zone: &str, name: &str| {
        let server = Fake::serving(&format!("{zone} SOA")).await;
        let lookup = lookup(&[&server], &[(zone, &[&server])]);
        lookup.survey(&name.parse().unwrap()).await.unwrap().lines().pop().unwrap()
    };
    assert!(advice("test", OWNER).await.starts_with("check the spelling of `a.test`, or delegate"));
    assert!(advice("a.test", "a.test").await.ends_with("is at `_acme-challenge.a.test`"));
    assert!(advice("a.test", OWNER).await.ends_with("at the provider that serves this zone"));
}
