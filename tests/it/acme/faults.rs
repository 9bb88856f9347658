//! A CA that fails for a while, at the wrong moment, or asks for patience.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chrono::{TimeDelta, Utc};
use dns01_acme::{AcmeError, Ca, CaSettings};
use dns01_core::{Exit, Explain as _};
use harness::{Lab, Pebble, Reply, Request, exchange};

use super::{connect, issue, names, pebble, ready, register, settings};

/// True for the first `count` requests to a path that starts with `path`.
fn first(count: usize, path: &'static str) -> impl Fn(&Request) -> bool + Send + Sync {
    let seen = Arc::new(AtomicUsize::new(0));
    move |request| request.path.starts_with(path) && seen.fetch_add(1, Ordering::Relaxed) < count
}

/// Lets pebble do what the request asks for.
fn pass(lab: &Lab, pebble: &Pebble) -> impl Fn(&Request) -> Reply + Send + Sync + use<> {
    let ca = lab.ca().pem().to_owned();
    let address: std::net::SocketAddr =
        pebble.directory().trim_start_matches("https://").trim_end_matches("/dir").parse().unwrap();
    move |request| exchange(address, &address.ip().to_string(), &ca, request).unwrap()
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_short_wait_that_the_ca_asks_for_is_waited_in_seconds_and_as_a_date() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    for seconds in [true, false] {
        let limited = first(1, "/order-plz");
        let front = pebble.front(move |request| {
            let date = SystemTime::now() + Duration::from_secs(2);
            let wait = if seconds { "2".to_owned() } else { httpdate(date) };
            let slow = Reply::problem(429, "rateLimited", "too many new orders");
            limited(request).then(|| slow.with_header("retry-after", &wait))
        });
        let account = register(&connect(&lab, &front.directory()).await).await;
        let start = Instant::now();
        issue(&account, &names(&["example.org"])).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

fn httpdate(time: SystemTime) -> String {
    chrono::DateTime::<Utc>::from(time).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_long_wait_ends_the_step_with_the_time_to_come_back() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let front = pebble.front(|request| {
        let slow = Reply::problem(429, "rateLimited", "too many certificates (5) already issued");
        (request.path == "/order-plz").then(|| slow.with_header("retry-after", "3600"))
    });
    let account = register(&connect(&lab, &front.directory()).await).await;
    let limited = account.place(&names(&["example.org"]), None, None).await.unwrap_err();
    assert_eq!(limited.exit(), Exit::RateLimited);
    let wait = limited.retry_at().unwrap() - Utc::now();
    assert!(wait > TimeDelta::minutes(59) && wait <= TimeDelta::minutes(60), "{wait}");
    let orders = front.requests().iter().filter(|request| request.path == "/order-plz").count();
    assert_eq!(orders, 1, "a rate-limited CA is left alone");
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_proxy_that_answers_in_html_is_survived_where_repeating_is_harmless() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let broken = ["/nonce-plz", "/my-order/", "/authZ/", "/certZ/"].map(|path| first(1, path));
    let front = pebble.front(move |request| {
        let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
        let bad = Reply::status(502).with_body("text/html", page);
        broken.iter().any(|is| is(request)).then_some(bad)
    });
    let account = register(&connect(&lab, &front.directory()).await).await;
    issue(&account, &names(&["example.org"])).await.unwrap();
    assert_eq!(pebble.issued(), 1);
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_order_that_may_have_been_placed_is_not_placed_again() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let (lost, broken) = (first(1, "/order-plz"), pass(&lab, &pebble));
    let front = pebble.front(move |request| {
        lost(request).then(|| {
            broken(request);
            Reply::closed()
        })
    });
    let account = register(&connect(&lab, &front.directory()).await).await;
    let lost = account.place(&names(&["example.org"]), None, None).await.unwrap_err();
    assert_eq!((lost.exit(), pebble.orders()), (Exit::Transient, 1));
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_lost_answer_to_finalize_is_found_by_asking_for_the_order() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let html = Reply::status(200).with_body("text/html", "<html>please log in</html>");
    for reply in [Reply::closed(), Reply::problem(500, "serverInternal", "try later"), html] {
        let (lost, behind) = (first(1, "/finalize-order/"), pass(&lab, &pebble));
        let front = pebble.front(move |request| {
            lost(request).then(|| {
                behind(request);
                reply.clone()
            })
        });
        let finalized = pebble.finalized();
        let account = register(&connect(&lab, &front.directory()).await).await;
        issue(&account, &names(&["example.org"])).await.unwrap();
        assert_eq!(pebble.finalized(), finalized + 1);
    }
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn finalize_is_repeated_when_the_ca_never_began() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let broken = first(2, "/finalize-order/");
    let front = pebble.front(move |request| {
        broken(request).then(|| Reply::problem(500, "serverInternal", "try later"))
    });
    let account = register(&connect(&lab, &front.directory()).await).await;
    issue(&account, &names(&["example.org"])).await.unwrap();
    assert_eq!(pebble.finalized(), 1);
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_order_still_pending_at_the_deadline_is_not_yet() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).retry_after(0, 0).start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let order = account.place(&names(&["example.org"]), None, None).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(600);
    let not_yet = account.wait_ready(&order.url, deadline).await.unwrap_err();
    assert_eq!(not_yet.to_string(), "the order is still `pending` at the deadline");
    assert_eq!(not_yet.exit(), Exit::NotYet);
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn the_cas_pace_is_kept_while_waiting() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).retry_after(2, 2).always_valid().start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    issue(&account, &names(&["example.org"])).await.unwrap();
    assert!(pebble.requests_to("/my-order/") <= 4, "{}", pebble.requests_to("/my-order/"));
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_ca_that_is_down_is_75_and_one_that_comes_back_is_waited_for() {
    let lab = Lab::new();
    let mut pebble = pebble(&lab);
    pebble.stop();
    let brief =
        CaSettings { retry_budget: Duration::from_secs(1), ..settings(&lab, &pebble.directory()) };
    let down = Ca::connect(&brief).await.unwrap_err();
    assert!(matches!(down, AcmeError::Unreachable { .. }), "{down}");
    assert_eq!(down.exit(), Exit::Transient);
    let patient = settings(&lab, &pebble.directory());
    let waiting = tokio::spawn(async move { Ca::connect(&patient).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    pebble.start();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_untrusted_ca_is_a_matter_of_settings() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let stranger = CaSettings { roots_pem: None, ..settings(&lab, &pebble.directory()) };
    let untrusted = Ca::connect(&stranger).await.unwrap_err();
    assert!(matches!(untrusted, AcmeError::Untrusted { .. }), "{untrusted}");
    assert_eq!(untrusted.exit(), Exit::Config);
    assert!(untrusted.hint().unwrap().contains("--ca-bundle"));
    let garbled = CaSettings { roots_pem: Some("no PEM".into()), ..stranger };
    assert!(matches!(Ca::connect(&garbled).await, Err(AcmeError::Roots)));
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn parallel_orders_of_one_account_do_not_disturb_each_other() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).nonce_reject(20).always_valid().start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let orders = (0..8).map(|number| {
        let account = account.clone();
        tokio::spawn(async move {
            let name = format!("p{number}.example.org");
            ready(&account, &names(&[&name])).await?;
            issue(&account, &names(&[&name])).await
        })
    });
    for order in orders.collect::<Vec<_>>() {
        order.await.unwrap().unwrap();
    }
    assert_eq!(pebble.issued(), 8);
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn far_from_the_ca_the_names_of_an_order_do_not_wait_for_each_other() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let distance = Duration::from_millis(100);
    let front = pebble.front(move |_| {
        std::thread::sleep(distance);
        None
    });
    let account = register(&connect(&lab, &front.directory()).await).await;
    let all: Vec<_> = (0..20).map(|number| format!("n{number}.example.org")).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let start = Instant::now();
    issue(&account, &names(&all)).await.unwrap();
    // One after the other the forty requests about names alone would take four seconds.
    assert!(start.elapsed() < 25 * distance, "{:?}", start.elapsed());
}
