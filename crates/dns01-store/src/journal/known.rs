//! The state that this process has seen or written last: a text that has not changed is not parsed and checked again.
//!
//! What is there is read each time all the same. Only its version decides whether it is known.

use std::sync::{Arc, Mutex, PoisonError};

use super::State;
use crate::{Name, Version};

/// Shared by all journals of one backend, of which a process works on one at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Arc<Mutex<Option<(Name, Version, State)>>>);

impl Known {
    /// The state of `name`, if this version of it is known.
    pub(super) fn of(&self, name: &Name, version: &Version) -> Option<State> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, at, _)| of == name && at == version).map(|kept| kept.2.clone())
    }

    /// Keeps it in place of what was kept before.
    pub(super) fn keep(&self, name: &Name, version: &Version, state: &State) {
        let kept = Some((name.clone(), version.clone(), state.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}
