//! Speaking to certificate authorities: directory, account, order, certificate, renewal information (RFC 8555, 9773).
//!
//! instant-acme carries an order's life; what it has no call for (several authorizations at once, a challenge answered
//! by its URL, external accounts, key change, alternate chains) goes through our own signing (`jws`), over the same HTTP layer, which
//! alone knows nonces, time limits, body caps and whom we may talk to.
//!
//! This room stores nothing and knows no journal: keys and URLs are given to it and come back from it. It never makes
//! an order's key, never decides when to renew, never touches DNS.

mod account;
mod authorization;
mod ca;
mod csr;
mod directory;
mod error;
mod finish;
mod http;
mod jws;
mod key;
mod line;
mod link;
mod order;
mod problem;
mod refusal;

pub use account::{Account, ExternalAccount};
pub use authorization::{Authorization, AuthorizationStatus, ChallengeStatus, Dns01};
pub use ca::{Ca, CaSettings, RenewalWindow};
pub use csr::{ReadCsr, csr, csr_pem, read_csr};
pub use directory::directory_url;
pub use error::AcmeError;
pub use key::AccountKey;
pub use order::{Order, OrderStatus};
pub use problem::{Problem, ProblemPart};
pub use refusal::Refusal;
