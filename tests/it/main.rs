//! The one integration test binary.

mod acme;
mod fakes;
mod kube;
mod providers;
mod rooms;
mod templates;
