//! The native engine: asks the CA how the order stands and goes on from there, whatever happened before.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use dns01_acme::{
    Account, AccountKey, AcmeError, AuthorizationStatus, Ca, CaSettings, ChallengeStatus, Order,
    OrderStatus,
};
use dns01_core::{Chain, Exit, Explain as _, Integrity, PrivateKey, SuggestedWindow};
use dns01_lookup::{Expectation, Lookup};
use dns01_step::{Attempt, ChosenIssuer, Failure, StepIo};
use dns01_store::journal::{Act, Kept, KeptKey, Phase, State, Wanted};
use dns01_store::{Backend, Name};
use tokio::time::Instant;

use crate::journal::Generation;

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
}

/// What was issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, checked.
    pub chain: Chain,
    /// When the CA suggests to renew it, where it was asked.
    pub window: Option<SuggestedWindow>,
}

/// Gets the certificate of the generation; done already is done.
pub async fn issue(request: &Issue<'_>, lookup: &Lookup, io: &StepIo) -> Result<Issued, Failure> {
    let journal = request.backend.journal(&request.certificate);
    let generation = Generation { journal, number: request.generation, run: &request.run };
    let state = generation.read().await?;
    if let Some(done) = done(&state)? {
        return Ok(done);
    }
    Issuing::new(request, lookup, io, generation, &state).await?.run(state).await
}

fn done(state: &State) -> Result<Option<Issued>, Failure> {
    match (state.phase, &state.issued) {
        (Phase::Issued | Phase::Delivered, Some(issued)) => {
            let chain = Chain::from_pem(&issued.chain)
                .attempt(|| "read the chain in the journal".into())?;
            Ok(Some(Issued { chain, window: None }))
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
        let stored = request.backend.accounts().read(&spec.account).await;
        let stored = stored.attempt(|| format!("read the account `{}`", spec.account))?;
        let (account_key, url) = match stored {
            Some(account) => (account.key, account.record.map(|record| record.url)),
            None => return Err(no_account(spec.account.as_str())),
        };
        let account_key = AccountKey::new(account_key)
            .attempt(|| format!("use the account `{}`", spec.account))?;
        let url = url.ok_or_else(|| no_account(spec.account.as_str()))?;
        if account_key.thumbprint() != spec.thumbprint {
            let what = format!(
                "the account `{}` has another key than the one that placed the order",
                spec.account
            );
            return Err(Failure::new(Exit::Integrity, what)
                .hint("start a new run, or restore the account's key"));
        }
        let mut settings = CaSettings::new(&spec.directory);
        settings.roots_pem.clone_from(&request.issuer.roots_pem);
        settings.retry_budget = request.issuer.retry_budget;
        let ca = Ca::connect(&settings)
            .await
            .attempt(|| format!("reach the CA at `{}`", spec.directory))?;
        let account = ca.account(account_key, url);
        let (order_url, deadline) = (order.url.clone(), Instant::now() + request.timeout);
        Ok(Self { request, lookup, io, generation, key, ca, account, order_url, deadline })
    }

    async fn run(&self, mut state: State) -> Result<Issued, Failure> {
        let asked = self.account.order(&self.order_url).await;
        let mut order = self.alive(asked, "ask the CA for the order").await?;
        if order.status == OrderStatus::Pending {
            order = self.validate(&state).await?;
            state = self.generation.succeeded().await?;
        }
        if order.status == OrderStatus::Ready {
            order = self.finalize(&state, order).await?;
        } else if state.phase == Phase::Ordered {
            // The CA is past `ready` though no finalize of ours is on record: what comes is checked like any other.
            self.generation.attempt(Act::Finalize).await?;
        }
        if order.status == OrderStatus::Processing {
            let valid = self.account.wait_valid(order, self.deadline).await;
            order = self.alive(valid, "wait for the certificate").await?;
        }
        if order.status == OrderStatus::Invalid {
            let failure = Failure::new(
                Exit::OrderDead,
                format!("the CA calls the order invalid{}", details(&order)),
            );
            return Err(self.dead(failure, "invalid").await?);
        }
        let chain = self.download(&order, &state).await?;
        dns01_core::fail_point::pass("issue::downloaded");
        self.generation.issued(&chain).await?;
        let window = self.window(&chain).await;
        Ok(Issued { chain, window })
    }

    /// Posts the challenges once every name server shows their values, and waits for the CA's verdict.
    async fn validate(&self, state: &State) -> Result<Order, Failure> {
        let wanted: Vec<&Wanted> = state
            .challenges
            .iter()
            .filter(|one| one.generation == state.generation && one.url.is_some())
            .collect();
        let urls = if state.validating_at.is_none() {
            self.look(&wanted).await?;
            wanted.iter().filter_map(|one| one.url.clone()).collect()
        } else {
            self.still_pending().await?
        };
        self.generation.attempt(Act::Validate).await?;
        let posted = self.io.interrupt().protect(self.account.validate(&urls)).await;
        if let Err(error) = posted {
            // A challenge that another run has posted meanwhile is refused; only one still pending is a failure.
            let again = self.still_pending().await?;
            if !again.is_empty() || error.exit() == Exit::Transient {
                return Err(self.refused(error, "answer the challenges").await?);
            }
        }
        dns01_core::fail_point::pass("issue::validating");
        let ready = self.account.wait_ready(&self.order_url, self.deadline).await;
        self.alive(ready, "prove control of the names").await
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
    async fn finalize(&self, state: &State, order: Order) -> Result<Order, Failure> {
        let csr = self.csr(state).await?;
        let act = async {
            self.generation.attempt(Act::Finalize).await?;
            let finalized = self.account.finalize(&order, &csr).await;
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

    async fn csr(&self, state: &State) -> Result<Vec<u8>, Failure> {
        if let (Kept::Csr, Some(csr)) = (self.key.kept, &self.key.csr) {
            let der = BASE64_STANDARD.decode(csr);
            return der
                .map_err(|_| Failure::new(Exit::Integrity, "the CSR in the journal is damaged"));
        }
        let key = self.journal_key().await?;
        dns01_acme::csr(&state.spec.names, &key).attempt(|| "make a CSR".into())
    }

    async fn journal_key(&self) -> Result<PrivateKey, Failure> {
        let key = self.generation.journal.key(self.request.generation, Some(&self.key.spki)).await;
        match key.attempt(|| "read back the private key".into())? {
            Some(key) => Ok(key),
            None => {
                let failure =
                    Failure::new(Exit::OrderDead, "the private key of this generation is lost");
                Err(self.dead(failure, "key lost").await?)
            }
        }
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
                    .dead(failure.with_exit(Exit::OrderDead).hint("start a new run"), "foreign")
                    .await?)
            }
            Err(error) => Err(error).attempt(|| "accept the certificate that the CA gave".into()),
        }
        .map_err(|failure| {
            failure.state("nothing was stored; what was delivered before is untouched")
        })
    }

    async fn window(&self, chain: &Chain) -> Option<SuggestedWindow> {
        let id = chain.leaf().ari_id.as_ref().filter(|_| self.ca.offers_ari())?;
        // Advice only: the certificate is safe already.
        let window = self.ca.renewal_window(id).await.ok()??;
        Some(SuggestedWindow { start: window.start, end: window.end })
    }

    /// An order as the CA sees it, or the end of this generation where the CA says so.
    async fn alive(&self, asked: Result<Order, AcmeError>, what: &str) -> Result<Order, Failure> {
        match asked {
            Ok(order) => Ok(order),
            Err(error) => Err(self.refused(error, what).await?),
        }
    }

    async fn refused(&self, error: AcmeError, what: &str) -> Result<Failure, Failure> {
        let failure = Failure::of(error, what);
        match failure.exit() {
            Exit::OrderDead => self.dead(failure, "invalid").await,
            Exit::CaRejected => self.dead(failure, "refused").await,
            _ => {
                let state = self.generation.answered(&failure, None).await?;
                Ok(failure.until(state.retry_at).state(open_until(&state)))
            }
        }
    }

    async fn dead(&self, failure: Failure, why: &str) -> Result<Failure, Failure> {
        let state = self.generation.answered(&failure, Some(why)).await?;
        Ok(failure
            .until(state.retry_at)
            .state("this order is dead; what was delivered before is untouched"))
    }
}

fn no_account(id: &str) -> Failure {
    Failure::new(Exit::Config, format!("the account `{id}` is not in this journal"))
        .hint("run `order` with the same --journal first; it makes the account")
}

fn details(order: &Order) -> String {
    order.error.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default()
}

fn open_until(state: &State) -> String {
    let expires = state.order.as_ref().and_then(|order| order.expires);
    match expires {
        Some(at) => format!(
            "the order is open until {}, run the same command again",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
        None => "the order is open, run the same command again".to_owned(),
    }
}
