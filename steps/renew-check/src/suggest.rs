//! What CAs suggest about renewal (ARI): each is asked over one connection, and no more once it does not answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dns01_acme::{AcmeError, Ca, CaSettings, RenewalWindow};
use dns01_core::{Certificate, Exit, Explain as _, SuggestedWindow};
use dns01_step::ChosenIssuer;
use tokio::sync::OnceCell;

/// It is advice: a CA that asks for more patience is not waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// The CAs that were asked so far. Cheap where one certificate is checked, and what makes thousands possible.
#[derive(Debug, Default)]
pub(crate) struct Suggestions(Mutex<HashMap<Key, Arc<Source>>>);

/// A directory, and the roots that are trusted for it.
type Key = (String, Option<String>);

#[derive(Debug, Default)]
struct Source {
    ca: OnceCell<Option<Ca>>,
    is_silent: AtomicBool,
}

impl Suggestions {
    /// The CA's suggestion; no failure here stops a check (RFC 9773 §4.3).
    pub(crate) async fn for_certificate(
        &self,
        leaf: &Certificate,
        directory: &str,
        issuer: &ChosenIssuer,
    ) -> Option<SuggestedWindow> {
        let id = leaf.ari_id.as_ref()?;
        let source = self.source((directory.to_owned(), issuer.roots_pem.clone()));
        let ca = source.ca.get_or_init(|| connect(directory, issuer)).await.as_ref()?;
        if source.is_silent.load(Ordering::Relaxed) {
            return None;
        }
        match ca.renewal_window(id).await {
            Ok(window) => {
                window.map(|RenewalWindow { start, end, .. }| SuggestedWindow { start, end })
            }
            Err(error) => {
                if would_fail_again(&error) && !source.is_silent.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "{directory} gives no renewal information, so lifetimes decide: {error}"
                    );
                }
                None
            }
        }
    }

    fn source(&self, key: Key) -> Arc<Source> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key).or_default())
    }
}

async fn connect(directory: &str, issuer: &ChosenIssuer) -> Option<Ca> {
    let mut settings = CaSettings::new(directory);
    settings.roots_pem.clone_from(&issuer.roots_pem);
    settings.retry_budget = issuer.retry_budget.min(PATIENCE);
    let connected = Ca::connect(&settings).await;
    connected
        .inspect_err(|error| {
            tracing::warn!("{directory} cannot be asked, so lifetimes decide: {error}");
        })
        .ok()
}

/// Whether the next certificate would fare the same: not where the CA just does not know this one.
fn would_fail_again(error: &AcmeError) -> bool {
    error.exit().is_retryable() || error.exit() == Exit::RateLimited
}
