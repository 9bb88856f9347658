//! Which certificates of a configuration are due, the most urgent first.

use chrono::{DateTime, Utc};
use dns01_core::Exit;
use dns01_step::Failure;
use dns01_step::config::Certificate;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use crate::{Asked, check};

/// So many journals are read at once.
const AT_ONCE: usize = 16;

/// A certificate that is due, with what its run needs: an element of the `due` output.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Due {
    /// The certificate.
    pub certificate: String,
    /// The provider; empty: chosen per name from the solvers.
    pub provider: String,
    /// The Secret with the provider's credentials.
    pub credentials_secret: String,
    /// The ConfigMap that defines the certificate.
    pub definitions: String,
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
        document
            .origin
            .strip_prefix("configmap:")
            .unwrap_or_default()
            .clone_into(&mut due.definitions);
        if due.credentials_secret.is_empty() && due.provider.is_empty() {
            due.credentials_secret = the_one_secret(document, certificate)?;
        }
        Ok(due)
    }
}

/// A pod mounts one Secret: solvers that share a certificate must share it too, with keys `<solver>.<VARIABLE>`.
fn the_one_secret(
    document: &dns01_step::config::Config,
    certificate: &Certificate,
) -> Result<String, Failure> {
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

/// What is due, the most urgent first and at most `most` of it; and how many wait for the next time.
pub async fn due(asked: &Asked<'_>, most: usize) -> Result<(Vec<Due>, usize), Failure> {
    let names: Vec<&str> = asked
        .definitions
        .documents()
        .iter()
        .flat_map(|document| {
            document.certificates.iter().map(|certificate| certificate.name.as_str())
        })
        .collect();
    let checked: Vec<_> = stream::iter(names)
        .map(|name| async move { (name, check(name, asked).await) })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut open: Vec<(Option<DateTime<Utc>>, Due)> = Vec::new();
    for (name, verdict) in checked {
        match verdict {
            Ok(verdict) if verdict.action == "none" => (),
            Ok(verdict) => open.push((verdict.not_after, Due::new(name, asked, None, None)?)),
            // One that cannot be judged must not hide the others: its own run will say why.
            Err(failure) => {
                tracing::warn!(certificate = name, "could not be judged: {}", failure.reason());
                let alone = Due { certificate: name.to_owned(), ..Due::default() };
                open.push((None, Due::new(name, asked, None, None).unwrap_or(alone)));
            }
        }
    }
    // Without a certificate, or near the end of one, is urgent.
    open.sort_by_key(|(until, _)| *until);
    let later = open.len().saturating_sub(most);
    Ok((open.into_iter().take(most).map(|(_, due)| due).collect(), later))
}
