//! The native engine: asks the CA how the order stands and goes on from there, whatever happened before.

use std::time::Duration;

use chrono::Utc;
use dns01_acme::{
    Account, AcmeError, AuthorizationStatus, Ca, CaSettings, ChallengeStatus, Order, OrderStatus,
};
use dns01_core::{Chain, Exit, Integrity, SuggestedWindow};
use dns01_lookup::{Expectation, Lookup};
use dns01_step::{Attempt, ChosenIssuer, Failure, StepIo};
use dns01_store::journal::{Act, Engine, KeptKey, Phase, State, Wanted};
use dns01_store::{Backend, Name};
use tokio::time::Instant;

use crate::certbot::{self, Certbot};
use crate::confirmed::Confirmed;
use crate::journal::Generation;
use crate::kept;

/// What is to be issued.
#[derive(Debug)]
pub struct Issue<'a> {
    /// The journal's address.
    pub backend: &'a Backend,
    /// The certificate.
    pub certificate: Name,
    /// This run.
    pub run: String,
    /// The generation to act for.
    pub generation: u64,
    /// How the CA is reached, and which chain is preferred.
    pub issuer: ChosenIssuer,
    /// How long the CA is given.
    pub timeout: Duration,
    /// The engine asked for; the one that `order` was given wins.
    pub engine: Option<Engine>,
    /// The CA and the order as `order` has just seen it, where both steps are one process.
    pub seen: Option<(Ca, Order)>,
    /// The values that a wait has just seen everywhere, where both steps are one process.
    pub confirmed: Option<Confirmed>,
    /// Which certbot runs, and with what, where the generation's engine is certbot.
    pub certbot: Certbot,
}

/// What was issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, checked.
    pub chain: Chain,
    /// Where it was issued just now.
    pub(crate) ca: Option<Ca>,
}

impl Issued {
    /// When the CA suggests to renew it; only asked where it was issued just now. Advice: the certificate is safe already.
    pub async fn window(&self) -> Option<SuggestedWindow> {
        let id = self.chain.leaf().ari_id.as_ref()?;
        let window = self.ca.as_ref()?.renewal_window(id).await.ok()??;
        Some(SuggestedWindow { start: window.start, end: window.end })
    }
}

/// Gets the certificate of the generation; done already is done.
pub async fn issue(request: &Issue<'_>, lookup: &Lookup, io: &StepIo) -> Result<Issued, Failure> {
    let journal = request.backend.journal(&request.certificate);
    let generation = Generation { journal, number: request.generation, run: &request.run };
    let state = generation.read().await?;
    if let Some(done) = done(&state)? {
        return Ok(done);
    }
    held_back(&state, &request.run)?;
    let engine = state.spec.engine;
    if request.engine.is_some_and(|asked| asked != engine) {
        tracing::info!(?engine, "the order's engine is used, not the one of --engine");
    }
    match engine {
        Engine::Native => {
            Issuing::new(request, lookup, io, generation, &state).await?.run(state).await
        }
        // Boxed, because every caller's future would carry its size.
        Engine::Certbot => Box::pin(certbot::issue(request, io, &generation, &state)).await,
    }
}

/// What an earlier or another run has got; a dead generation is an error.
pub(crate) fn done(state: &State) -> Result<Option<Issued>, Failure> {
    match (state.phase, &state.issued) {
        (Phase::Issued | Phase::Delivered, Some(issued)) => {
            let chain = Chain::from_pem(&issued.chain)
                .attempt(|| "read the chain in the journal".into())?;
            Ok(Some(Issued { chain, ca: None }))
        }
        (Phase::Dead, _) => {
            let why = state.dead.as_deref().unwrap_or("refused");
            let words = state.attempts.last().and_then(|last| last.why.clone());
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            Err(Failure::new(Exit::OrderDead, format!("the order is dead ({why}){words}"))
                .hint("start a new run")
                .until(state.retry_at))
        }
        _ => Ok(None),
    }
}

/// After a refusal to one run no other asks the CA before its time.
fn held_back(state: &State, run: &str) -> Result<(), Failure> {
    let last = state.attempts.last().filter(|last| last.run != run);
    match (last, state.held_until(Utc::now())) {
        (Some(last), Some(at)) => {
            let why = last.why.as_deref().map(|why| format!("; it said: {why}"));
            let why = why.unwrap_or_default();
            Err(Failure::new(
                Exit::RateLimited,
                format!("the CA refused before, and is not asked again until {at}{why}"),
            )
            .hint("run again after that time")
            .until(Some(at))
            .state("nothing was asked of the CA"))
        }
        _ => Ok(()),
    }
}

impl Issue<'_> {
    pub(crate) async fn connect(&self, directory: &str) -> Result<Ca, Failure> {
        let mut settings = CaSettings::new(directory);
        settings.roots_pem.clone_from(&self.issuer.roots_pem);
        settings.retry_budget = self.issuer.retry_budget;
        Ca::connect(&settings).await.attempt(|| format!("reach the CA at `{directory}`"))
    }
}

struct Issuing<'a> {
    request: &'a Issue<'a>,
    lookup: &'a Lookup,
    io: &'a StepIo,
    generation: Generation<'a>,
    key: KeptKey,
    ca: Ca,
    account: Account,
    order_url: String,
    deadline: Instant,
}

impl<'a> Issuing<'a> {
    async fn new(
        request: &'a Issue<'a>,
        lookup: &'a Lookup,
        io: &'a StepIo,
        generation: Generation<'a>,
        state: &State,
    ) -> Result<Self, Failure> {
        let (Some(order), Some(key)) = (&state.order, state.key.clone()) else {
            return Err(Failure::new(Exit::Conflict, "this generation has no order yet")
                .hint("run `order` first"));
        };
        let spec = &state.spec;
        let (account_key, url) = kept::account(request.backend, state).await?;
        let ca = match &request.seen {
            Some((ca, _)) => ca.clone(),
            None => request.connect(&spec.directory).await?,
        };
        let url = match url {
            Some(url) => url,
            None => kept::account_url(&ca, &account_key, spec.account.as_str()).await?,
        };
        let account = ca.account(account_key, url);
        let (order_url, deadline) = (order.url.clone(), Instant::now() + request.timeout);
        Ok(Self { request, lookup, io, generation, key, ca, account, order_url, deadline })
    }

    async fn run(&self, state: State) -> Result<Issued, Failure> {
        // A certificate without its key is of no use, however far the order is.
        let csr = kept::csr(&self.generation, &state, &self.key).await?;
        let mut order = match &self.request.seen {
            Some((_, order)) if order.url == self.order_url => order.clone(),
            _ => {
                let asked = self.account.order(&self.order_url).await;
                self.alive(asked, "ask the CA for the order").await?
            }
        };
        if order.status == OrderStatus::Pending {
            order = self.validate(&state).await?;
        }
        if order.status == OrderStatus::Ready {
            order = self.finalize(order, &csr).await?;
        } else if state.phase == Phase::Ordered && order.status != OrderStatus::Invalid {
            // The CA is past `ready` though no finalize of ours is on record: what comes is checked like any other.
            self.generation.attempt(Act::Finalize).await?;
        }
        if order.status != OrderStatus::Valid {
            let valid = self.account.wait_valid(order, self.deadline).await;
            order = self.alive(valid, "get the certificate").await?;
        }
        let chain = self.download(&order, &state).await?;
        dns01_core::fail_point::pass("issue::downloaded");
        // Another run may have ended this generation, well or not.
        let stored = done(&self.generation.issued(&chain).await?)?;
        let chain = stored.map_or(chain, |stored| stored.chain);
        Ok(Issued { chain, ca: Some(self.ca.clone()) })
    }

    /// Posts the challenges once every name server shows their values, and waits for the CA's verdict.
    async fn validate(&self, state: &State) -> Result<Order, Failure> {
        let wanted: Vec<&Wanted> = state
            .challenges
            .iter()
            .filter(|one| one.generation == state.generation && one.url.is_some())
            .collect();
        let urls: Vec<String> = match state.validating_at {
            None => wanted.iter().filter_map(|one| one.url.clone()).collect(),
            Some(_) => self.still_pending().await?,
        };
        if !urls.is_empty() {
            let posting = wanted
                .into_iter()
                .filter(|one| one.url.as_ref().is_some_and(|url| urls.contains(url)));
            let posting: Vec<_> = posting.collect();
            if !self.request.confirmed.as_ref().is_some_and(|it| it.covers(&posting)) {
                self.look(&posting).await?;
            }
            self.post(urls).await?;
        }
        dns01_core::fail_point::pass("issue::validating");
        let ready = self.account.wait_ready(&self.order_url, self.deadline).await;
        self.alive(ready, "prove control of the names").await
    }

    /// Tells the CA to look. What another run has posted meanwhile is refused; what is still open is posted without it.
    async fn post(&self, mut urls: Vec<String>) -> Result<(), Failure> {
        if done(&self.generation.attempt(Act::Validate).await?)?.is_some() {
            return Ok(());
        }
        while let Err(error) = self.io.interrupt().protect(self.account.validate(&urls)).await {
            let open = self.still_pending().await?;
            if open.is_empty() {
                break;
            }
            if open.len() >= urls.len() {
                return Err(self.refused(error, "answer the challenges").await?);
            }
            urls = open;
        }
        Ok(())
    }

    /// One look at the authorities right before the CA is told to look: a missing value costs a failed validation.
    async fn look(&self, wanted: &[&Wanted]) -> Result<(), Failure> {
        let mut expected: Vec<Expectation> = Vec::new();
        let fqdns: Vec<_> = wanted.iter().map(|one| one.fqdn.clone()).collect();
        let places = self
            .lookup
            .locate_all(&fqdns)
            .await
            .attempt(|| "find the zones of the challenges".into())?;
        for (one, place) in wanted.iter().zip(places) {
            match expected.iter_mut().find(|known| known.owner == place.owner) {
                Some(known) => known.values.push(one.value.clone()),
                None => expected.push(Expectation {
                    zone: place.zone,
                    owner: place.owner,
                    values: vec![one.value.clone()],
                    aliases: Vec::new(),
                    published: None,
                }),
            }
        }
        let seen = self.lookup.look_once(&expected).await;
        let seen =
            seen.attempt(|| "see every value on every name server before the CA looks".into());
        seen.map(drop)
            .map_err(|failure| failure.state("nothing was asked of the CA; the order is open"))
    }

    /// The challenges that the CA has not begun to look at.
    async fn still_pending(&self) -> Result<Vec<String>, Failure> {
        let what = || "ask the CA how the authorizations stand".to_owned();
        let order = self.account.order(&self.order_url).await.attempt(what)?;
        let authorizations = self.account.authorizations(&order).await.attempt(what)?;
        let pending =
            authorizations.into_iter().filter(|one| one.status == AuthorizationStatus::Pending);
        let open = pending
            .filter_map(|one| one.dns01)
            .filter(|one| one.status == ChallengeStatus::Pending);
        Ok(open.map(|one| one.url).collect())
    }

    /// Finalizes with the journalled key. The phase is durable first, and a signal does not cut this in two.
    async fn finalize(&self, order: Order, csr: &[u8]) -> Result<Order, Failure> {
        let act = async {
            if done(&self.generation.attempt(Act::Finalize).await?)?.is_some() {
                let asked = self.account.order(&self.order_url).await;
                return self.alive(asked, "ask the CA for the order").await;
            }
            let finalized = self.account.finalize(&order, csr).await;
            dns01_core::fail_point::pass("issue::finalized");
            match finalized {
                Ok(order) => Ok(order),
                // An ambiguous answer: the CA says what is true.
                Err(error) => match self.account.order(&self.order_url).await {
                    Ok(order)
                        if matches!(order.status, OrderStatus::Valid | OrderStatus::Processing) =>
                    {
                        Ok(order)
                    }
                    _ => Err(self.refused(error, "finalize the order").await?),
                },
            }
        };
        self.io.interrupt().protect(act).await
    }

    /// Downloads and checks. A certificate for another key is not ours: somebody else finished this order.
    async fn download(&self, order: &Order, state: &State) -> Result<Chain, Failure> {
        let preferred = self.request.issuer.preferred_chain.as_deref();
        let pem = self
            .account
            .download(order, preferred)
            .await
            .attempt(|| "download the certificate".into())?;
        let chain =
            Chain::from_pem(&pem).attempt(|| "read the certificate that the CA gave".into())?;
        match chain.check(&state.spec.names, &self.key.spki, Utc::now()) {
            Ok(()) => Ok(chain),
            Err(error @ Integrity::OtherKey { .. }) => {
                let failure =
                    Err::<(), _>(error).attempt(|| "use the certificate of this order".into());
                let failure = failure.err().unwrap_or_else(|| Failure::new(Exit::Bug, "no error"));
                Err(self
                    .generation
                    .dead(failure.with_exit(Exit::OrderDead).hint("start a new run"), "foreign")
                    .await?)
            }
            Err(error) => Err(error).attempt(|| "accept the certificate that the CA gave".into()),
        }
        .map_err(|failure| {
            failure.state("nothing was stored; what was delivered before is untouched")
        })
    }

    /// An order as the CA sees it, or the end of this generation where the CA says so.
    async fn alive(&self, asked: Result<Order, AcmeError>, what: &str) -> Result<Order, Failure> {
        match asked {
            Ok(order) => Ok(order),
            Err(error) => Err(self.refused(error, what).await?),
        }
    }

    async fn refused(&self, error: AcmeError, what: &str) -> Result<Failure, Failure> {
        self.generation.refused(Failure::of(error, what)).await
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use dns01_store::journal::{Extra, Spec};

    use super::*;

    #[test]
    fn a_refusal_to_one_run_holds_back_the_others() {
        let spec = Spec {
            engine: Engine::Native,
            names: vec!["a.test".parse().unwrap()],
            directory: "https://ca.test/dir".into(),
            account: "ca".parse().unwrap(),
            thumbprint: "t".repeat(43),
            profile: None,
            key_type: dns01_core::KeyType::P256,
            extra: Extra::new(),
        };
        let (mut state, now) = (State::first("shop".parse().unwrap(), "run-1", spec), Utc::now());
        state.attempt(now, "run-1", Act::Finalize);
        assert!(held_back(&state, "run-2").is_ok());
        state.answered(Exit::RateLimited, None, Some(now + TimeDelta::hours(1)), now);
        assert_eq!(held_back(&state, "run-2").unwrap_err().exit(), Exit::RateLimited);
        assert!(held_back(&state, "run-1").is_ok());
    }
}
