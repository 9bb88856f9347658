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
        return Some(jitter(Duration::from_millis(if tries < 16 { 10 } else { 250 })));
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

    async fn attempts(budget: Duration, repeat: Repeat, error: impl Fn() -> AcmeError) -> u32 {
        let mut count = 0;
        let ended: Result<(), _> = patiently(budget, repeat, || {
            count += 1;
            std::future::ready(Err(error()))
        })
        .await;
        assert!(ended.is_err());
        count
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn a_wait_within_the_budget_is_waited_and_a_longer_one_is_not() {
        let short = || refused(429, Some("25"), "rateLimited");
        let long = || refused(429, Some("61"), "rateLimited");
        assert_eq!(attempts(MINUTE, Repeat::IfUnheard, short).await, 3);
        assert_eq!(attempts(MINUTE, Repeat::Freely, long).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_limit_without_a_time_is_not_hammered() {
        let silent = || refused(429, None, "rateLimited");
        assert_eq!(attempts(MINUTE, Repeat::Freely, silent).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_done_is_not_done_again() {
        let broken = || refused(500, None, "serverInternal");
        assert_eq!(attempts(MINUTE, Repeat::IfUnheard, broken).await, 1);
        assert!(attempts(MINUTE, Repeat::Freely, broken).await > 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejected_nonce_is_replaced_until_the_budget_ends() {
        let rejected = || refused(400, None, "badNonce");
        let count = attempts(MINUTE, Repeat::IfUnheard, rejected).await;
        assert!(count > 200, "{count}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_for_good_is_final() {
        let caa = || refused(403, Some("1"), "caa");
        assert_eq!(attempts(MINUTE, Repeat::Freely, caa).await, 1);
    }
}
