//! Waits against fake servers on loopback, in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dns01_core::{Exit, Explain as _, Zone};

use crate::fake::{Data, Fake, lookup};
use crate::{Expectation, LookupError, Patience, Reason, Report};

const OWNER: &str = "_acme-challenge.a.test";

fn expect(owner: &str, values: &[&str]) -> Expectation {
    Expectation {
        zone: Zone { apex: "a.test".parse().unwrap() },
        owner: owner.parse().unwrap(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        aliases: Vec::new(),
        published: None,
    }
}

/// Waits for `expected` at servers of `a.test`, without a resolver.
async fn wait(
    servers: &[&Fake],
    expected: &[Expectation],
    millis: u64,
) -> Result<Report, LookupError> {
    let patience = Patience::new(Duration::from_millis(millis));
    let named = [("a.test", servers)];
    lookup(&[], if servers.is_empty() { &[] } else { &named })
        .wait(expected, &patience, &mut |_| ())
        .await
}

/// What people read, without the times, which depend on how busy the machine is.
fn timeless(error: &LookupError) -> String {
    let is_time = |word: &&str| word.contains('.') && word.parse::<f64>().is_ok();
    error
        .to_string()
        .split(' ')
        .map(|word| if is_time(&word) { "#" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// A server that has the value from its `late`th question on.
async fn late(late: usize) -> Fake {
    let (before, after) =
        (Data::new("a.test SOA"), Data::new(&format!("a.test SOA\n{OWNER} TXT value")));
    Fake::start(move |asked, answer| {
        vec![if asked.before < late { &before } else { &after }.answer(answer)]
    })
    .await
}

#[tokio::test]
async fn a_value_that_appears_is_seen_and_confirmed_from_fresh_ports() {
    let (prompt, late) = (late(0).await, late(3).await);
    let report = wait(&[&prompt, &late], &[expect(OWNER, &["value"])], 10_000).await.unwrap();
    assert_eq!((report.agreeing, report.total), (2, 2));
    assert_eq!((prompt.asked().len(), late.asked().len()), (9, 16));
    assert_eq!(report.servers.iter().map(|it| it.asked).collect::<Vec<_>>(), [9, 16]);
    assert!(report.servers[0].first_seen_ms < report.servers[1].first_seen_ms);
    assert!(report.waited_ms < 5_000, "{report:?}");
}

#[tokio::test]
async fn one_question_serves_all_values_of_a_name() {
    let server = Fake::serving(&format!(
        "a.test SOA\n{OWNER} TXT one\n{OWNER} TXT two\n{OWNER} TXT foreign"
    ))
    .await;
    let expected = [expect(OWNER, &["one"]), expect(OWNER, &["two"])];
    let report = wait(&[&server], &expected, 10_000).await.unwrap();
    assert_eq!((server.asked().len(), report.total), (9, 1));
    assert_eq!(report.servers[0].last_answer, "shows all 2 values");
}

#[tokio::test]
async fn the_error_names_who_is_behind_what_it_answers_and_for_how_long() {
    let good = Fake::serving(&format!("a.test SOA\n{OWNER} TXT value")).await;
    let behind = Fake::serving("a.test SOA").await;
    let lame = Fake::start(|_, mut answer| {
        answer.metadata.authoritative = false;
        vec![answer]
    })
    .await;
    let error =
        wait(&[&good, &behind, &lame], &[expect(OWNER, &["value"])], 400).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotYet);
    assert_eq!(
        timeless(&error),
        format!(
            "{} still answers NXDOMAIN for # s, {} still is not authoritative for the zone for # s; 1 of 3 addresses agree; servers with the same serial differ",
            behind.address, lame.address
        )
    );
    assert_eq!(error.facts().len(), 3);
    let report = error.report().unwrap();
    assert_eq!((report.agreeing, report.total, report.servers[1].serial), (1, 3, Some(7)));
    assert_eq!(
        error.hint().unwrap(),
        format!("ask the operator of {} why it differs at the same serial", behind.address)
    );
}

#[tokio::test]
async fn silent_servers_are_not_yet_rather_than_transient() {
    let silent = Fake::start(|_, _| vec![]).await;
    let error = wait(&[&silent], &[expect(OWNER, &["value"])], 3_500).await.unwrap_err();
    assert_eq!(error.exit(), Exit::NotYet);
    let text = timeless(&error);
    assert!(text.ends_with(" still does not answer for # s; 0 of 1 address agrees"), "{text}");
    assert!(error.hint().unwrap().starts_with("open port 53 (UDP and TCP)"));
}

#[tokio::test]
async fn a_name_that_lags_holds_its_address_back() {
    let server = Fake::serving(&format!("a.test SOA\n{OWNER} TXT value")).await;
    let other = "_acme-challenge.b.a.test";
    let error = wait(&[&server], &[expect(OWNER, &["value"]), expect(other, &["value"])], 300)
        .await
        .unwrap_err();
    let text = timeless(&error);
    assert!(
        text.contains("still answers NXDOMAIN at `_acme-challenge.b.a.test` for # s"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_takes_the_value_back_is_not_believed() {
    let flip = Fake::start(|asked, answer| {
        let value = format!("a.test SOA\n{OWNER} TXT value");
        vec![Data::new(if asked.before < 3 { &value } else { "a.test SOA" }).answer(answer)]
    })
    .await;
    let error = wait(&[&flip], &[expect(OWNER, &["value"])], 500).await.unwrap_err();
    let report = error.report().unwrap();
    assert_eq!((report.agreeing, report.servers[0].flips), (0, 1));
    let text = timeless(&error);
    assert!(text.contains(" showed them and now answers NXDOMAIN"), "{text}");
    assert!(text.ends_with("; it was there, and somebody removed it"), "{text}");
    assert!(error.hint().unwrap().starts_with("find out who else writes TXT records"));
}

#[tokio::test]
async fn progress_is_told_when_something_changes() {
    let (prompt, late) = (late(0).await, late(4).await);
    let mut heard = Vec::new();
    let patience = Patience::new(Duration::from_secs(10));
    lookup(&[], &[("a.test", &[&prompt, &late])])
        .wait(&[expect(OWNER, &["value"])], &patience, &mut |progress| {
            heard.push((progress.agreeing, progress.total, progress.behind().count()));
        })
        .await
        .unwrap();
    heard.dedup();
    assert!(
        heard.starts_with(&[(1, 2, 1)]) || heard.starts_with(&[(0, 2, 2), (1, 2, 1)]),
        "{heard:?}"
    );
    assert_eq!(heard.last(), Some(&(2, 2, 0)));
    assert!(heard.len() <= 4, "{heard:?}");
}

#[tokio::test]
async fn one_look_asks_every_address_once_and_misses_nothing() {
    let questions = Arc::new(AtomicU32::new(0));
    let good = Fake::serving(&format!("a.test SOA\n{OWNER} TXT value")).await;
    let behind = {
        let questions = questions.clone();
        Fake::start(move |_, answer| {
            questions.fetch_add(1, Ordering::Relaxed);
            vec![Data::new("a.test SOA").answer(answer)]
        })
        .await
    };
    let expected = [expect(OWNER, &["value"])];
    let report = lookup(&[], &[("a.test", &[&good])]).look_once(&expected).await.unwrap();
    assert_eq!((report.agreeing, report.total, good.asked().len()), (1, 1, 1));
    let started = Instant::now();
    let error =
        lookup(&[], &[("a.test", &[&good, &behind])]).look_once(&expected).await.unwrap_err();
    assert_eq!((error.exit(), questions.load(Ordering::Relaxed)), (Exit::NotYet, 1));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_report_is_one_flat_line_per_address() {
    let server = Fake::serving(&format!("a.test SOA\n{OWNER} TXT value")).await;
    let report = wait(&[&server], &[expect(OWNER, &["value"])], 10_000).await.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let line = &json["servers"][0];
    assert_eq!(line["zone"], "a.test");
    assert_eq!(line["address"], server.address.to_string());
    assert_eq!(line["agrees"], true);
    assert_eq!(line["last_answer"], "shows the value");
    assert_eq!((json["agreeing"].as_u64(), json["total"].as_u64()), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_name_outside_its_zone_is_refused_before_anyone_is_asked() {
    let server = Fake::serving("a.test SOA").await;
    let error =
        wait(&[&server], &[expect("_acme-challenge.b.test", &["value"])], 0).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Input);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn nothing_to_expect_is_seen_at_once() {
    let report = wait(&[], &[], 0).await.unwrap();
    assert_eq!(report.total, 0);
}

/// A server of `a.test` with this serial, whose primary is the hidden `hidden.a.test`.
async fn version(serial: u32, shows: bool) -> Fake {
    let soa = format!("a.test SOA {serial}\nhidden.a.test A 127.0.0.1");
    let value = format!("{OWNER} TXT value");
    Fake::serving(&if shows { format!("{soa}\n{value}") } else { soa }).await
}

#[tokio::test]
async fn a_secondary_that_lags_is_told_by_its_serial() {
    let (new, old) = (version(2_026_112_102, true).await, version(2_026_112_101, false).await);
    let error = wait(&[&new, &old], &[expect(OWNER, &["value"])], 300).await.unwrap_err();
    let address = old.address;
    assert_eq!(
        timeless(&error),
        format!(
            "{address} still answers NXDOMAIN, serial 2026112101 < 2026112102, for # s; \
             1 of 2 addresses agree; a secondary lags behind"
        )
    );
    assert_eq!(error.report().unwrap().reason, Some(Reason::SecondaryLags));
    let json = serde_json::to_value(error.report().unwrap()).unwrap();
    assert_eq!(
        (json["reason"].as_str(), json["servers"][0]["serial"].as_u64()),
        (Some("secondary-lags"), Some(2_026_112_102))
    );
}

#[tokio::test]
async fn a_provider_that_holds_the_value_and_publishes_nothing_is_named() {
    let server = version(7, false).await;
    let mut expected = expect(OWNER, &["value"]);
    let error = wait(&[&server], &[expected.clone()], 200).await.unwrap_err();
    assert_eq!(error.report().unwrap().reason, Some(Reason::NotOnThePrimary));
    let held = dns01_core::Published {
        zone: expected.zone.clone(),
        owner: expected.owner.clone(),
        values: vec!["value".to_owned()],
        serial: Some(8),
    };
    expected.published = Some(held);
    let error = wait(&[&server], &[expected], 200).await.unwrap_err();
    let text = timeless(&error);
    assert!(text.contains("; the provider holds the value and has not published it"), "{text}");
    assert!(error.hint().unwrap().contains("ask the provider why `a.test` is not published"));
}

async fn wait_by(
    strategy: &str,
    gates: &[&Fake],
    server: &Fake,
    millis: u64,
) -> Result<Report, LookupError> {
    let gates = gates.iter().map(|gate| crate::Gate::Dns(gate.address)).collect();
    let patience = Patience::new(Duration::from_millis(millis));
    let patience = patience.by(strategy.parse().unwrap(), gates).unwrap();
    let named = [("a.test", &[server][..])];
    lookup(&[], &named).wait(&[expect(OWNER, &["value"])], &patience, &mut |_| ()).await
}

#[tokio::test]
async fn a_resolver_is_asked_to_recurse_once_the_authorities_agree_and_then_holds_the_wait_back() {
    let server = late(3).await;
    let cache = Fake::start(|asked, mut answer| {
        let value = format!("a.test SOA\n{OWNER} TXT value");
        answer = Data::new(if asked.before < 2 { "a.test SOA" } else { &value }).answer(answer);
        answer.metadata.authoritative = false;
        vec![answer]
    })
    .await;
    let report = wait_by("stable,resolvers", &[&cache], &server, 10_000).await.unwrap();
    assert_eq!((report.agreeing, report.total), (2, 2));
    assert!(cache.asked().iter().all(|asked| asked.recursive));
    assert!(server.asked().iter().all(|asked| !asked.recursive));
    let empty = Fake::serving("a.test SOA").await;
    let error = wait_by("stable,resolvers", &[&empty], &server, 1_000).await.unwrap_err();
    let text = timeless(&error);
    assert!(text.starts_with(&format!("resolver {} still answers NXDOMAIN", empty.address)));
    assert!(text.ends_with("1 of 2 addresses agree"), "{text}");
    assert!(error.hint().unwrap().contains("a resolver may keep an old answer"));
}

#[tokio::test]
async fn none_and_a_fixed_pause_ask_nobody() {
    let server = Fake::serving("a.test SOA").await;
    assert_eq!(wait_by("none", &[], &server, 1_000).await.unwrap().total, 0);
    let report = wait_by("fixed:1s", &[], &server, 2_000).await.unwrap();
    assert!(report.waited_ms >= 1_000 && server.asked().is_empty(), "{report:?}");
}

#[tokio::test]
async fn the_rule_to_fall_back_on_takes_over() {
    let flips = late(3).await;
    let started = Instant::now();
    wait_by("fallback:lego>stable", &[], &flips, 3_000).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(1_500));
    assert_eq!(flips.asked().len(), 3 + 1 + 12);
}

#[tokio::test]
async fn a_hundred_values_a_long_one_and_one_with_a_hyphen_are_seen_over_tcp() {
    let mut values: Vec<_> = (0..98).map(|number| format!("{number:043}")).collect();
    values.extend(["x".repeat(255), "-begins-with-a-hyphen".to_owned()]);
    let lines = values.iter().map(|value| format!("{OWNER} TXT {value}"));
    let zone = lines.fold("a.test SOA".to_owned(), |zone, line| format!("{zone}\n{line}"));
    let server = Fake::serving(&zone).await;
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    let report = wait(&[&server], &[expect(OWNER, &values)], 10_000).await.unwrap();
    assert_eq!((report.agreeing, report.asked), (1, 9));
    assert_eq!(report.servers[0].last_answer, "shows all 100 values");
    assert!(server.asked().iter().any(|asked| asked.tcp));
}
