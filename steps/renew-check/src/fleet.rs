//! Which certificates of a configuration are due, the most urgent first.

use chrono::{DateTime, Utc};
use dns01_core::{Exit, draw_of};
use dns01_step::Failure;
use dns01_step::config::{Certificate, Config};
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};

use crate::Asked;
use crate::check::judge;
use crate::suggest::Suggestions;

/// So many journals are read at once.
pub(crate) const AT_ONCE: usize = 16;

/// A certificate that is due, with what its run needs: an element of the `due` output. On Argo the names of many nodes
/// repeat it whole, so it stays small.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Due {
    /// The certificate.
    pub certificate: String,
    /// The provider; empty: chosen per name from the solvers.
    #[serde(default)]
    pub provider: String,
    /// The Secret with the provider's credentials.
    #[serde(default)]
    pub credentials_secret: String,
    /// The ConfigMap that defines the certificate.
    #[serde(default)]
    pub definitions: String,
}

/// What is due of how many.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// What is to be done now.
    pub(crate) due: Vec<Due>,
    /// So many more are due and have to wait for the next time.
    pub(crate) later: usize,
    /// So many are defined.
    pub(crate) defined: usize,
}

/// One that is due, and how urgent it is.
#[derive(Debug)]
struct Open {
    due: Due,
    not_after: Option<DateTime<Utc>>,
    held_until: Option<DateTime<Utc>>,
}

impl Due {
    /// What a run for `name` needs: flags first, then what the definition's solvers say.
    pub fn new(
        name: &str,
        asked: &Asked<'_>,
        provider: Option<&str>,
        secret: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut due = Self {
            certificate: name.to_owned(),
            provider: provider.unwrap_or_default().to_owned(),
            credentials_secret: secret.unwrap_or_default().to_owned(),
            definitions: String::new(),
        };
        let Some((document, certificate)) = asked.definitions.certificate(name) else {
            return Ok(due);
        };
        due.definitions = config_map(document);
        if due.credentials_secret.is_empty() && due.provider.is_empty() {
            due.credentials_secret = the_one_secret(document, certificate)?;
        }
        Ok(due)
    }
}

/// The name of the `ConfigMap` that a document is from; empty for a file.
fn config_map(document: &Config) -> String {
    document.origin.strip_prefix("configmap:").unwrap_or_default().to_owned()
}

/// A pod mounts one Secret: solvers that share a certificate must share it too, with keys `<solver>.<VARIABLE>`.
fn the_one_secret(document: &Config, certificate: &Certificate) -> Result<String, Failure> {
    let solvers =
        certificate.dns_names.iter().filter_map(|name| document.solver_for(name.domain()));
    let mut secrets: Vec<&str> =
        solvers.filter_map(|solver| solver.credentials.as_ref()?.secret_name.as_deref()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    match secrets.as_slice() {
        [] => Ok(String::new()),
        [one] => Ok((*one).to_owned()),
        several => Err(Failure::new(
            Exit::Config,
            format!(
                "the solvers of `{}` have their credentials in several Secrets: {}",
                certificate.name,
                several.join(", ")
            ),
        )
        .hint(
            "put them into one Secret with keys <solver>.<VARIABLE>, and name that in every solver",
        )),
    }
}

/// What is due, the most urgent first and at most `most` of it.
///
/// One that cannot be judged must not hide the others: it counts as due, and its own run says why. A failure that may
/// be over in a minute is another matter: it would make every certificate due, so it fails the check.
pub(crate) async fn fleet(asked: &Asked<'_>, most: usize) -> Result<Fleet, Failure> {
    let suggestions = Suggestions::default();
    let documents = asked.definitions.documents().iter();
    let defined: Vec<_> = documents
        .flat_map(|document| document.certificates.iter().map(move |one| (document, one)))
        .collect();
    let mut judged = stream::iter(&defined)
        .map(|(document, one)| async {
            (*document, &one.name, judge(&one.name, asked, &suggestions).await)
        })
        .buffered(AT_ONCE);
    let mut open = Vec::new();
    while let Some((document, name, verdict)) = judged.next().await {
        let (not_after, held_until) = match verdict {
            Ok(verdict) if verdict.action == "none" => continue,
            Ok(verdict) => (verdict.not_after, verdict.held_until),
            Err(failure) if failure.exit().is_retryable() => return Err(failure),
            Err(failure) => {
                tracing::error!(certificate = name, "could not be judged: {}", failure.one_line());
                (None, None)
            }
        };
        let due = Due::new(name, asked, None, None).unwrap_or_else(|failure| {
            tracing::error!(certificate = name, "{}", failure.one_line());
            let definitions = config_map(document);
            Due { certificate: name.clone(), definitions, ..Due::default() }
        });
        open.push(Open { due, not_after, held_until });
    }
    let later = open.len().saturating_sub(most);
    let due = by_urgency(open, asked.run, Utc::now()).into_iter().take(most).collect();
    Ok(Fleet { due, later, defined: defined.len() })
}

/// In turn one without a valid certificate, and of the valid ones the one that ends first; what the CA holds back comes
/// last. Who has no certificate goes in an order that each run draws anew: neither newcomers nor renewals that fail time
/// and again can keep all others waiting.
fn by_urgency(open: Vec<Open>, run: &str, now: DateTime<Utc>) -> Vec<Due> {
    let (mut held, free): (Vec<Open>, Vec<Open>) =
        open.into_iter().partition(|one| one.held_until.is_some());
    let (mut valid, mut without): (Vec<Open>, Vec<Open>) =
        free.into_iter().partition(|one| one.not_after.is_some_and(|at| at > now));
    held.sort_by_key(|one| one.held_until);
    valid.sort_by_key(|one| one.not_after);
    let turn = |one: &Open| draw_of(&format!("{run} {}", one.due.certificate));
    without.sort_by(|a, b| turn(a).total_cmp(&turn(b)));
    let (mut valid, mut without) = (valid.into_iter(), without.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [without.next(), valid.next()];
        if pair.iter().all(Option::is_none) {
            break;
        }
        ordered.extend(pair.into_iter().flatten());
    }
    ordered.into_iter().chain(held).map(|one| one.due).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn open(name: &str, days_left: Option<i64>, held: bool) -> Open {
        let in_days = |days| Utc::now() + TimeDelta::days(days);
        Open {
            due: Due { certificate: name.to_owned(), ..Due::default() },
            not_after: days_left.map(in_days),
            held_until: held.then(|| in_days(1)),
        }
    }

    fn order(open: Vec<Open>, run: &str) -> Vec<String> {
        by_urgency(open, run, Utc::now()).into_iter().map(|due| due.certificate).collect()
    }

    #[test]
    fn of_the_valid_ones_the_first_to_end_comes_first_and_what_the_ca_holds_back_last() {
        let all = vec![
            open("held", Some(1), true),
            open("late", Some(30), false),
            open("soon", Some(2), false),
            open("new", None, false),
        ];
        assert_eq!(order(all, "run"), ["new", "soon", "late", "held"]);
    }

    #[test]
    fn newcomers_that_always_fail_leave_half_of_the_places_to_renewals() {
        let broken = (0..100).map(|n| open(&format!("broken-{n}"), None, false));
        let valid = (0..100).map(|n| open(&format!("valid-{n}"), Some(30), false));
        let first = order(broken.chain(valid).collect(), "run");
        let renewals = first[..50].iter().filter(|name| name.starts_with("valid")).count();
        assert_eq!(renewals, 25);
    }

    #[test]
    fn what_has_no_certificate_gets_its_turn_in_some_run() {
        let all = || (0..100).map(|n| open(&format!("n-{n}"), Some(-1), false)).collect();
        let is_first = |run: &String| order(all(), run)[..10].contains(&"n-7".to_owned());
        let turns = (0..100).map(|run| format!("run-{run}")).filter(is_first).count();
        assert!((1..50).contains(&turns), "{turns} of 100 runs");
    }
}
