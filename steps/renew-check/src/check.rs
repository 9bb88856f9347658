//! The verdict on one certificate.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use dns01_core::{
    Certificate, Chain, Exit, Explain as _, Identifier, KeyType, draw_of, provider_name,
};
use dns01_step::{
    Attempt, ChosenIssuer, Definitions, Failure, IssuerArgs, JournalArgs, RenewalArgs, SinkArgs,
    planned_sinks,
};
use dns01_store::journal::{Engine, Extra, Next, Reason, Spec, State, Wish, next};
use dns01_store::sink::Sink;
use dns01_store::{Backend, Name};
use futures_util::future::join_all;

use crate::suggest::Suggestions;

/// What is asked about, and with which flags.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The definitions.
    pub definitions: &'a Definitions,
    /// Where journals are.
    pub backend: &'a Backend,
    /// Names given by hand.
    pub domains: Vec<Identifier>,
    /// The provider given by hand.
    pub provider: Option<&'a str>,
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
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// `none`, `deliver` or `issue`.
    pub action: &'static str,
    /// Why.
    pub reason: String,
    /// When the present certificate ends.
    pub not_after: Option<DateTime<Utc>>,
    /// When it is due; how urgent it is.
    pub next_check: Option<DateTime<Utc>>,
    /// Whether a sink lacks the certificate that there is.
    pub sink_is_behind: bool,
    /// Until when the CA is not asked, because it refused.
    pub held_until: Option<DateTime<Utc>>,
}

/// Judges the certificate `name`.
pub async fn check(name: &str, asked: &Asked<'_>) -> Result<Verdict, Failure> {
    judge(name, asked, &Suggestions::default()).await
}

/// The same as one of many.
pub(crate) async fn judge(
    name: &str,
    asked: &Asked<'_>,
    suggestions: &Suggestions,
) -> Result<Verdict, Failure> {
    let name: Name = name.parse().attempt(|| "use the certificate's name".into())?;
    let definition = asked.definitions.certificate(name.as_str());
    if definition.is_some_and(|(_, certificate)| certificate.suspend) && !asked.force {
        let reason = "suspended in its definition".to_owned();
        return Ok(Verdict { action: "none", reason, ..Verdict::default() });
    }
    let issuer = ChosenIssuer::new(asked.issuer, definition)?;
    let spec = spec(&name, &issuer, asked)?;
    known_providers(&name, &spec.names, asked)?;
    let verdict = weigh(&name, &issuer, &spec, asked, suggestions).await?;
    if verdict.action == "issue" {
        free_sinks(&name, asked).await?;
    }
    Ok(verdict)
}

/// What its journal, its sinks and the CA say.
async fn weigh(
    name: &Name,
    issuer: &ChosenIssuer,
    spec: &Spec,
    asked: &Asked<'_>,
    suggestions: &Suggestions,
) -> Result<Verdict, Failure> {
    let state = asked
        .backend
        .journal(name)
        .read()
        .await
        .attempt(|| format!("read the journal of `{name}`"))?;
    let present = match &state {
        Some(state) => state.current().map(|chain| chain.leaf().clone()),
        None => elsewhere(name, asked).await?,
    };
    let due_at = match &present {
        Some(leaf) => {
            let directory = &spec.directory;
            Some(due_at(name, leaf, state.as_ref(), directory, issuer, asked, suggestions).await)
        }
        None => None,
    };
    let now = Utc::now();
    let mut verdict = Verdict {
        not_after: present.as_ref().map(|leaf| leaf.not_after),
        next_check: due_at,
        held_until: state.as_ref().and_then(|state| state.held_until(now)),
        ..Verdict::default()
    };
    if let (None, Some(leaf), false) = (&state, &present, asked.force) {
        (verdict.action, verdict.reason) = without_journal(leaf, &spec.names, due_at);
        return Ok(verdict);
    }
    if let Some(leaf) = &present {
        verdict.sink_is_behind = a_sink_is_behind(name, leaf, asked).await?;
    }
    let wish = Wish {
        run: asked.run,
        spec,
        csr: None,
        force: asked.force,
        sink_is_behind: verdict.sink_is_behind,
        one_more: false,
        due_at,
        now,
    };
    (verdict.action, verdict.reason) = words(&next(state.as_ref(), &wish), &wish);
    Ok(verdict)
}

/// The action and its reason.
fn words(next: &Next, wish: &Wish<'_>) -> (&'static str, String) {
    let (action, reason) = match next {
        // A run that is forced never ends here: `order` knows whether it has had its force.
        Next::Nothing if wish.force => ("issue", Reason::Forced.words()),
        Next::Nothing => ("none", "delivered, unchanged and not due"),
        Next::Deliver if wish.sink_is_behind => ("deliver", "a sink lacks the certificate"),
        Next::Deliver => ("deliver", "the last run ended before its delivery or its cleanup"),
        Next::Resume => ("issue", "an order is under way"),
        Next::Abandon => ("issue", "the definition changed"),
        Next::Start(reason) => ("issue", reason.words()),
        // Not ended early: `order` says it with its own exit code, where people look for it.
        Next::NotBefore(at) => {
            return ("issue", format!("the CA refused before, and is not asked again until {at}"));
        }
        Next::Dead => ("issue", "the last attempt failed"),
    };
    (action, reason.to_owned())
}

/// When the certificate is due; a CA that has refused is not even asked for its suggestion.
async fn due_at(
    name: &Name,
    leaf: &Certificate,
    state: Option<&State>,
    directory: &str,
    issuer: &ChosenIssuer,
    asked: &Asked<'_>,
    suggestions: &Suggestions,
) -> DateTime<Utc> {
    let rule = asked.renewal.rule(asked.definitions, name.as_str());
    let is_held = state.is_some_and(|state| state.held_until(Utc::now()).is_some());
    let suggested = if rule.wants_suggestion() && !is_held {
        suggestions.for_certificate(leaf, directory, issuer).await
    } else {
        None
    };
    let draw = state.map_or_else(|| draw_of(name.as_str()), State::draw);
    rule.due_at(leaf, suggested, draw)
}

/// No journal is not "due": the certificate may have been made by someone else, or its journal be lost.
fn without_journal(
    leaf: &Certificate,
    names: &[Identifier],
    due_at: Option<DateTime<Utc>>,
) -> (&'static str, String) {
    let mut wanted = names.to_vec();
    wanted.sort();
    let (action, reason) = if leaf.names != wanted {
        ("issue", "the certificate at hand is for other names")
    } else if due_at.is_some_and(|at| at > Utc::now()) {
        ("none", "the certificate at hand is good, though no journal knows it")
    } else {
        ("issue", "the certificate is due for renewal")
    };
    (action, reason.to_owned())
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

/// Refuses what no provider is called, also while nothing is due: a definition is wrong from the day it is written.
fn known_providers(name: &Name, names: &[Identifier], asked: &Asked<'_>) -> Result<(), Failure> {
    match asked.provider {
        Some(id) => provider_name(id).map(drop).attempt(|| "use the provider given".into()),
        None => asked.definitions.check_providers(name.as_str(), names),
    }
}

/// Refuses to issue for a sink that is somebody else's or cannot be: better known before a certificate is ordered for it.
/// What cannot be read is not refused: its own step will say so.
async fn free_sinks(name: &Name, asked: &Asked<'_>) -> Result<(), Failure> {
    for one in planned_sinks(asked.definitions, name.as_str(), asked.sinks, asked.journal)? {
        let checked = match Sink::open(&one.address, &one.options, name).await {
            Ok(sink) => sink.check().await,
            Err(error) => Err(error),
        };
        match checked {
            Err(error) if matches!(error.exit(), Exit::Conflict | Exit::Config) => {
                let what = format!("deliver certificate `{name}` to {}", one.address);
                return Err(Failure::of(error, &what).state("this run has written nothing"));
            }
            Err(error) => tracing::warn!("{} cannot be read: {error}", one.address),
            Ok(()) => (),
        }
    }
    Ok(())
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
