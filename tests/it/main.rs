//! The one integration test binary.

mod acme;
mod fakes;
mod image;
mod kube;
mod providers;
mod rooms;
mod templates;
