//! The verdict on one certificate.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use dns01_acme::{Ca, CaSettings};
use dns01_core::{Certificate, Chain, Identifier, KeyType, SuggestedWindow};
use dns01_step::{
    Attempt, ChosenIssuer, Definitions, Failure, IssuerArgs, JournalArgs, RenewalArgs, SinkArgs,
    planned_sinks,
};
use dns01_store::journal::{Engine, Extra, Next, Reason, Spec, State, Wish, next};
use dns01_store::sink::Sink;
use dns01_store::{Backend, Name};
use futures_util::future::join_all;

/// What is asked about, and with which flags.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The definitions.
    pub definitions: &'a Definitions,
    /// Where journals are.
    pub backend: &'a Backend,
    /// Names given by hand.
    pub domains: Vec<Identifier>,
    /// The CA given by hand.
    pub issuer: &'a IssuerArgs,
    /// The kind of key given by hand.
    pub key_type: Option<KeyType>,
    /// When to renew.
    pub renewal: &'a RenewalArgs,
    /// Whether a new certificate is wanted in any case.
    pub force: bool,
    /// A PEM file to judge where there is no journal.
    pub pem: Option<&'a Path>,
    /// Sinks given by hand.
    pub sinks: &'a SinkArgs,
    /// Where the journal is, and so which sink is the usual one.
    pub journal: &'a JournalArgs,
    /// This run.
    pub run: &'a str,
}

/// What is to be done with a certificate.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// `none`, `deliver` or `issue`.
    pub action: &'static str,
    /// Why.
    pub reason: String,
    /// When the present certificate ends.
    pub not_after: Option<DateTime<Utc>>,
    /// When it is due; how urgent it is.
    pub next_check: Option<DateTime<Utc>>,
}

/// Judges the certificate `name`.
pub async fn check(name: &str, asked: &Asked<'_>) -> Result<Verdict, Failure> {
    let name: Name = name.parse().attempt(|| "use the certificate's name".into())?;
    let definition = asked.definitions.certificate(name.as_str());
    if definition.is_some_and(|(_, certificate)| certificate.suspend) && !asked.force {
        let reason = "suspended in its definition".to_owned();
        return Ok(Verdict { action: "none", reason, not_after: None, next_check: None });
    }
    let issuer = ChosenIssuer::new(asked.issuer, definition)?;
    let spec = spec(&name, &issuer, asked)?;
    let state = asked
        .backend
        .journal(&name)
        .read()
        .await
        .attempt(|| format!("read the journal of `{name}`"))?;
    let present = match &state {
        Some(state) => state.current().map(|chain| chain.leaf().clone()),
        None => elsewhere(&name, asked).await?,
    };
    let due_at = match &present {
        Some(leaf) => {
            Some(due_at(&name, leaf, state.as_ref(), &spec.directory, &issuer, asked).await)
        }
        None => None,
    };
    let verdict = |action, reason: String| Verdict {
        action,
        reason,
        not_after: present.as_ref().map(|leaf| leaf.not_after),
        next_check: due_at,
    };
    if let (None, Some(leaf), false) = (&state, &present, asked.force) {
        return Ok(without_journal(leaf, &spec.names, due_at, verdict));
    }
    let wish = Wish {
        run: asked.run,
        spec: &spec,
        csr: None,
        force: asked.force,
        sink_is_behind: match &present {
            Some(leaf) => a_sink_is_behind(&name, leaf, asked).await?,
            None => false,
        },
        one_more: false,
        due_at,
        now: Utc::now(),
    };
    Ok(match next(state.as_ref(), &wish) {
        // A run that is forced never ends here: `order` knows whether it has had its force.
        Next::Nothing if asked.force => verdict("issue", Reason::Forced.words().into()),
        Next::Nothing => verdict("none", "delivered, unchanged and not due".into()),
        Next::Deliver if wish.sink_is_behind => {
            verdict("deliver", "a sink lacks the certificate".into())
        }
        Next::Deliver => {
            verdict("deliver", "the last run ended before its delivery or its cleanup".into())
        }
        Next::Resume => verdict("issue", "an order is under way".into()),
        Next::Abandon => verdict("issue", "the definition changed".into()),
        Next::Start(reason) => verdict("issue", reason.words().into()),
        // Not ended early: `order` says it with its own exit code, where people look for it.
        Next::NotBefore(at) => {
            verdict("issue", format!("the CA refused before, and is not asked again until {at}"))
        }
        Next::Dead => verdict("issue", "the last attempt failed".into()),
    })
}

/// When the certificate is due; a CA that has refused is not even asked for its suggestion.
async fn due_at(
    name: &Name,
    leaf: &Certificate,
    state: Option<&State>,
    directory: &str,
    issuer: &ChosenIssuer,
    asked: &Asked<'_>,
) -> DateTime<Utc> {
    let rule = asked.renewal.rule(asked.definitions, name.as_str());
    let is_held = state.is_some_and(|state| state.held_until(Utc::now()).is_some());
    let suggested = if rule.wants_suggestion() && !is_held {
        suggested(leaf, directory, issuer).await
    } else {
        None
    };
    rule.due_at(leaf, suggested, state.map_or(0.5, State::draw))
}

/// No journal is not "due": the certificate may have been made by someone else, or its journal be lost.
fn without_journal(
    leaf: &Certificate,
    names: &[Identifier],
    due_at: Option<DateTime<Utc>>,
    verdict: impl Fn(&'static str, String) -> Verdict,
) -> Verdict {
    let mut wanted = names.to_vec();
    wanted.sort();
    if leaf.names != wanted {
        return verdict("issue", "the certificate at hand is for other names".into());
    }
    match due_at {
        Some(at) if at > Utc::now() => {
            verdict("none", "the certificate at hand is good, though no journal knows it".into())
        }
        _ => verdict("issue", "the certificate is due for renewal".into()),
    }
}

fn spec(name: &Name, issuer: &ChosenIssuer, asked: &Asked<'_>) -> Result<Spec, Failure> {
    let (directory, _) =
        dns01_acme::directory_url(&issuer.server).attempt(|| "find the CA".into())?;
    let kid = issuer.external_account.as_ref().map(|(kid, _)| kid.as_str());
    let account = dns01_store::account::id(issuer.name.as_deref(), &directory, kid)
        .attempt(|| "name the account".into())?;
    let names = asked.definitions.names(name.as_str(), asked.domains.clone())?;
    Ok(Spec {
        engine: Engine::Native,
        names,
        directory,
        account,
        thumbprint: String::new(),
        profile: issuer.profile.clone(),
        key_type: asked.key_type.or(asked.definitions.key_type(name.as_str())).unwrap_or_default(),
        extra: Extra::new(),
    })
}

async fn elsewhere(name: &Name, asked: &Asked<'_>) -> Result<Option<Certificate>, Failure> {
    if let Some(path) = asked.pem {
        let what = || format!("read the certificate `{}`", path.display());
        let text = fs::read_to_string(path).attempt(what)?;
        return Ok(Some(Chain::from_pem(&text).attempt(what)?.leaf().clone()));
    }
    let planned = planned_sinks(asked.definitions, name.as_str(), asked.sinks, asked.journal)?;
    let Some(first) = planned.first() else { return Ok(None) };
    let held = match Sink::open(&first.address, &first.options, name).await {
        Ok(sink) => sink.read().await,
        Err(error) => Err(error),
    };
    let held = held.attempt(|| format!("read {}", first.address))?;
    Ok(held.map(|held| held.chain.leaf().clone()))
}

/// Whether a sink has nothing, or an older certificate. What cannot be read is not behind: its own step will say so.
async fn a_sink_is_behind(
    name: &Name,
    leaf: &Certificate,
    asked: &Asked<'_>,
) -> Result<bool, Failure> {
    let planned = planned_sinks(asked.definitions, name.as_str(), asked.sinks, asked.journal)?;
    let behind = join_all(planned.iter().map(|one| async move {
        let held = Sink::open(&one.address, &one.options, name).await?.read().await?;
        Ok::<_, dns01_store::sink::SinkError>(
            held.is_none_or(|held| held.chain.leaf().not_before < leaf.not_before),
        )
    }));
    Ok(behind.await.into_iter().zip(&planned).any(|(result, one)| {
        result.unwrap_or_else(|error| {
            tracing::warn!("{} cannot be read: {error}", one.address);
            false
        })
    }))
}

/// The CA's suggestion; advice, so that no failure here stops a check (RFC 9773 §4.3).
async fn suggested(
    leaf: &Certificate,
    directory: &str,
    issuer: &ChosenIssuer,
) -> Option<SuggestedWindow> {
    let id = leaf.ari_id.as_ref()?;
    let mut settings = CaSettings::new(directory);
    settings.roots_pem.clone_from(&issuer.roots_pem);
    settings.retry_budget = issuer.retry_budget;
    let ca = Ca::connect(&settings).await.ok()?;
    let window = ca.renewal_window(id).await.ok()??;
    Some(SuggestedWindow { start: window.start, end: window.end })
}
