//! What a situation showed: a row of the table.

use super::super::platform::{CERTIFICATE, NAMES, OWNER, Platform};
use super::super::workflow::Ended;
use super::{Composite, cases};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dns01_core::{Chain, PrivateKey, SecretText};
use harness::NameServer as _;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// What was seen, in order.
#[derive(Default)]
pub(super) struct Seen {
    phases: Vec<String>,
    zone: Vec<usize>,
    says: Vec<String>,
    pods: usize,
}

impl Seen {
    pub(super) const HEAD: &str = "situation                composite phase                   TXT in zone  orders  issued  pods   time";

    /// Notes how a run ended, which must be so.
    #[track_caller]
    pub(super) fn run(&mut self, ended: &Ended, phase: &str) {
        assert_eq!(ended.phase(), phase, "{}", ended.table());
        self.phases.push(phase.to_owned());
        self.pods += ended.pods();
    }

    /// Notes what the primary holds now.
    pub(super) fn zone(&mut self, platform: &Platform) -> usize {
        let values = platform.named.txt(OWNER).len();
        self.zone.push(values);
        values
    }

    /// Notes what a person is told.
    pub(super) fn says(&mut self, node: &str, message: &str) {
        self.says.push(format!("{node}: {message}"));
    }

    /// The row of the table. What holds at the end of every situation is asserted here.
    #[track_caller]
    pub(super) fn row(
        mut self,
        situation: &str,
        composite: &Composite,
        platform: &Platform,
        took: Duration,
    ) -> String {
        cases::clean_up(&mut self, platform, composite);
        self.zone(platform);
        platform.assert_zone_is_clean();
        if composite.issues() {
            assert_delivered_once(platform);
        }
        let composite = composite.short;
        let zone: Vec<_> = self.zone.iter().map(ToString::to_string).collect();
        let mut row = format!(
            "{situation:<24} {composite:<9} {:<23} {:<12} {:>6}  {:>6}  {:>4}  {:>3} s",
            self.phases.join(", "),
            zone.join(" → "),
            platform.pebble.orders(),
            platform.pebble.issued(),
            self.pods,
            took.as_secs(),
        );
        for line in self.says {
            write!(row, "\n    {line}").unwrap();
        }
        row
    }
}

/// One certificate, of the first generation and for the key that its journal had first, is in its Secret.
#[track_caller]
fn assert_delivered_once(platform: &Platform) {
    let state = journal(platform);
    assert_eq!(
        (&state["phase"], &state["generation"]),
        (&"delivered".into(), &1.into()),
        "{state:#}"
    );
    assert_eq!(platform.pebble.issued(), 1);
    let chain = Chain::from_pem(&platform.delivered().unwrap()).unwrap();
    for (secret, entry) in
        [(format!("{CERTIFICATE}-tls"), "tls.key"), (format!("dns01-{CERTIFICATE}-key"), "1.pem")]
    {
        let key =
            PrivateKey::from_pem(&SecretText::from(entry_of(platform, &secret, entry))).unwrap();
        assert_eq!(key.spki_hash(), chain.leaf().spki, "{secret} holds another key");
    }
    assert_eq!(chain.leaf().names.len(), NAMES.len());
}

/// The certificate's journal.
pub(super) fn journal(platform: &Platform) -> Value {
    let found = platform.get(&format!("configmap/dns01-{CERTIFICATE}")).unwrap();
    serde_json::from_str(found["data"]["state.json"].as_str().unwrap()).unwrap()
}

/// An entry of a Secret.
#[track_caller]
pub(super) fn entry_of(platform: &Platform, secret: &str, entry: &str) -> String {
    let found = platform.get(&format!("secret/{secret}")).unwrap();
    let value = found["data"][entry].as_str().unwrap_or_else(|| panic!("{secret} has no {entry}"));
    String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
}
