//! Decides what happens with a certificate now, and brings its order to where challenges can be answered.
//!
//! Writes, in this order: state (new) → key → newOrder → state (key, URL) → authorizations → state (challenges, ordered).
//! Any of them may be the last one before the process dies; the next run goes on from what is there.

use std::time::Duration;

use chrono::{DateTime, Utc};
use dns01_acme::{AcmeError, Ca, CaSettings, Order, OrderStatus};
use dns01_core::{Challenge, Exit, Explain as _, SuggestedWindow};
use dns01_lookup::Lookup;
use dns01_step::{Attempt, Failure};
use dns01_store::journal::{
    Engine, Extra, Journal, KeptKey, Next, Phase, Spec, State, Wanted, Wish, next,
};
use dns01_store::{Name, StoreError};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::places::Places;
use crate::{Action, Placed, Request, account, authorize, refusal};

/// How long a run that meets another one between key and order waits for it.
const OTHER_RUN: Duration = Duration::from_mins(1);

/// Decides and acts.
pub async fn place(request: &Request<'_>, lookup: &Lookup) -> Result<Placed, Failure> {
    Placing::new(request, lookup)?.run().await
}

pub(crate) struct Placing<'a> {
    pub(crate) request: &'a Request<'a>,
    lookup: &'a Lookup,
    pub(crate) journal: Journal,
    directory: String,
    account: Name,
    ca: OnceCell<Ca>,
}

impl<'a> Placing<'a> {
    fn new(request: &'a Request<'a>, lookup: &'a Lookup) -> Result<Self, Failure> {
        let issuer = &request.issuer;
        let (directory, _) =
            dns01_acme::directory_url(&issuer.server).attempt(|| "find the CA".into())?;
        let kid = issuer.external_account.as_ref().map(|(kid, _)| kid.as_str());
        let account = dns01_store::account::id(issuer.name.as_deref(), &directory, kid);
        let account = account.attempt(|| "name the account".into())?;
        let journal = request.backend.journal(&request.certificate);
        Ok(Self { request, lookup, journal, directory, account, ca: OnceCell::new() })
    }

    async fn run(&self) -> Result<Placed, Failure> {
        let request = self.request;
        let keys = account::key(request.backend, &self.account, &request.issuer).await?;
        let spec = self.spec(keys.0.thumbprint());
        let began = Instant::now();
        let mut due: Option<(u64, Option<DateTime<Utc>>)> = None;
        let mut has_told = false;
        loop {
            let state = self.journal.read().await.attempt(|| self.what("read"))?;
            let rev = state.as_ref().map_or(0, |state| state.rev);
            // Asked again only when the journal has changed: the CA may be asked, and this loop may wait.
            let due_at = match due {
                Some((of, at)) if of == rev => at,
                _ => self.due_at(state.as_ref()).await?,
            };
            due = Some((rev, due_at));
            let wish = Wish {
                run: &request.run,
                spec: &spec,
                csr: request.csr.as_ref().map(|csr| &csr.spki),
                force: request.force,
                sink_is_behind: request.sink_is_behind,
                one_more: request.one_more,
                due_at,
                now: Utc::now(),
            };
            let state = match (next(state.as_ref(), &wish), state) {
                (Next::Nothing, Some(state)) => return Ok(nothing(state, due_at)),
                (Next::Deliver, Some(state)) => {
                    let state = self.join(&state, false).await?;
                    return Ok(Placed {
                        action: Action::Deliver,
                        reason: "issued already".into(),
                        state,
                        challenges: Vec::new(),
                        seen: None,
                    });
                }
                (Next::NotBefore(at), state) => {
                    return Err(refusal::not_before(at, state.as_ref()));
                }
                (Next::Dead, state) => return Err(refusal::dead(state.as_ref())),
                (Next::Abandon, Some(state)) => {
                    // From `finalizing` on, where another run may be by now, only the CA ends a generation.
                    self.bury(state.generation, "changed", &[Phase::New, Phase::Ordered]).await?;
                    continue;
                }
                (Next::Resume, Some(state)) if self.is_another_run_at_work(&state, began) => {
                    if !std::mem::replace(&mut has_told, true) {
                        tracing::info!(
                            run = state.run,
                            "another run is placing the order: waiting for it"
                        );
                    }
                    sleep(Duration::from_millis(500)).await;
                    continue;
                }
                (Next::Resume, Some(state)) => self.join(&state, true).await?,
                (Next::Start(reason), state) => match self.start(state, &spec, reason).await? {
                    Some(state) => state,
                    None => continue,
                },
                (_, None) => continue,
            };
            let generation = state.generation;
            match self.go_on(state, keys.clone()).await {
                Ok(Some(placed)) => return Ok(placed),
                Ok(None) => (),
                Err(failure) => return Err(self.ended(generation, failure).await),
            }
        }
    }

    fn spec(&self, thumbprint: &str) -> Spec {
        let request = self.request;
        Spec {
            engine: request.engine,
            names: request.names.clone(),
            directory: self.directory.clone(),
            account: self.account.clone(),
            thumbprint: thumbprint.to_owned(),
            profile: request.issuer.profile.clone(),
            key_type: request.key_type,
            extra: Extra::new(),
        }
    }

    /// The CA, reached on first use.
    async fn ca(&self) -> Result<&Ca, Failure> {
        let connect = async || {
            let mut settings = CaSettings::new(&self.directory);
            settings.roots_pem.clone_from(&self.request.issuer.roots_pem);
            settings.retry_budget = self.request.issuer.retry_budget;
            Ca::connect(&settings).await
        };
        self.ca
            .get_or_try_init(connect)
            .await
            .attempt(|| format!("reach the CA at `{}`", self.directory))
    }

    pub(crate) fn what(&self, verb: &str) -> String {
        format!("{verb} the journal of `{}`", self.request.certificate)
    }

    async fn due_at(&self, state: Option<&State>) -> Result<Option<DateTime<Utc>>, Failure> {
        let Some(state) = state else { return Ok(None) };
        let (Some(chain), rule) = (state.current(), self.request.rule) else { return Ok(None) };
        let window = match (&chain.leaf().ari_id, rule.wants_suggestion()) {
            // Renewal information is advice: without it the lifetime decides (RFC 9773 §4.3). A CA that has refused is
            // asked for nothing.
            (Some(id), true) if state.held_until(Utc::now()).is_none() => match self.ca().await {
                Ok(ca) => ca.renewal_window(id).await.ok().flatten(),
                Err(_) => None,
            },
            _ => None,
        };
        let window = window.map(|window| SuggestedWindow { start: window.start, end: window.end });
        Ok(Some(rule.due_at(chain.leaf(), window, state.draw())))
    }

    /// Between the key and the order's URL only time tells whether the other run still lives, unless it has recorded how
    /// it ended.
    fn is_another_run_at_work(&self, state: &State, began: Instant) -> bool {
        state.phase == Phase::New
            && state.order.is_none()
            && state.run != self.request.run
            && self.request.engine == Engine::Native
            && state.attempts.last().is_none_or(|last| last.code.is_none())
            && began.elapsed() < OTHER_RUN
    }

    /// Brings a generation from `new` on; `None` when it turned out dead and the decision must be made anew.
    async fn go_on(
        &self,
        state: State,
        keys: (dns01_acme::AccountKey, dns01_store::account::Account),
    ) -> Result<Option<Placed>, Failure> {
        if state.phase == Phase::Finalizing {
            return Ok(Some(issuing(state, Vec::new(), None)));
        }
        // The key does not need the CA: by the time it is durable, the CA may have answered.
        let (key, ca) = tokio::join!(self.key(&state), self.ca());
        let (key, ca) = (key?, ca?);
        let asked = account::at_ca(
            self.request.backend,
            ca,
            &self.account,
            &self.request.issuer,
            &self.directory,
            keys,
        )
        .await;
        if state.spec.engine == Engine::Certbot {
            asked?;
            let state = self.with_key(state, &key).await?;
            let reason = "certbot will place the order".to_owned();
            return Ok(Some(Placed { reason, ..issuing(state, Vec::new(), None) }));
        }
        let account = match asked {
            Ok(account) => account,
            Err(failure) => return Err(self.refused(&state, failure).await?),
        };
        let places = Places::new(self.lookup, &state.spec.names);
        Box::pin(places.beside(self.at_ca(state, key, &account, &places))).await
    }

    /// Places the order or finds it again, and records its challenges.
    async fn at_ca(
        &self,
        state: State,
        key: KeptKey,
        account: &dns01_acme::Account,
        places: &Places<'_>,
    ) -> Result<Option<Placed>, Failure> {
        let (state, order) = match &state.order {
            Some(order) => {
                let found = account.order(&order.url).await;
                match self.judge(&state, found).await? {
                    Some(order) => (state, order),
                    None => return Ok(None),
                }
            }
            None => self.new_order(state, key, account).await?,
        };
        let wanted = match order.status {
            OrderStatus::Pending => {
                authorize::wanted(account, &order, places, state.generation).await?
            }
            _ => Vec::new(),
        };
        let state = self.ordered(state, &order, &wanted).await?;
        match state.phase {
            Phase::Dead => Ok(None),
            Phase::Ordered => {
                let challenges = wanted.iter().map(Wanted::challenge).collect();
                Ok(Some(issuing(state, challenges, Some((account.ca().clone(), order)))))
            }
            // Another run has come further meanwhile.
            _ => Ok(Some(issuing(state, Vec::new(), None))),
        }
    }

    /// What the CA says of an order from before; `None` when the generation is dead of it.
    async fn judge(
        &self,
        state: &State,
        found: Result<Order, AcmeError>,
    ) -> Result<Option<Order>, Failure> {
        let why = match found {
            Ok(order) if order.status == OrderStatus::Invalid => "invalid",
            Ok(order) => return Ok(Some(order)),
            Err(error) if error.exit() == Exit::OrderDead => "lost",
            Err(error) => return Err(error).attempt(|| "ask the CA for the order".into()),
        };
        tracing::warn!(certificate = %self.request.certificate, "the order from before is {why} at the CA");
        let open = [Phase::New, Phase::Ordered, Phase::Finalizing];
        self.bury(state.generation, why, &open).await?;
        Ok(None)
    }

    async fn new_order(
        &self,
        state: State,
        key: KeptKey,
        account: &dns01_acme::Account,
    ) -> Result<(State, Order), Failure> {
        let offers_ari = account.ca().offers_ari();
        let replaces =
            state.delivered.as_ref().filter(|_| offers_ari).and_then(|old| old.ari.clone());
        let profile = state.spec.profile.as_deref();
        let placed = account.place(&state.spec.names, profile, replaces.as_deref()).await;
        let order =
            match placed.attempt(|| format!("place an order for `{}`", self.request.certificate)) {
                Ok(order) => order,
                Err(failure) => return Err(self.refused(&state, failure).await?),
            };
        dns01_core::fail_point::pass("order::placed");
        let stored = self.journal.update_generation(state.generation, |state| {
            // Two runs may both have asked: the first URL stays, the other order expires unused.
            if state.order.is_none() {
                state.key.get_or_insert_with(|| key.clone());
                state.order = Some(dns01_store::journal::Order {
                    url: order.url.clone(),
                    expires: order.expires,
                    replaces: order.replaces.clone(),
                    extra: Extra::new(),
                });
                state.answered(Exit::Done, None, None, Utc::now());
            }
            Ok::<_, StoreError>(())
        });
        let state = stored.await.attempt(|| self.what("write"))?;
        match &state.order {
            Some(kept) if kept.url != order.url => {
                let kept =
                    account.order(&kept.url).await.attempt(|| "ask the CA for the order".into())?;
                Ok((state, kept))
            }
            _ => Ok((state, order)),
        }
    }
}

/// What the other steps are to do for a generation that is under way.
fn issuing(state: State, challenges: Vec<Challenge>, seen: Option<(Ca, Order)>) -> Placed {
    let reason = "this certificate's order is placed".to_owned();
    Placed { action: Action::Issue, reason, state, challenges, seen }
}

fn nothing(state: State, due_at: Option<DateTime<Utc>>) -> Placed {
    let until =
        due_at.map(|at| format!(", renews about {}", at.format("%Y-%m-%d"))).unwrap_or_default();
    let reason = format!("delivered and not due{until}");
    Placed { action: Action::None, reason, state, challenges: Vec::new(), seen: None }
}
