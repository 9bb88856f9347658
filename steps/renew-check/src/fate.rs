//! How one certificate fared: told from its journal and its sinks as they are now, not from what its pod said of itself,
//! because a pod may die before it says anything.

use chrono::{DateTime, SecondsFormat, Utc};
use dns01_step::{Attempt, Failure};
use dns01_store::Name;
use dns01_store::journal::{Act, Phase, State};
use serde::Serialize;

use crate::check::judge;
use crate::suggest::Suggestions;
use crate::{Asked, Due, Verdict};

/// No reason is longer: 50 of them are to fit into a Workflow's status.
const LONGEST_WHY: usize = 300;

/// How one certificate fared.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Fate {
    pub(crate) certificate: String,
    /// `delivered`: this run did it. `current`: not due any more, though it was not this run. `failed`: still due.
    pub(crate) result: &'static str,
    pub(crate) not_after: String,
    /// One line; empty where there is nothing to say.
    pub(crate) why: String,
}

/// Fails only where the same may succeed in a minute.
pub(crate) async fn fate(
    due: &Due,
    asked: &Asked<'_>,
    suggestions: &Suggestions,
) -> Result<Fate, Failure> {
    let told = |result, not_after: Option<DateTime<Utc>>, why: &str| Fate {
        certificate: due.certificate.clone(),
        result,
        not_after: not_after
            .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
            .unwrap_or_default(),
        why: shortened(why),
    };
    match look(due, asked, suggestions).await {
        Ok((verdict, state)) => {
            let (result, why) = judged(&verdict, state.as_ref(), asked.run);
            Ok(told(result, verdict.not_after, &why))
        }
        Err(failure) if failure.exit().is_retryable() => Err(failure),
        Err(failure) => Ok(told("failed", None, &failure.reason())),
    }
}

async fn look(
    due: &Due,
    asked: &Asked<'_>,
    suggestions: &Suggestions,
) -> Result<(Verdict, Option<State>), Failure> {
    // Says what is wrong with its solvers, which its pod cannot know.
    Due::new(&due.certificate, asked, None, None)?;
    let verdict = judge(&due.certificate, asked, suggestions).await?;
    let name: Name = due.certificate.parse().attempt(|| "use the certificate's name".into())?;
    let state = asked.backend.journal(&name).read().await;
    Ok((verdict, state.attempt(|| format!("read the journal of `{name}`"))?))
}

fn judged(verdict: &Verdict, state: Option<&State>, run: &str) -> (&'static str, String) {
    let ours = state.filter(|state| state.run == run && state.phase == Phase::Delivered);
    let has_started = ours.is_some_and(|state| state.started_by.as_deref() == Some(run));
    match verdict.action {
        "none" if ours.is_some() => ("delivered", String::new()),
        "none" => ("current", verdict.reason.clone()),
        // Delivered, and something is left to do: values in a zone, or a CA that wants it renewed at once.
        action
            if ours.is_some()
                && !verdict.sink_is_behind
                && (action == "deliver" || has_started) =>
        {
            ("delivered", verdict.reason.clone())
        }
        _ => ("failed", why(verdict, state, run)),
    }
}

/// Why a certificate is still due, as far as its journal knows.
fn why(verdict: &Verdict, state: Option<&State>, run: &str) -> String {
    let Some(state) = state else {
        return "this run's pod ended before it wrote a journal; its node says why".to_owned();
    };
    let attempt = state.attempts.iter().rev().find(|attempt| attempt.run == run);
    if let Some(attempt) = attempt.filter(|attempt| attempt.code.is_none_or(|code| code != 0)) {
        let act = act(attempt.act);
        return match (&attempt.why, attempt.code) {
            (Some(why), _) => format!("could not {act}: {why}"),
            (None, Some(code)) => format!("could not {act}: exit {code}"),
            (None, None) => format!("this run's pod ended while it asked the CA to {act}"),
        };
    }
    let is_ours = state.run == run;
    let failed_sink = state.sinks.iter().find_map(|sink| Some((&sink.id, sink.error.as_ref()?)));
    match (failed_sink, verdict.held_until) {
        (Some((sink, error)), _) if is_ours => format!("{sink}: {error}"),
        (_, Some(at)) => {
            let last = state.attempts.iter().rev().find_map(|attempt| attempt.why.as_deref());
            let last = last.unwrap_or("it did not say why");
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("the CA refused before ({last}) and is not asked again until {at}")
        }
        _ if is_ours => {
            let phase = state.phase;
            format!("this run's pod ended in phase `{phase}`; its node says why")
        }
        _ => "this run left nothing in the journal: its pod ended before that; its node says why"
            .to_owned(),
    }
}

fn act(act: Act) -> &'static str {
    match act {
        Act::Order => "place the order",
        Act::Validate => "have the challenges validated",
        Act::Finalize => "finalize the order",
    }
}

/// A reason as long as a report can hold, on one line: a journal may say anything.
pub(crate) fn shortened(why: &str) -> String {
    let mut line = why.chars().map(|c| if c.is_control() { ' ' } else { c });
    let start: String = line.by_ref().take(LONGEST_WHY).collect();
    if line.next().is_some() { start + "…" } else { start }
}
