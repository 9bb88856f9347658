//! The one integration test binary.

mod acme;
mod certbot;
mod experience;
mod exit_codes;
mod fakes;
mod faults;
mod flow;
mod image;
mod journal_rules;
mod kill_sweep;
mod kube;
mod local_faults;
mod providers;
mod reference;
mod races;
mod rooms;
mod secrets;
mod stage;
mod templates;
