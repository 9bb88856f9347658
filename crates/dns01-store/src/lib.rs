//! Where things are kept: the journal of each certificate, ACME accounts, and the sinks a certificate is delivered to.
//!
//! Backends give four operations on small documents: get, put if the version is the one that was read, delete, list
//! (see [`Store`]). [`journal`] and [`account`] give those documents their meaning; [`sink`] delivers. This room never
//! speaks to a CA or to DNS, never decides what a step does next, and never shows a key.

pub mod account;
mod address;
mod dir;
mod error;
#[cfg(test)]
mod fixture;
pub mod journal;
mod kube;
mod name;
pub mod sink;
mod store;

pub use address::{Backend, open};
pub use dir::DirStore;
pub use error::StoreError;
pub use kube::{Cluster, Grant, KubeError};
pub use name::Name;
pub use store::{Doc, Store, Version, Versioned};
