//! The harness's own claims, on the real servers. Run by `cargo xtask test`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod dns;
mod https;
mod kubernetes;
mod pebble;
mod sandbox;
