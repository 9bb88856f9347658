//! What a wait in this process has just seen on every server, so that it is not looked at once more.

use std::time::{Duration, Instant};

use dns01_core::{Challenge, OwnerName};
use dns01_store::journal::Wanted;

/// A look that is not older than this is the look before the first challenge is posted.
const FRESH: Duration = Duration::from_secs(2);

/// Values that every authority has shown several times in a row, and when.
#[derive(Clone, Debug)]
pub struct Confirmed {
    at: Instant,
    values: Vec<(OwnerName, String)>,
}

impl Confirmed {
    /// The values of `challenges`, seen at `at`.
    pub fn new(at: Instant, challenges: &[Challenge]) -> Self {
        let values = challenges.iter().map(|one| (one.fqdn.clone(), one.value.clone()));
        Self { at, values: values.collect() }
    }

    /// Whether all of these were seen, and only now.
    pub(crate) fn covers(&self, wanted: &[&Wanted]) -> bool {
        let seen =
            |one: &Wanted| self.values.iter().any(|it| (&it.0, &it.1) == (&one.fqdn, &one.value));
        self.at.elapsed() < FRESH && wanted.iter().all(|one| seen(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(value: &str) -> Wanted {
        serde_json::from_value(serde_json::json!({
            "generation": 1, "domain": "a.test", "fqdn": "_acme-challenge.a.test",
            "owner": "_acme-challenge.a.test", "value": value, "url": null, "state": "wanted",
        }))
        .unwrap()
    }

    #[test]
    fn only_what_was_seen_and_only_for_seconds_needs_no_other_look() {
        let seen = Challenge {
            domain: "a.test".parse().unwrap(),
            fqdn: "_acme-challenge.a.test".parse().unwrap(),
            value: "one".to_owned(),
        };
        let (one, two) = (wanted("one"), wanted("two"));
        let now = Confirmed::new(Instant::now(), std::slice::from_ref(&seen));
        assert!(now.covers(&[&one]) && !now.covers(&[&one, &two]));
        let Some(before) = Instant::now().checked_sub(FRESH) else { return };
        assert!(!Confirmed::new(before, &[seen]).covers(&[&one]));
    }
}
