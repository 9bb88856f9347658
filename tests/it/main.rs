//! The one integration test binary.

mod acme;
mod audit;
mod certbot;
mod chart;
mod cluster;
mod cluster_down;
mod events;
mod exit_codes;
mod experience;
mod fakes;
mod faults;
mod fleet;
mod flow;
mod image;
mod journal_rules;
mod kill_sweep;
mod kube;
mod local_faults;
mod propagation;
mod providers;
mod races;
mod reference;
mod rooms;
mod secrets;
mod stage;
mod templates;
