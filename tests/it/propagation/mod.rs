//! Waiting for real name servers that are slow, broken, badly set up or that lie.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod delegation;
mod dnssec;
mod fault_table;
mod flapping_orders;
mod gates;
mod look;

use harness::{Invocation, Lab, Sandbox};
use serde_json::Value;
use std::io::Write as _;

const OWNER: &str = "_acme-challenge.example.test";
const VALUE: &str = "-Kq0yq9uPfTpbIaEBvqX6dU3r5j1fWm2oZsH8cLxyzA";

/// `wait-propagation` that finds its way through the servers of `/etc/resolv.conf`, as anywhere.
fn step(lab: &Lab, resolver: std::net::IpAddr) -> Invocation {
    Sandbox::new(lab).resolv_conf(resolver).step("wait-propagation")
}

/// The same waiting for one value.
fn wait(lab: &Lab, resolver: std::net::IpAddr, timeout: &str) -> Invocation {
    step(lab, resolver).args(["--fqdn", OWNER, "--value", VALUE, "--timeout", timeout])
}

/// The report of a run.
fn report(run: &harness::Run) -> Value {
    serde_json::from_str(run.output("report")).unwrap()
}

/// Its entry for the server of this name.
#[track_caller]
fn server<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut servers = report["servers"].as_array().unwrap().iter();
    servers.find(|server| server["server"] == name).unwrap()
}

/// Whether the longer sweeps are wanted, and what they found shown.
fn soaks() -> bool {
    std::env::var_os("DNS01_SOAK").is_some_and(|value| value == "1")
}

/// Past the test runner, which keeps what `print!` says to itself.
fn show(text: &str) {
    if soaks() {
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
}
