//! What lego's variables about waiting mean here: `CLOUDFLARE_PROPAGATION_TIMEOUT` and its like for every provider.
//!
//! The timeout is taken, the longest if there are several, because this step knows no provider. The two intervals are named
//! as needless: when to ask next depends on what the servers answer, and all values of a zone are written at once.

use std::time::Duration;

use dns01_core::Exit;
use dns01_step::Failure;

use crate::patience::seconds_too;

/// What lego waits for at most, in seconds.
const TIMEOUT: &str = "_PROPAGATION_TIMEOUT";
/// Every so many seconds lego looks.
const POLLING: &str = "_POLLING_INTERVAL";
/// Between two names lego sleeps so many seconds.
const SEQUENCE: &str = "_SEQUENCE_INTERVAL";

/// The variables of this process that say something about waiting, with their values.
pub(crate) fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| is_about_waiting(name) && !value.trim().is_empty())
        .collect()
}

/// Whether this is one of lego's variables about waiting. Ours look alike and mean flags.
pub fn is_about_waiting(name: &str) -> bool {
    !name.starts_with("DNS01_") && [TIMEOUT, POLLING, SEQUENCE].iter().any(|it| name.ends_with(it))
}

/// The longest timeout that any of them gives.
pub(crate) fn timeout(variables: &[(String, String)]) -> Result<Option<Duration>, Failure> {
    let mut longest = None;
    for (name, value) in variables.iter().filter(|(name, _)| name.ends_with(TIMEOUT)) {
        let timeout = seconds_too(value.trim()).map_err(|_| {
            Failure::new(Exit::Config, format!("{name} is not a number of seconds"))
                .hint(format!("set {name} to whole seconds, as lego takes it, or leave it out"))
        })?;
        longest = longest.max(Some(timeout.0));
    }
    Ok(longest)
}

/// Says which of them have no effect, and why; nothing when there is none.
pub(crate) fn ignored(variables: &[(String, String)]) -> Vec<String> {
    let named = |suffix: &str, why: &str| {
        let names = variables.iter().filter(|(name, _)| name.ends_with(suffix));
        let names: Vec<_> = names.map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| format!("{}: without effect, because {why}", names.join(", ")))
    };
    let polling = named(POLLING, "when to ask again depends on what the servers answer");
    let sequence = named(SEQUENCE, "all values of a zone are written at once");
    [polling, sequence].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_longest_timeout_counts_and_is_in_seconds() {
        let variables =
            set(&[("CF_PROPAGATION_TIMEOUT", "90"), ("RFC2136_PROPAGATION_TIMEOUT", "2m")]);
        assert_eq!(timeout(&variables).unwrap(), Some(Duration::from_mins(2)));
        assert_eq!(timeout(&[]).unwrap(), None);
        let failure = timeout(&set(&[("EXEC_PROPAGATION_TIMEOUT", "soon")])).unwrap_err();
        assert_eq!(failure.exit(), Exit::Config);
        assert!(failure.reason().contains("EXEC_PROPAGATION_TIMEOUT is not a number"));
    }

    #[test]
    fn the_intervals_are_named_with_the_reason() {
        let variables = set(&[("CF_POLLING_INTERVAL", "2"), ("RFC2136_SEQUENCE_INTERVAL", "60")]);
        let lines = ignored(&variables);
        assert_eq!(
            lines[0],
            "CF_POLLING_INTERVAL: without effect, because when to ask again depends on what the servers answer"
        );
        assert!(
            lines[1].starts_with("RFC2136_SEQUENCE_INTERVAL: without effect, because all values")
        );
        assert!(ignored(&set(&[("CF_PROPAGATION_TIMEOUT", "1")])).is_empty());
    }

    #[test]
    fn our_own_variables_are_not_taken_for_legos() {
        assert!(
            is_about_waiting("HTTPREQ_PROPAGATION_TIMEOUT")
                && is_about_waiting("CF_POLLING_INTERVAL")
        );
        assert!(!is_about_waiting("DNS01_PROPAGATION_TIMEOUT") && !is_about_waiting("CF_TTL"));
    }
}
