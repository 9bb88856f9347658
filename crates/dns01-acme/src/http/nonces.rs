//! The one pool of nonces (RFC 8555 §6.5): every answer to a POST brings one, every POST uses one up.
//!
//! Calls that go in parallel need as many nonces as there are calls, and fresh ones cost a request each. So a caller
//! that finds the pool empty waits for one to come back while that is cheap, and fetches its own when the queue would
//! take longer than a person notices.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::Notify;

/// The longest wait in the queue; above it an extra request is worth its cost: twenty names at a CA that is 50 ms away
/// then take two round trips for nonces, not five.
const LONGEST_QUEUE: Duration = Duration::from_millis(100);
/// More than any real CA's, less than a problem.
const LONGEST_NONCE: usize = 512;
const MOST_NONCES: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Nonces {
    state: Mutex<State>,
    back: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The newest last: it is used first, as old ones go stale.
    free: Vec<String>,
    /// Tickets out: each brings a nonce back, or an error.
    out: u32,
    waiting: u32,
}

/// The right to send one POST: with a nonce, or (`None`) with the duty to fetch one first. Dropping it lets the next go.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) nonce: Option<String>,
    pool: Arc<Nonces>,
}

impl Nonces {
    /// Keeps the nonce that an answer brought.
    pub(crate) fn harvest(&self, headers: &HeaderMap) {
        let Some(nonce) = read(headers) else { return };
        let mut state = self.state();
        if state.free.len() < MOST_NONCES && !state.free.contains(&nonce) {
            state.free.push(nonce);
        }
    }

    /// Waits for the right to send, at a CA whose `quickest` exchange took so long.
    pub(crate) async fn ticket(self: &Arc<Self>, quickest: Duration) -> Ticket {
        loop {
            let mut back = pin!(self.back.notified());
            back.as_mut().enable();
            {
                let mut state = self.state();
                let nonce = state.free.pop();
                if nonce.is_some() || !state.is_waiting_cheaper(quickest) {
                    state.out += 1;
                    return Ticket { nonce, pool: Arc::clone(self) };
                }
                state.waiting += 1;
            }
            let _leave = Leave(self);
            back.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_waiting_cheaper(&self, quickest: Duration) -> bool {
        self.out > 0 && quickest * (self.waiting + 1) <= LONGEST_QUEUE
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pool.state().out -= 1;
        self.pool.back.notify_waiters();
    }
}

/// A waiting caller that goes, woken or cancelled.
struct Leave<'a>(&'a Nonces);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// The nonce in an answer, if it is one (base64url, RFC 8555 §6.5.1).
pub(crate) fn read(headers: &HeaderMap) -> Option<String> {
    let nonce = headers.get("replay-nonce")?.to_str().ok()?;
    let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    let sound = (1..=LONGEST_NONCE).contains(&nonce.len()) && nonce.bytes().all(is_base64url);
    sound.then(|| nonce.to_owned())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn answer(nonce: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("replay-nonce", nonce.parse().unwrap());
        headers
    }

    const NEAR: Duration = Duration::from_millis(1);
    const FAR: Duration = Duration::from_millis(300);

    fn pool() -> Arc<Nonces> {
        let pool = Arc::new(Nonces::default());
        pool.harvest(&answer("first"));
        pool
    }

    #[test]
    fn no_nonce_is_given_out_twice() {
        let pool = pool();
        pool.harvest(&answer("first"));
        pool.harvest(&answer("second"));
        let first = pool.ticket(NEAR).now_or_never().unwrap();
        let second = pool.ticket(NEAR).now_or_never().unwrap();
        assert_eq!(
            (first.nonce.as_deref(), second.nonce.as_deref()),
            (Some("second"), Some("first"))
        );
        assert!(pool.ticket(NEAR).now_or_never().is_none());
    }

    #[tokio::test]
    async fn near_the_ca_a_call_waits_for_the_nonce_that_comes_back() {
        let pool = pool();
        let held = pool.ticket(NEAR).await;
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.ticket(NEAR).await.nonce.clone() }
        });
        tokio::task::yield_now().await;
        pool.harvest(&answer("second"));
        drop(held);
        assert_eq!(waiting.await.unwrap().as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn a_call_that_brings_nothing_back_wakes_the_next() {
        let pool = pool();
        let held = pool.ticket(NEAR).await;
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.ticket(NEAR).await.nonce.clone() }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert_eq!(waiting.await.unwrap(), None);
    }

    #[test]
    fn far_from_the_ca_a_call_fetches_its_own() {
        let pool = pool();
        let _held = pool.ticket(FAR).now_or_never().unwrap();
        assert_eq!(pool.ticket(FAR).now_or_never().unwrap().nonce, None);
    }

    #[test]
    fn what_is_no_nonce_is_not_kept() {
        for bad in ["", "a b", "a=", "\"", "../", &"a".repeat(LONGEST_NONCE + 1)] {
            assert_eq!(read(&answer(bad)), None, "{bad:?}");
        }
    }
}
