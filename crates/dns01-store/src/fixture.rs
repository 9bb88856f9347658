//! What tests of this room begin with.

use chrono::{TimeDelta, Utc};
use dns01_core::{Bundle, Chain, KeyType, PrivateKey};
use rcgen::{CertificateParams, KeyPair};

use crate::Name;
use crate::journal::{Engine, Extra, Spec, State};

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::P256).unwrap()
}

/// A self-signed certificate for `shop.example.org` whose validity began so many days ago, with its key.
pub(crate) fn bundle(days_old: i64) -> Bundle {
    let key = key();
    let pair = KeyPair::from_pem(key.pem().expose()).unwrap();
    let mut params = CertificateParams::new(["shop.example.org".to_owned()]).unwrap();
    let begin = Utc::now() - TimeDelta::days(days_old);
    let date = |time: chrono::DateTime<Utc>| {
        use chrono::Datelike as _;
        rcgen::date_time_ymd(time.year(), time.month() as u8, time.day() as u8)
    };
    params.not_before = date(begin);
    params.not_after = date(begin + TimeDelta::days(90));
    let chain = Chain::from_pem(&params.self_signed(&pair).unwrap().pem()).unwrap();
    Bundle { chain, key: Some(key) }
}

pub(crate) fn spec() -> Spec {
    Spec {
        engine: Engine::Native,
        names: vec!["shop.example.org".parse().unwrap(), "*.shop.example.org".parse().unwrap()],
        directory: "https://ca.example/directory".into(),
        account: name("corp"),
        thumbprint: "t".repeat(43),
        profile: None,
        key_type: KeyType::P256,
        extra: Extra::new(),
    }
}

pub(crate) fn state() -> State {
    State::first(name("shop"), "run-1", spec())
}
