//! SIGTERM and Ctrl-C: nothing new is started, what must not be cut in two is finished, the exit is 84.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// How long a protected section may still run after the first signal.
const GRACE: Duration = Duration::from_secs(20);

/// Shared by a step and the loop that runs it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    protected: AtomicUsize,
    changed: Notify,
}

impl Interrupt {
    /// Runs `section` to its end even if a signal arrives meanwhile; after a signal no new section begins.
    pub async fn protect<T>(&self, section: impl Future<Output = T>) -> T {
        if self.is_stopping() {
            // The run loop drops the step while this waits.
            std::future::pending::<()>().await;
        }
        self.0.protected.fetch_add(1, Ordering::SeqCst);
        let result = section.await;
        self.0.protected.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
        result
    }

    /// Runs `work`; if a signal ends it, runs `rescue` instead, within the grace that protected sections have.
    pub async fn or_rescue<T>(
        &self,
        work: impl Future<Output = T>,
        rescue: impl AsyncFnOnce() -> T,
    ) -> T {
        let held = self.0.protected.fetch_add(1, Ordering::SeqCst) + 1;
        let ended = {
            let mut work = std::pin::pin!(work);
            tokio::select! {
                biased;
                result = &mut work => Some(result),
                () = self.stopped(held) => None,
            }
        };
        let result = match ended {
            Some(result) => result,
            None => rescue().await,
        };
        self.0.protected.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
        result
    }

    /// Returns once a signal has arrived: for a protected section that has something to end.
    pub async fn signalled(&self) {
        self.stopped(usize::MAX).await;
    }

    /// Returns once a signal has arrived and no more than `held` sections are protected.
    async fn stopped(&self, held: usize) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_stopping() && self.0.protected.load(Ordering::SeqCst) <= held {
                return;
            }
            changed.await;
        }
    }

    /// Whether a signal has arrived.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    /// Runs `work`; `None` if a signal ended it.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            result = &mut work => return Some(result),
            () = stop_signal() => self.0.stopping.store(true, Ordering::SeqCst),
        }
        self.0.changed.notify_waiters();
        let second = stop_signal();
        let mut second = std::pin::pin!(second);
        let grace = tokio::time::sleep(GRACE);
        let mut grace = std::pin::pin!(grace);
        while self.0.protected.load(Ordering::SeqCst) > 0 {
            let changed = self.0.changed.notified();
            tokio::select! {
                biased;
                result = &mut work => return Some(result),
                () = changed => (),
                () = &mut second => return None,
                () = &mut grace => return None,
            }
        }
        None
    }
}

/// Waits for SIGTERM or SIGINT; forever where no handler can be set.
async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_protected_section_ends_before_the_rescue_begins() {
        let interrupt = Interrupt::default();
        let (inner, stopper) = (interrupt.clone(), interrupt.clone());
        let work = async {
            inner
                .protect(async {
                    stopper.0.stopping.store(true, Ordering::SeqCst);
                    stopper.0.changed.notify_waiters();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                })
                .await;
            tokio::time::sleep(Duration::from_mins(1)).await;
            "worked"
        };
        assert_eq!(interrupt.or_rescue(work, async || "rescued").await, "rescued");
        assert_eq!(interrupt.0.protected.load(Ordering::SeqCst), 0);
    }
}
