//! What tests of this room begin with.

use std::time::{Duration, SystemTime};

use dns01_core::{Bundle, Chain, KeyType, PrivateKey};
use rcgen::{CertificateParams, KeyPair};

use crate::Name;
use crate::journal::{Engine, Extra, Spec, State};

const DAY: Duration = Duration::from_hours(24);

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::P256).unwrap()
}

/// A self-signed certificate for `shop.example.org` whose validity began so many days ago, with its key.
pub(crate) fn bundle(days_old: u32) -> Bundle {
    let key = key();
    let pair = KeyPair::from_pem(key.pem().expose()).unwrap();
    let mut params = CertificateParams::new(["shop.example.org".to_owned()]).unwrap();
    let begin = SystemTime::now() - DAY * days_old;
    params.not_before = begin.into();
    params.not_after = (begin + DAY * 90).into();
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
