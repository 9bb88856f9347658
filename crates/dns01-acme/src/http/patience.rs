//! When a call is made again, and when that is over.

use std::time::Duration;

use rand::Rng as _;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::AcmeError;

/// Whether a call that may have arrived may be made again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repeat {
    /// Twice is as good as once.
    Freely,
    /// Only while it is certain that the CA has not acted on it.
    IfUnheard,
}

/// Makes a call until it succeeds, fails for good, or `budget` would be over before the next attempt.
pub(crate) async fn patiently<T, F, Fut>(
    budget: Duration,
    repeat: Repeat,
    mut attempt: F,
) -> Result<T, AcmeError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, AcmeError>>,
{
    let end = Instant::now() + budget;
    let mut tries = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(pause) = pause_after(&error, repeat, tries) else { return Err(error) };
        if Instant::now() + pause > end {
            return Err(error);
        }
        debug!(tries, ?pause, %error, "calling the CA again");
        sleep(pause).await;
        tries += 1;
    }
}

/// How long to wait before the next attempt; `None` when there should be none.
fn pause_after(error: &AcmeError, repeat: Repeat, tries: u32) -> Option<Duration> {
    if error.is_bad_nonce() {
        // The refusal brought a new nonce: try it at once; only a CA that keeps refusing is given air.
        return Some(jitter(Duration::from_millis(if tries < 32 { 10 } else { 250 })));
    }
    if let Some(asked) = error.wait_asked() {
        return Some(asked);
    }
    let again = error.is_unheard() || (error.is_passing() && repeat == Repeat::Freely);
    let growing = Duration::from_millis(250) * 2_u32.pow(tries.min(5));
    again.then(|| growing.min(Duration::from_secs(5)) / 2 + jitter(growing / 2))
}

fn jitter(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::error::Refusal;

    fn refused(status: u16, retry_after: Option<&str>, kind: &str) -> AcmeError {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert("retry-after", text.parse().unwrap());
        }
        let body = format!(r#"{{"type":"urn:ietf:params:acme:error:{kind}","detail":"d"}}"#);
        Refusal::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes()).into()
    }

    #[test]
    fn the_ca_is_given_the_time_it_asks_for() {
        for repeat in [Repeat::Freely, Repeat::IfUnheard] {
            for (status, kind) in [(429, "rateLimited"), (403, "rateLimited"), (503, "x")] {
                let error = refused(status, Some("25"), kind);
                assert_eq!(pause_after(&error, repeat, 0), Some(Duration::from_secs(25)));
            }
        }
    }

    #[test]
    fn a_rate_limit_without_a_time_is_not_hammered() {
        assert_eq!(pause_after(&refused(429, None, "rateLimited"), Repeat::Freely, 0), None);
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let broken = refused(500, None, "serverInternal");
        assert_eq!(pause_after(&broken, Repeat::IfUnheard, 0), None);
        for tries in 0..100 {
            let pause = pause_after(&broken, Repeat::Freely, tries).unwrap();
            assert!(pause >= Duration::from_millis(125) && pause <= Duration::from_secs(10));
        }
    }

    #[test]
    fn a_refusal_for_good_is_final_whatever_time_it_names() {
        assert_eq!(pause_after(&refused(403, Some("1"), "caa"), Repeat::Freely, 0), None);
    }

    #[tokio::test]
    async fn a_rejected_nonce_is_replaced_until_the_budget_ends() {
        let mut tries = 0;
        let ended: Result<(), _> = patiently(Duration::from_millis(300), Repeat::IfUnheard, || {
            tries += 1;
            std::future::ready(Err(refused(400, None, "badNonce")))
        })
        .await;
        assert!(ended.unwrap_err().is_bad_nonce() && tries > 8, "{tries}");
    }

    #[tokio::test]
    async fn a_wait_beyond_the_budget_ends_the_call_at_once() {
        let mut tries = 0;
        let ended: Result<(), _> = patiently(Duration::from_mins(1), Repeat::Freely, || {
            tries += 1;
            std::future::ready(Err(refused(429, Some("61"), "rateLimited")))
        })
        .await;
        assert!(ended.is_err() && tries == 1);
    }
}
