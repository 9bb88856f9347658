//! What each ServiceAccount may do and what not: asked with real tokens, and looked up in the pods of a real run.

mod adhoc;
mod client;
mod grid;
mod pods;

use super::platform;
