//! How quick a CA is, as its answers so far show: what to wait before it is asked whether it has got further.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A CA that checks a name or signs does several times the work of an answer: of what pebble takes, most of it.
const WORK: u32 = 8;
/// What that work is taken for where answers come within no time, and where they take long because the CA is far away:
/// then more often than not it is done before the answer has arrived.
const SHORTEST_WORK: Duration = Duration::from_millis(3);
const LONGEST_WORK: Duration = Duration::from_millis(30);

#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    quickest: Option<Duration>,
    posts: u32,
    posting: Duration,
}

impl Pace {
    /// Learns from an exchange; connecting may be part of one without a POST.
    pub(crate) fn took(&self, time: Duration, is_post: bool) {
        let mut seen = self.seen();
        seen.quickest = Some(seen.quickest.map_or(time, |quickest| quickest.min(time)));
        if is_post {
            seen.posts += 1;
            seen.posting += time;
        }
    }

    /// The quickest exchange: little more than the way there and back.
    pub(crate) fn quickest(&self) -> Duration {
        self.seen().quickest.unwrap_or_default()
    }

    /// How long the CA is likely to work on what it was just told to do.
    pub(crate) fn work(&self) -> Duration {
        let seen = self.seen();
        let usual = seen.posting.checked_div(seen.posts).unwrap_or(LONGEST_WORK);
        (usual * WORK).clamp(SHORTEST_WORK, LONGEST_WORK)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(pace: &[(u64, bool)]) -> (u128, u128) {
        let all = Pace::default();
        for (time, is_post) in pace {
            all.took(Duration::from_millis(*time), *is_post);
        }
        (all.quickest().as_millis(), all.work().as_millis())
    }

    #[test]
    fn a_quick_ca_is_expected_to_be_done_soon_and_connecting_says_nothing_of_it() {
        assert_eq!(milliseconds(&[(40, false), (1, false), (2, true), (2, true)]), (1, 16));
        assert_eq!(milliseconds(&[(40, false), (0, true)]), (0, 3));
    }

    #[test]
    fn no_ca_is_given_longer_than_what_is_hardly_noticed() {
        assert_eq!(milliseconds(&[]), (0, 30));
        assert_eq!(milliseconds(&[(500, true)]), (500, 30));
    }
}
