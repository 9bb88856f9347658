//! From validated challenges to the chain: waiting, finalizing, downloading.

use std::time::Duration;

use chrono::Utc;
use dns01_core::{Chain, fail_point};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

use crate::account::gone;
use crate::http::{Repeat, patiently};
use crate::{Account, AcmeError, Authorization, Order, OrderStatus};

/// The first look comes when the CA is likely to be done; from this pause on the next ones come ever more slowly.
const STEADY_LOOK: Duration = Duration::from_millis(100);
const SLOWEST_LOOK: Duration = Duration::from_secs(1);
const MOST_ALTERNATES: usize = 8;

impl Account {
    /// Asks for the order, again and again, until it is no longer `pending`. An order that became `invalid` is
    /// [`AcmeError::Invalid`], with the names and the CA's words; the deadline passing is [`AcmeError::NotYet`].
    pub async fn wait_ready(&self, url: &str, deadline: Instant) -> Result<Order, AcmeError> {
        sleep(self.first_pause()).await;
        let order = self.order(url).await?;
        let next = longer(self.ca().http().pace().work());
        self.wait(order, deadline, next, |status| status != OrderStatus::Pending).await
    }

    /// Asks for the order until it is `valid`; asks nobody if it is already. Errors as [`Account::wait_ready`].
    pub async fn wait_valid(&self, order: Order, deadline: Instant) -> Result<Order, AcmeError> {
        self.wait(order, deadline, self.first_pause(), |status| status == OrderStatus::Valid).await
    }

    /// The pause before the first look at what the CA was told to do: its work, of which it did some while its answer was
    /// under way, and does more until the question arrives.
    fn first_pause(&self) -> Duration {
        let pace = self.ca().http().pace();
        pace.work().saturating_sub(pace.quickest())
    }

    async fn wait(
        &self,
        mut order: Order,
        deadline: Instant,
        mut pause: Duration,
        is_done: impl Fn(OrderStatus) -> bool,
    ) -> Result<Order, AcmeError> {
        loop {
            if order.status == OrderStatus::Invalid {
                return Err(self.why_invalid(&order).await);
            }
            if is_done(order.status) {
                return Ok(order);
            }
            let asked = order.retry_after;
            let next = Instant::now() + asked.unwrap_or(pause);
            if next > deadline {
                let retry_at = asked.map(|asked| Utc::now() + asked);
                return Err(AcmeError::NotYet { status: order.status, retry_at });
            }
            sleep_until(next).await;
            pause = longer(pause.max(self.ca().http().pace().work()));
            order = self.refresh(&order, deadline - Instant::now()).await?;
        }
    }

    async fn refresh(&self, order: &Order, budget: Duration) -> Result<Order, AcmeError> {
        patiently(budget.min(self.ca().budget()), Repeat::Freely, || async {
            let order_now = order.talk.refresh(self.ca().http()).await;
            order_now.map_err(|error| gone(error, &order.url))
        })
        .await
    }

    /// The CA's words about each name that failed, else about the order.
    async fn why_invalid(&self, order: &Order) -> AcmeError {
        let mut words: Vec<_> = match self.authorizations(order).await {
            Ok(all) => all.iter().filter_map(Authorization::failure).collect(),
            Err(error) => {
                debug!(%error, "the authorizations of an invalid order cannot be read");
                Vec::new()
            }
        };
        if words.is_empty() {
            words.extend(order.error.as_ref().map(ToString::to_string));
        }
        if words.is_empty() {
            words.push("the CA gives no reason; it may have expired".into());
        }
        AcmeError::Invalid { why: words.join("; ") }
    }

    /// Hands in the CSR. Where the CA's answer is lost, the order is asked for: what comes back is how it stands.
    pub async fn finalize(&self, order: &Order, csr_der: &[u8]) -> Result<Order, AcmeError> {
        patiently(self.ca().budget(), Repeat::Freely, || async {
            let ended = order.talk.finalize(csr_der).await;
            fail_point::pass("acme::finalize");
            let error = match ended {
                Ok(()) => return order.talk.tell(self.ca().http()).await,
                Err(error) => error,
            };
            let is_plain_no = matches!(error, AcmeError::Refused(_))
                && !error.is_passing()
                && !error.refused_for("orderNotReady");
            if is_plain_no {
                return Err(error);
            }
            let now = self.look(&order.url).await?;
            let is_taken = !matches!(now.status, OrderStatus::Ready | OrderStatus::Pending);
            if is_taken { Ok(now) } else { Err(error) }
        })
        .await
    }

    /// Downloads the chain of a valid order as PEM, leaf first. With `preferred_chain` the alternates are fetched too, and
    /// the first whose topmost certificate was issued by that common name is taken, else the CA's default.
    pub async fn download(
        &self,
        order: &Order,
        preferred_chain: Option<&str>,
    ) -> Result<String, AcmeError> {
        let budget = self.ca().budget();
        let (chain, alternates) =
            patiently(budget, Repeat::Freely, || order.talk.certificate()).await?;
        fail_point::pass("acme::download");
        let Some(preferred) = preferred_chain else { return Ok(chain) };
        if is_issued_by(&chain, preferred) {
            return Ok(chain);
        }
        for url in alternates.iter().take(MOST_ALTERNATES) {
            let answer = self.ask(Repeat::Freely, url, b"").await?;
            let alternate = String::from_utf8_lossy(&answer.body).into_owned();
            if is_issued_by(&alternate, preferred) {
                return Ok(alternate);
            }
        }
        warn!(preferred, "the CA offers no such chain; its default is taken");
        Ok(chain)
    }
}

/// The pause after this one: several times as long, since the guess was wrong and each look is a request; then growing
/// slowly, so that a CA that takes a second is not kept waiting for a quarter of one.
fn longer(pause: Duration) -> Duration {
    let next = if pause < STEADY_LOOK { (pause * 4).min(STEADY_LOOK) } else { pause * 17 / 16 };
    next.min(SLOWEST_LOOK)
}

/// Whether the topmost certificate of the chain was issued by this common name, as certbot and cert-manager match.
fn is_issued_by(pem: &str, common_name: &str) -> bool {
    let chain = Chain::from_pem(pem).ok();
    chain.is_some_and(|chain| {
        chain.certificates().last().is_some_and(|top| top.issuer == common_name)
    })
}
