//! What was found out a moment ago, so that the steps of one process don't each ask for it again.
//!
//! Only where names lead is kept, for seconds. What a server shows never is, and a wait follows its aliases anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dns01_core::OwnerName;

use crate::Location;

/// For so long a name is taken to lead where it led. Between steps in one process there is less, between pods more.
const KEPT: Duration = Duration::from_secs(5);

/// How a name was looked up.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Manner {
    /// Its CNAMEs were followed.
    Followed,
    /// They were not.
    Literally,
}

/// Names that were located a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<BTreeMap<(Manner, OwnerName), (Instant, Location)>>);

impl Recent {
    /// Where it led, if that is not long ago.
    pub(crate) fn get(&self, manner: Manner, name: &OwnerName) -> Option<Location> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, place) = kept.get(&(manner, name.clone()))?;
        (at.elapsed() < KEPT).then(|| place.clone())
    }

    /// Keeps where it leads, and forgets what is old.
    pub(crate) fn put(&self, manner: Manner, place: &Location) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| at.elapsed() < KEPT);
        kept.insert((manner, place.fqdn.clone()), (Instant::now(), place.clone()));
    }
}
