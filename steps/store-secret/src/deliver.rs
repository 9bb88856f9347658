//! Delivery: every sink is tried, each result is recorded, and only all of them together are "delivered".

use chrono::Utc;
use dns01_core::{Bundle, Chain, Exit, Explain as _};
use dns01_step::{Attempt, Failure, PlannedSink, StepIo};
use dns01_store::journal::{Delivered, Extra, Journal, Kept, Phase, SinkRecord, State};
use dns01_store::sink::{Sink, SinkError, Stored};
use dns01_store::{Name, StoreError};
use futures_util::future::join_all;
use serde::Serialize;

/// How each sink fared.
#[derive(Debug, Default)]
pub struct Delivery {
    /// One entry per sink.
    pub outcomes: Vec<Outcome>,
    failures: Vec<Failure>,
}

/// How one sink fared: an element of the `sinks` output.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The sink's address.
    pub id: String,
    /// `written`, `unchanged` or `failed`.
    pub state: &'static str,
    /// Why it failed, in one line.
    pub error: Option<String>,
}

/// Delivers the certificate of `generation`. Delivered already is checked again: a lost sink is filled without the CA.
pub async fn deliver(
    journal: &Journal,
    generation: u64,
    planned: &[PlannedSink],
    io: &StepIo,
) -> Result<Delivery, Failure> {
    let name = journal.name().clone();
    let what = || format!("read the journal of `{name}`");
    let state = journal.read().await.attempt(what)?;
    let state = state.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("`{name}` has no journal here"))
            .hint("run `order` first, with the same --journal")
    })?;
    state.of_generation(generation).attempt(what)?;
    let (of, bundle) = bundle(journal, &state).await?;
    let delivery = deliver_bundle(&bundle, &name, planned, io).await;
    record(journal, generation, of, &bundle.chain, &delivery).await?;
    Ok(delivery)
}

/// The newest certificate of the journal with its key; and which generation's it is.
async fn bundle(journal: &Journal, state: &State) -> Result<(u64, Bundle), Failure> {
    let chain = state.current().ok_or_else(|| {
        Failure::new(
            Exit::Conflict,
            format!("generation {} has no certificate yet", state.generation),
        )
        .hint("run `certbot-issue` first")
    })?;
    let issued = matches!(state.phase, Phase::Issued | Phase::Delivered) && state.issued.is_some();
    let delivered =
        state.delivered.as_ref().map_or(state.generation, |delivered| delivered.generation);
    let of = if issued { state.generation } else { delivered };
    if issued && state.key.as_ref().is_some_and(|key| key.kept == Kept::Csr) {
        return Ok((of, Bundle { chain, key: None }));
    }
    let key = journal
        .key(of, Some(&chain.leaf().spki))
        .await
        .attempt(|| "read the private key".into())?;
    match key {
        Some(key) => Ok((of, Bundle { chain, key: Some(key) })),
        None => Err(Failure::new(
            Exit::Integrity,
            format!("the private key of generation {of} is not in the journal"),
        )
        .hint("issue anew with --force")),
    }
}

/// Delivers `bundle` to every sink at once.
pub async fn deliver_bundle(
    bundle: &Bundle,
    name: &Name,
    planned: &[PlannedSink],
    io: &StepIo,
) -> Delivery {
    let stored =
        join_all(planned.iter().map(|one| io.interrupt().protect(store(bundle, name, one)))).await;
    let mut delivery = Delivery::default();
    for (one, result) in planned.iter().zip(stored) {
        let id = one.address.to_string();
        let (state, error) = match result {
            Ok(Stored::Written) => ("written", None),
            Ok(Stored::Unchanged) => ("unchanged", None),
            Err(error) => {
                let failure = Failure::of(error, &format!("deliver certificate `{name}` to {id}"));
                let reason = failure.reason();
                delivery.failures.push(failure);
                ("failed", Some(reason))
            }
        };
        delivery.outcomes.push(Outcome { id, state, error });
    }
    delivery
}

async fn store(bundle: &Bundle, name: &Name, planned: &PlannedSink) -> Result<Stored, SinkError> {
    let stored = Sink::open(&planned.address, &planned.options, name).await?.store(bundle).await;
    dns01_core::fail_point::pass("store-secret::stored");
    stored
}

/// Records every sink; with all of them filled the generation is delivered and older keys are dropped.
async fn record(
    journal: &Journal,
    generation: u64,
    of: u64,
    chain: &Chain,
    delivery: &Delivery,
) -> Result<(), Failure> {
    let (leaf, draw) = (chain.leaf(), format!("{:.4}", rand::random::<f64>()));
    let whole = delivery.failures.is_empty();
    let records: Vec<SinkRecord> = delivery
        .outcomes
        .iter()
        .map(|outcome| SinkRecord {
            id: outcome.id.clone(),
            fingerprint: outcome.error.is_none().then(|| leaf.fingerprint.clone()),
            at: Utc::now(),
            error: outcome.error.clone(),
            extra: Extra::new(),
        })
        .collect();
    let written = journal.update_generation(generation, |state| {
        state.sinks.clone_from(&records);
        if whole && state.phase == Phase::Issued && of == generation {
            state.phase = Phase::Delivered;
            state.delivered = Some(Delivered {
                generation: of,
                chain: chain.pem(),
                not_after: leaf.not_after,
                ari: leaf.ari_id.clone(),
                ari_draw: Some(draw.clone()),
                extra: Extra::new(),
            });
        }
        Ok::<_, StoreError>(())
    });
    let state = written.await.attempt(|| format!("write the journal of `{}`", journal.name()))?;
    if state.phase == Phase::Delivered {
        match journal.drop_keys_before(state.generation).await {
            // On Kubernetes this step may only read keys: the next `order` drops them.
            Err(refused) if refused.exit() == Exit::AuthRefused => {}
            dropped => dropped.attempt(|| "drop the keys of older generations".into())?,
        }
    }
    Ok(())
}

impl Delivery {
    /// Whether any sink holds something new.
    pub fn changed(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.state == "written")
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let places: Vec<&str> = self
            .outcomes
            .iter()
            .map(|outcome| outcome.id.strip_prefix("dir:").unwrap_or(&outcome.id))
            .collect();
        places.join(", ")
    }

    /// A failure if any sink failed: a retryable one if any is, since all are tried again.
    pub fn checked(mut self) -> Result<Self, Failure> {
        let (count, total) = (self.failures.len(), self.outcomes.len());
        let mut failures = std::mem::take(&mut self.failures);
        let worst =
            failures.iter().position(|failure| failure.exit().is_retryable()).unwrap_or_default();
        if failures.is_empty() {
            return Ok(self);
        }
        Err(failures.swap_remove(worst).state(format!(
            "{} of {total} sinks hold the new certificate; it is safe in the journal",
            total - count
        )))
    }
}
