//! What can go wrong with a CA, and what it means for the one who must act.

use dns01_core::{Exit, Explain};

/// Why a CA did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcmeError {
    /// To come.
    #[error("not yet written")]
    ToCome,
}

impl Explain for AcmeError {
    fn exit(&self) -> Exit {
        Exit::Bug
    }
}
