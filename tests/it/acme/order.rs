//! Orders, from placing to the chain.

use dns01_acme::{AcmeError, AuthorizationStatus, OrderStatus, csr};
use dns01_core::{Chain, Exit, Explain as _, KeyType, PrivateKey};
use harness::{Lab, NameServer as _, Named, Pebble};
use serde_json::json;

use super::{connect, finish, issue, names, pebble, ready, register, soon};

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_order_costs_two_requests_per_name_four_and_how_it_stands() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    for count in [1, 2, 20] {
        let names: Vec<_> =
            (0..count).map(|number| format!("n{number}.of{count}.example.org")).collect();
        let names = super::names(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let before = pebble.requests_at_any_speed();
        let ca = connect(&lab, &pebble.directory()).await;
        let account = ca.account(account.key().clone(), account.url().to_owned());
        issue(&account, &names).await.unwrap();
        let asked = pebble.requests_at_any_speed() - before;
        assert_eq!(asked, 2 * count + 4, "{count} names");
    }
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn nine_of_ten_nonces_rejected_and_the_order_still_ends() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).nonce_reject(90).always_valid().start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    issue(&account, &names(&["example.org", "*.example.org"])).await.unwrap();
    assert_eq!((pebble.orders(), pebble.issued()), (1, 1));
}

#[tokio::test]
#[ignore = "needs named, pebble"]
async fn a_failed_validation_is_told_name_by_name_in_the_cas_words() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    let pebble = Pebble::builder(&lab, named.address()).start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let error = ready(&account, &names(&["nowhere.example", "*.other.example"])).await.unwrap_err();
    assert_eq!(error.exit(), Exit::OrderDead);
    let text = error.to_string();
    assert!(matches!(error, AcmeError::Invalid { .. }), "{text}");
    assert!(text.contains("`nowhere.example`: ") || text.contains("`*.other.example`: "), "{text}");
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_name_that_was_proved_before_is_ready_at_once() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).authz_reuse(100).always_valid().start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let names = names(&["example.org"]);
    issue(&account, &names).await.unwrap();
    let order = account.place(&names, None, None).await.unwrap();
    assert_eq!(order.status, OrderStatus::Ready);
    let authorizations = account.authorizations(&order).await.unwrap();
    assert_eq!(authorizations[0].status, AuthorizationStatus::Valid);
    account.wait_ready(&order.url, soon()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn the_preferred_chain_is_taken_where_there_is_one() {
    let lab = Lab::new();
    let pebble = Pebble::builder(&lab, lab.address()).alternate_roots(2).always_valid().start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let names = names(&["example.org"]);
    let order = ready(&account, &names).await.unwrap();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let order = account.finalize(&order, &csr(&names, &key).unwrap()).await.unwrap();
    let order = account.wait_valid(order, soon()).await.unwrap();
    let roots = pebble.issuing_roots();
    let subject = |pem: &String| Chain::from_pem(pem).unwrap().leaf().subject.clone();
    for root in &roots {
        let pem = account.download(&order, Some(&subject(root))).await.unwrap();
        let top = Chain::from_pem(&pem).unwrap().certificates().last().unwrap().issuer.clone();
        assert_eq!(top, subject(root));
    }
    let default = account.download(&order, None).await.unwrap();
    assert_eq!(account.download(&order, Some("No Such Root")).await.unwrap(), default);
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_renewal_names_what_it_replaces_and_a_second_one_need_not() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let names = names(&["example.org"]);
    let first = issue(&account, &names).await.unwrap();
    let id = first.leaf().ari_id.clone().unwrap();
    let order = account.place(&names, None, Some(&id)).await.unwrap();
    assert_eq!(order.replaces.as_deref(), Some(id.as_str()));
    finish(&account, order, &names).await.unwrap();
    // pebble answers 409 alreadyReplaced to this one.
    let again = account.place(&names, None, Some(&id)).await.unwrap();
    assert_eq!((again.replaces, again.status), (None, OrderStatus::Pending));
    // Another CA's certificate: 400 malformed. A serial that it forgot: 500.
    let (authority, _) = id.split_once('.').unwrap();
    for stranger in ["aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", &format!("{authority}.AIdlQyE")] {
        assert_eq!(account.place(&names, None, Some(stranger)).await.unwrap().replaces, None);
    }
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn the_cas_renewal_window_is_read_and_a_senseless_one_is_an_error() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let ca = connect(&lab, &pebble.directory()).await;
    let chain = issue(&register(&ca).await, &names(&["example.org"])).await.unwrap();
    let id = chain.leaf().ari_id.clone().unwrap();
    assert!(ca.offers_ari());
    let window = ca.renewal_window(&id).await.unwrap().unwrap();
    assert!(window.start < window.end && window.end < chain.leaf().not_after);
    let answer = |start: &str, end: &str| {
        let window = json!({ "start": start, "end": end });
        let page = "https://ca.example/why";
        let answer = json!({ "suggestedWindow": window, "explanationURL": page }).to_string();
        pebble.set_renewal_info(&chain.leaf_pem(), &answer);
    };
    answer("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z");
    let window = ca.renewal_window(&id).await.unwrap().unwrap();
    assert_eq!(window.start.to_rfc3339(), "2025-01-02T04:00:00+00:00");
    assert_eq!(window.explanation_url.as_deref(), Some("https://ca.example/why"));
    answer("2025-01-03T04:00:00Z", "2025-01-02T04:00:00Z");
    assert!(ca.renewal_window(&id).await.is_err());
    assert!(ca.renewal_window("../../dir").await.is_err());
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn a_profile_the_ca_lacks_is_refused_without_asking_it() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let ca = connect(&lab, &pebble.directory()).await;
    let account = register(&ca).await;
    assert_eq!(ca.profiles()[0].0, "default");
    let names = names(&["example.org"]);
    account.place(&names, Some("default"), None).await.unwrap();
    let refused = account.place(&names, Some("tlsserver"), None).await.unwrap_err();
    assert_eq!((refused.exit(), pebble.orders()), (Exit::CaRejected, 1));
    assert_eq!(refused.hint().unwrap(), "use one of default");
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn an_order_that_is_not_there_or_not_ours_is_gone() {
    let lab = Lab::new();
    let pebble = pebble(&lab);
    let ca = connect(&lab, &pebble.directory()).await;
    let (one, other) = (register(&ca).await, register(&ca).await);
    let order = one.place(&names(&["example.org"]), None, None).await.unwrap();
    for (account, url) in [(&other, order.url.clone()), (&one, format!("{}x", order.url))] {
        let gone = account.order(&url).await.unwrap_err();
        assert!(matches!(gone, AcmeError::Gone { .. }), "{gone}");
        assert_eq!(gone.exit(), Exit::OrderDead);
    }
    assert_eq!(one.order(&order.url).await.unwrap().identifiers, order.identifiers);
}

#[tokio::test]
#[ignore = "needs pebble"]
async fn what_the_ca_will_never_do_is_22() {
    let lab = Lab::new();
    let pebble =
        Pebble::builder(&lab, lab.address()).blocked(&["bad.example"]).always_valid().start();
    let account = register(&connect(&lab, &pebble.directory()).await).await;
    let refused = account.place(&names(&["www.bad.example"]), None, None).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::CaRejected, "{refused}");
    assert!(refused.to_string().contains("www.bad.example"), "{refused}");
    let order = ready(&account, &names(&["example.org"])).await.unwrap();
    let known = PrivateKey::from_pem(account.key().pem()).unwrap();
    let known = csr(&names(&["example.org"]), &known).unwrap();
    let refused = account.finalize(&order, &known).await.unwrap_err();
    assert!(refused.to_string().contains("badCSR"), "{refused}");
    assert_eq!(refused.exit(), Exit::CaRejected);
}
