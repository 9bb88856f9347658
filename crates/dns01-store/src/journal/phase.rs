//! The phases of a generation and the one table of what may follow what.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::StoreError;

use super::{Engine, State};

/// Which side effects may already have happened. What is true, the CA says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The generation exists; its key may be stored and an order may be placed.
    New,
    /// Key, order URL and challenges are stored.
    Ordered,
    /// A finalize request may have been sent, or certbot started.
    Finalizing,
    /// The chain is stored.
    Issued,
    /// Every sink was read back.
    Delivered,
    /// The order is lost for good; `dead` says why.
    Dead,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 6] =
        [Self::New, Self::Ordered, Self::Finalizing, Self::Issued, Self::Delivered, Self::Dead];

    /// Whether the same generation may go from this phase to `to`.
    pub const fn may_become(self, to: Self, engine: Engine) -> bool {
        match (self, to) {
            (Self::New, Self::Finalizing) => matches!(engine, Engine::Certbot),
            (Self::New, Self::Ordered) => matches!(engine, Engine::Native),
            (Self::Ordered, Self::Finalizing)
            | (Self::Finalizing, Self::Issued)
            | (Self::Issued, Self::Delivered)
            | (Self::New | Self::Ordered | Self::Finalizing, Self::Dead) => true,
            // Staying is no transition: attempts, challenges and sinks are written within a phase.
            _ => self as u8 == to as u8,
        }
    }

    /// Whether the next generation may begin after this phase.
    pub const fn may_be_followed(self) -> bool {
        matches!(self, Self::Issued | Self::Delivered | Self::Dead)
    }
}

/// Refuses a write that the table of phases does not have.
pub(super) fn check(from: Option<&State>, to: &State) -> Result<(), StoreError> {
    let allowed = match from {
        None => to.phase == Phase::New && to.generation == 1,
        Some(from) if to.generation == from.generation => {
            from.phase.may_become(to.phase, to.spec.engine)
        }
        Some(from) => {
            to.generation == from.generation + 1
                && from.phase.may_be_followed()
                && to.phase == Phase::New
        }
    };
    if allowed {
        return Ok(());
    }
    Err(StoreError::Transition {
        from: from.map(|state| state.phase),
        from_generation: from.map_or(0, |state| state.generation),
        to: to.phase,
        to_generation: to.generation,
    })
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Ordered => "ordered",
            Self::Finalizing => "finalizing",
            Self::Issued => "issued",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        })
    }
}
