//! Everything that the suite ships for Argo, run by Argo's own controllers on a real node.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "what a test needs and does not get fails it, and it shows what there was"
)]

mod bad_input;
mod certbot;
mod display;
mod events;
mod failures;
mod fleet;
mod pipeline;
mod platform;
mod retry;
mod rights;
mod situations;
mod steps;
mod whole;
mod workflow;
