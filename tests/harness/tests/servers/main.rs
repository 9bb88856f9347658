//! The harness's own claims, on the real servers. Run by `cargo xtask test`.

mod dns;
mod https;
mod kubernetes;
mod pebble;
mod sandbox;
