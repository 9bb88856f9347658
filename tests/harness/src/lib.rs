//! Real servers for tests and the demo: BIND, Knot, pebble, kube-apiserver, and a small TLS fake for what cannot be real.
//!
//! Everything starts from a [`Lab`]: a folder and a /24 of loopback of its own, inside the private namespace that
//! `cargo xtask test` enters. Each server is ready when its `start` returns and gone when its value is dropped; its log
//! is printed when the test panics. [`Sandbox`] runs one of this project's binaries as a user would.
//!
//! Nothing here is shipped, and nothing here knows how a step works inside.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness may panic: it fails the test that uses it"
)]
#![expect(
    clippy::missing_panics_doc,
    reason = "every function here panics when the machine does not do what it asks"
)]
#![expect(
    clippy::print_stderr,
    reason = "the logs of a failed test's servers go to its captured output"
)]

mod ask;
mod certbot;
mod cluster;
mod fake;
mod fake_dns;
mod http;
mod knot;
mod kube;
mod lab;
mod named;
mod nameserver;
mod namespace;
mod pebble;
mod pki;
mod sandbox;
mod server;
mod tools;
mod tsig;
mod zone;

pub use ask::txt;
pub use certbot::certbot;
pub use cluster::{Cluster, IMAGE, Kubectl, TeamController, image_archive};
pub use fake::FakeHttps;
pub use fake_dns::{Asked, FakeDns, Fault, Reaction, faults};
pub use http::{Reply, Request, exchange, exchange_plain};
pub use knot::Knot;
pub use kube::KubeApi;
pub use lab::Lab;
pub use named::{Named, NamedBuilder};
pub use nameserver::NameServer;
pub use namespace::{Network, private_namespace, remove_control_groups};
pub use pebble::{Front, Pebble, PebbleBuilder};
pub use pki::{Leaf, TestCa};
pub use rustix::process::Signal;
pub use sandbox::{Invocation, Run, Running, Sandbox, SyscallPoint};
pub use server::wait_until;
pub use tools::{tool, tools_dir};
pub use tsig::{Hmac, TsigKey};
pub use zone::{Update, Zone};
