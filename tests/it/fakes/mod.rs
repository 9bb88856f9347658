//! Vendors' APIs under their own host names: what the catalog's bridge speaks to in tests.
//!
//! Each module answers as its vendor's public documentation says, for one zone and one TXT type: pages, refusals and
//! oddities included. Values are kept here, so a test can look at them, and add a stranger's, from behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a fake that is asked what no client should ask fails the test"
)]

pub(crate) mod cloudflare;
pub(crate) mod desec;
pub(crate) mod digitalocean;
pub(crate) mod hetzner;
pub(crate) mod route53;

use harness::{FakeHttps, Lab, Reply, Request};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The one zone that every vendor has.
pub(crate) const ZONE: &str = "example.test";

/// The credential that every vendor takes; as a canary it must never be seen anywhere.
pub(crate) const TOKEN: &str = "canary-Zq4vW8yB1nE6tR3uI9oP";

/// A vendor: how the suite knows it, and how it answers.
pub(crate) struct Api {
    pub(crate) provider: &'static str,
    pub(crate) host: &'static str,
    /// The variables that hold the credential; the last is the secret one.
    pub(crate) settings: &'static [&'static str],
    pub(crate) reply: fn(&Request, &mut Account) -> Reply,
}

/// A TXT value as a vendor keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: u64,
    /// The whole name, without a final dot.
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) ttl: u64,
}

/// What a vendor keeps for its customer.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) held: Vec<Held>,
    last_id: u64,
    /// Replies to give before any other.
    first: VecDeque<Reply>,
    /// How many more reads show what was there before the last write.
    pub(crate) stale: Vec<Vec<Held>>,
    /// Another writer undoes this many of our writes.
    pub(crate) undone: usize,
}

impl Account {
    pub(crate) fn add(&mut self, name: &str, value: &str, ttl: u64) -> u64 {
        self.last_id += 1;
        let (name, value) = (name.to_owned(), value.to_owned());
        self.held.push(Held { id: self.last_id, name, value, ttl });
        self.last_id
    }

    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let here = self.held.iter().filter(|held| held.name == name);
        here.map(|held| held.value.clone()).collect()
    }

    pub(crate) fn remove(&mut self, name: &str, value: &str) {
        self.held.retain(|held| held.name != name || held.value != value);
    }
}

/// A running vendor.
pub(crate) struct Vendor {
    pub(crate) api: &'static Api,
    pub(crate) https: FakeHttps,
    account: Arc<Mutex<Account>>,
}

impl Vendor {
    pub(crate) fn start(lab: &Lab, api: &'static Api) -> Self {
        let account = Arc::new(Mutex::new(Account::default()));
        let shared = Arc::clone(&account);
        let https = FakeHttps::start(lab, &[api.host], move |request| {
            let mut account = shared.lock().unwrap();
            account.first.pop_front().unwrap_or_else(|| (api.reply)(request, &mut account))
        });
        Self { api, https, account }
    }

    /// The variables with the right credential.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let all = self.api.settings.iter();
        all.map(|name| ((*name).to_owned(), TOKEN.to_owned())).collect()
    }

    /// A look at the account from behind.
    pub(crate) fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(&mut self.account.lock().unwrap())
    }

    /// The next requests get these replies.
    pub(crate) fn first(&self, replies: impl IntoIterator<Item = Reply>) {
        self.account(|account| account.first.extend(replies));
    }
}

/// The path's parts, without the query.
pub(crate) fn parts(request: &Request) -> Vec<&str> {
    let path = request.path.split('?').next().unwrap();
    path.split('/').filter(|part| !part.is_empty()).collect()
}

/// A parameter of the query; the names here need no decoding.
pub(crate) fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let (_, query) = request.path.split_once('?')?;
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(own, _)| *own == name)?.1.into())
}

/// The first label or labels of a name in the zone.
pub(crate) fn relative(name: &str) -> &str {
    name.strip_suffix(ZONE).unwrap().trim_end_matches('.')
}

/// The whole name of what is relative to the zone.
pub(crate) fn absolute(relative: &str) -> String {
    match relative {
        "" | "@" => ZONE.to_owned(),
        labels => format!("{labels}.{ZONE}"),
    }
}

/// A value without the quotes that most vendors want around it.
pub(crate) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a quoted TXT value")
}
