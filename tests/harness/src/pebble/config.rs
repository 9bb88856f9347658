//! What a [`Pebble`] will be like.

use super::{ACME, MANAGEMENT, Pebble};
use crate::lab::Lab;
use crate::server::Server;
use crate::tools::tool;
use serde_json::{Map, Value, json};
use std::fs;
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

/// A CA to be configured. Unset, it is strict, fast, rejects no nonce, and reuses authorizations as rarely as pebble can.
#[derive(Debug)]
pub struct PebbleBuilder {
    lab: Lab,
    dns: IpAddr,
    settings: Map<String, Value>,
    profiles: Map<String, Value>,
    nonce_reject: u8,
    authz_reuse: u8,
    alternate_roots: u8,
    chain_length: u8,
    always_valid: bool,
}

impl PebbleBuilder {
    pub(super) fn new(lab: &Lab, dns: IpAddr) -> Self {
        let builder = Self {
            lab: lab.clone(),
            dns,
            settings: Map::new(),
            profiles: Map::new(),
            nonce_reject: 0,
            authz_reuse: 0,
            alternate_roots: 0,
            chain_length: 1,
            always_valid: false,
        };
        builder.profile("default", Duration::from_hours(90 * 24)).retry_after(0, 0)
    }

    /// The share of good nonces that are refused, in percent (0 to 99).
    pub fn nonce_reject(mut self, percent: u8) -> Self {
        self.nonce_reject = percent;
        self
    }

    /// The share of valid authorizations that a new order gets again, in percent.
    pub fn authz_reuse(mut self, percent: u8) -> Self {
        self.authz_reuse = percent;
        self
    }

    /// Offers this many other chains by `Link: rel="alternate"`.
    pub fn alternate_roots(mut self, count: u8) -> Self {
        self.alternate_roots = count;
        self
    }

    /// The number of intermediates in a chain.
    pub fn chain_length(mut self, count: u8) -> Self {
        self.chain_length = count;
        self
    }

    /// Accepts every challenge without asking the name server.
    pub fn always_valid(mut self) -> Self {
        self.always_valid = true;
        self
    }

    /// The Retry-After of authorizations and orders in seconds (as number or date, at random); 0 sends none.
    pub fn retry_after(mut self, authz: u32, order: u32) -> Self {
        self.settings.insert("retryAfter".to_owned(), json!({"authz": authz, "order": order}));
        self
    }

    /// Offers a profile with this validity, or changes it: `default` is 90 days.
    pub fn profile(mut self, name: &str, validity: Duration) -> Self {
        self.profiles.insert(
            name.to_owned(),
            json!({"description": name, "validityPeriod": validity.as_secs()}),
        );
        self
    }

    /// Demands an external account binding; `hmac` is base64url.
    pub fn eab(mut self, kid: &str, hmac: &str) -> Self {
        self.settings.insert("externalAccountBindingRequired".to_owned(), json!(true));
        self.settings.insert("externalAccountMACKeys".to_owned(), json!({kid: hmac}));
        self
    }

    /// Refuses these names and what is below them (`rejectedIdentifier`).
    pub fn blocked(mut self, names: &[&str]) -> Self {
        self.settings.insert("domainBlocklist".to_owned(), json!(names));
        self
    }

    /// Starts the CA and waits until it answers.
    pub fn start(mut self) -> Pebble {
        let (address, folder) = (self.lab.address(), self.lab.folder("pebble"));
        let leaf = self.lab.ca().server(&[&address.to_string()]);
        let fixed = [
            ("listenAddress", json!(format!("{address}:{ACME}"))),
            ("managementListenAddress", json!(format!("{address}:{MANAGEMENT}"))),
            ("certificate", json!(leaf.cert_file)),
            ("privateKey", json!(leaf.key_file)),
            ("httpPort", json!(80)),
            ("tlsPort", json!(443)),
            ("keyAlgorithm", json!("ecdsa")),
            ("profiles", Value::Object(self.profiles)),
        ];
        self.settings.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        fs::write(folder.join("pebble.json"), json!({"pebble": self.settings}).to_string())
            .unwrap();
        let mut pebble = Command::new(tool("pebble"));
        pebble
            .args(["-strict", "-config", "pebble.json", "-dnsserver", &format!("{}:53", self.dns)])
            .current_dir(&folder);
        pebble
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_VA_ALWAYS_VALID", u8::from(self.always_valid).to_string());
        pebble
            .env("PEBBLE_WFE_NONCEREJECT", self.nonce_reject.to_string())
            .env("PEBBLE_AUTHZREUSE", self.authz_reuse.to_string());
        pebble
            .env("PEBBLE_ALTERNATE_ROOTS", self.alternate_roots.to_string())
            .env("PEBBLE_CHAIN_LENGTH", self.chain_length.to_string());
        let log = folder.join("pebble.log");
        let server = Server::start("pebble", pebble, &log, &[]);
        let mut pebble = Pebble { lab: self.lab, server, address, log };
        pebble.wait_ready();
        pebble
    }
}
