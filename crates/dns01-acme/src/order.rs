//! Orders, as the CA tells them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use dns01_core::Identifier;
use instant_acme::CertificateIdentifier;
pub use instant_acme::OrderStatus;
use rustls::pki_types::Der;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::http::Http;
use crate::line::{Line, ours};
use crate::{AcmeError, Problem};

/// An order as the CA last described it (RFC 8555 §7.1.3).
#[derive(Clone, Debug)]
pub struct Order {
    /// Its URL.
    pub url: String,
    /// How it stands.
    pub status: OrderStatus,
    /// Until when the CA keeps it.
    pub expires: Option<DateTime<Utc>>,
    /// What it is for, sorted.
    pub identifiers: Vec<Identifier>,
    /// The URLs of its authorizations.
    pub authorizations: Vec<String>,
    /// Where the certificate is, once `valid`.
    pub certificate: Option<String>,
    /// Why it is `invalid`, where the CA says so.
    pub error: Option<Problem>,
    /// The ARI id of the certificate that it replaces, as the CA confirmed it.
    pub replaces: Option<String>,
    /// How long the CA asked us to wait before the next look.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) talk: Talk,
}

/// The conversation about one order; clones share it.
#[derive(Clone)]
pub(crate) struct Talk {
    order: Arc<Mutex<instant_acme::Order>>,
    line: Line,
}

/// What instant-acme leaves out of an order.
#[derive(Deserialize)]
struct Rest {
    expires: Option<String>,
    identifiers: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    value: Identifier,
}

impl Talk {
    pub(crate) fn new(order: instant_acme::Order, line: Line) -> Self {
        Self { order: Arc::new(Mutex::new(order)), line }
    }

    /// Asks for the order.
    pub(crate) async fn refresh(&self, http: &Http) -> Result<Order, AcmeError> {
        self.order.lock().await.refresh().await.map_err(|error| ours(error, &self.line))?;
        self.tell(http).await
    }

    pub(crate) async fn finalize(&self, csr_der: &[u8]) -> Result<(), AcmeError> {
        let ended = self.order.lock().await.finalize_csr(csr_der).await;
        ended.map_err(|error| ours(error, &self.line))
    }

    /// The chain of a valid order, and the URLs of its alternates.
    pub(crate) async fn certificate(&self) -> Result<(String, Vec<String>), AcmeError> {
        let mut order = self.order.lock().await;
        let chain = order.certificate().await.map_err(|error| ours(error, &self.line))?;
        let status = order.state().status;
        let chain = chain.ok_or(AcmeError::NotYet { status, retry_at: None })?;
        let links = self.line.last().map(|answer| answer.linked("alternate"));
        Ok((chain, links.unwrap_or_default()))
    }

    /// The order as the last answer had it. Every URL in it must lead to the CA.
    pub(crate) async fn tell(&self, http: &Http) -> Result<Order, AcmeError> {
        let mut order = self.order.lock().await;
        let url = http.check(order.url())?;
        let state = order.state();
        let Some(answer) = self.line.last() else {
            return Err(AcmeError::Unintelligible { url, source: "there is no answer".into() });
        };
        let rest: Rest = answer.json()?;
        let mut identifiers: Vec<_> =
            rest.identifiers.into_iter().map(|named| named.value).collect();
        identifiers.sort();
        identifiers.dedup();
        http.check(&state.finalize)?;
        Ok(Order {
            url,
            status: state.status,
            expires: rest.expires.and_then(|text| text.parse().ok()),
            identifiers,
            authorizations: state
                .authorizations
                .iter()
                .map(|authorization| http.check(&authorization.url))
                .collect::<Result<_, _>>()?,
            certificate: state.certificate.as_deref().map(|url| http.check(url)).transpose()?,
            error: state.error.as_ref().map(Problem::clean),
            replaces: state.replaces.as_ref().map(ToString::to_string),
            retry_after: answer.retry_after(),
            talk: self.clone(),
        })
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Talk")
    }
}

/// The ARI id in the form that instant-acme takes (RFC 9773 §4.1).
pub(crate) fn certificate_id(text: &str) -> Result<CertificateIdentifier<'static>, AcmeError> {
    let decode = |part| BASE64_URL_SAFE_NO_PAD.decode(part).ok().filter(|part| !part.is_empty());
    text.split_once('.')
        .and_then(|(authority, serial)| Some((decode(authority)?, decode(serial)?)))
        .map(|(authority, serial)| {
            CertificateIdentifier::new(Der::from_slice(&authority), Der::from_slice(&serial))
                .into_owned()
        })
        .ok_or_else(|| AcmeError::AriId { text: crate::problem::clean(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ari_id_survives_and_anything_else_is_refused() {
        // The example of RFC 9773 §4.1.
        let id = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
        assert_eq!(certificate_id(id).unwrap().to_string(), id);
        for bad in ["", ".", "a.b", "aYhb.", "aYhb.AIdl.AIdl", "../../x", "aYhb=.AIdl"] {
            assert!(certificate_id(bad).is_err(), "{bad}");
        }
    }
}
