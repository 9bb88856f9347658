//! What is asked of `order`, and what comes of it.

use dns01_acme::{Ca, Order};
use dns01_core::{Challenge, Identifier, KeyType, RenewalRule};
use dns01_step::ChosenIssuer;
use dns01_store::journal::{Engine, State};
use dns01_store::{Backend, Name};

use crate::csr::OwnCsr;

/// All that is asked for.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Request<'a> {
    /// The journal's address.
    pub backend: &'a Backend,
    /// The certificate.
    pub certificate: Name,
    /// This run.
    pub run: String,
    /// What to certify.
    pub names: Vec<Identifier>,
    /// By whom.
    pub issuer: ChosenIssuer,
    /// Who talks to the CA.
    pub engine: Engine,
    /// The kind of key to make.
    pub key_type: KeyType,
    /// Whether the delivered key is used again (`rotationPolicy: Never`).
    pub keep_key: bool,
    /// The user's own CSR, in place of a key of ours.
    pub csr: Option<OwnCsr>,
    /// When to renew.
    pub rule: RenewalRule,
    /// Whether a new certificate is wanted in any case.
    pub force: bool,
    /// Whether a sink lost what was delivered.
    pub sink_is_behind: bool,
    /// Whether this run may start one generation more.
    pub one_more: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Placed {
    /// What the other steps have to do.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The journal as it is now.
    pub state: State,
    /// The challenges still to be answered; none where the order is past that.
    pub challenges: Vec<Challenge>,
    /// The CA and the order as it was just seen there: a later step of the same process need not ask again.
    pub seen: Option<(Ca, Order)>,
}

/// What the other steps have to do: the `action` output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Store what was issued.
    Deliver,
    /// Answer the challenges, get the certificate, store it.
    Issue,
}

impl Action {
    /// The word of the output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Deliver => "deliver",
            Self::Issue => "issue",
        }
    }
}
