//! The one way to a CA: time limits, body caps, no redirects, known origins only, nonces, repetition.

mod hosts;
mod nonces;
mod pace;
mod patience;
mod retry_after;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use tokio::time::Instant;
use tracing::debug;
use url::Url;

use hosts::Hosts;
pub(crate) use hosts::is_safe;
use nonces::Nonces;
pub(crate) use nonces::Ticket;
pub(crate) use pace::Pace;
pub(crate) use patience::{Repeat, patiently};
pub(crate) use retry_after::retry_after;

use crate::error::Refusal;
use crate::link::linked;
use crate::{AcmeError, CaSettings};

const USER_AGENT: &str = concat!("dns01/", env!("CARGO_PKG_VERSION"), " (+https://dns01.dev)");
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// What answers may measure: a directory, an order of many names, a chain. Real ones stay far below.
const LONGEST_DIRECTORY: usize = 64 * 1024;
const LONGEST_ORDER: usize = 256 * 1024;
const LONGEST_CHAIN: usize = 95_000;

/// The connection to one CA.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    hosts: Hosts,
    nonces: Arc<Nonces>,
    pace: Pace,
    request_timeout: Duration,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    /// A connection that may only go to the directory yet.
    pub(crate) fn new(settings: &CaSettings, directory: &Url) -> Result<Self, AcmeError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(LONGEST_CONNECT.min(settings.request_timeout))
            .timeout(settings.request_timeout);
        if let Some(pem) = &settings.roots_pem {
            let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
            if roots.is_empty() {
                return Err(AcmeError::Roots);
            }
            builder = builder.tls_certs_merge(roots);
        }
        Ok(Self {
            client: builder.build().map_err(|error| AcmeError::NoTls(error.into()))?,
            hosts: Hosts::of(directory),
            nonces: Arc::default(),
            pace: Pace::default(),
            request_timeout: settings.request_timeout,
        })
    }

    /// Allows the origins of the URLs that the directory lists.
    pub(crate) fn admit<'a>(
        &mut self,
        listed: impl Iterator<Item = &'a str>,
    ) -> Result<(), AcmeError> {
        for url in listed {
            self.hosts.admit(url)?;
        }
        Ok(())
    }

    /// The URL, if it leads to the CA.
    pub(crate) fn check(&self, url: &str) -> Result<String, AcmeError> {
        self.hosts.check(url).map(Into::into)
    }

    /// How quick the CA has been so far.
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// A GET without a nonce: directory, renewal information.
    pub(crate) async fn get(&self, url: &str) -> Result<Answer, AcmeError> {
        self.exchange(Method::GET, url, Vec::new()).await?.accepted()
    }

    /// The right to POST, with a nonce: from the pool, else fetched at `new_nonce`.
    pub(crate) async fn ticket(&self, new_nonce: &str) -> Result<Ticket, AcmeError> {
        let mut ticket = self.nonces.ticket(self.pace.quickest()).await;
        if ticket.nonce.is_none() {
            let answer = self.exchange(Method::HEAD, new_nonce, Vec::new()).await?;
            let answer = answer.accepted()?;
            ticket.nonce = nonces::read(&answer.headers);
            if ticket.nonce.is_none() {
                return Err(answer.unintelligible("there is no nonce in it"));
            }
        }
        Ok(ticket)
    }

    /// One POST of a signed body, used up with its ticket; the nonce in the answer goes to the pool.
    pub(crate) async fn post(
        &self,
        url: &str,
        body: Vec<u8>,
        ticket: Ticket,
    ) -> Result<Answer, AcmeError> {
        let answer = self.exchange(Method::POST, url, body).await;
        if let Ok(answer) = &answer {
            self.nonces.harvest(&answer.headers);
        }
        drop(ticket);
        answer?.accepted()
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        body: Vec<u8>,
    ) -> Result<Answer, AcmeError> {
        let url = self.hosts.check(url)?;
        let failed = |error| AcmeError::of_exchange(&url, error, self.request_timeout);
        let mut request = self.client.request(method.clone(), url.clone());
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/jose+json").body(body);
        }
        let start = Instant::now();
        let mut response = request.send().await.map_err(failed)?;
        self.pace.took(start.elapsed(), method == Method::POST);
        let cap = match method {
            Method::POST if is_chain(response.headers()) => LONGEST_CHAIN,
            Method::POST => LONGEST_ORDER,
            _ => LONGEST_DIRECTORY,
        };
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > cap {
                return Err(AcmeError::TooLong { url: url.into(), cap });
            }
            body.extend_from_slice(&chunk);
        }
        debug!(%method, %url, status = response.status().as_u16(), took = ?start.elapsed(), "CA");
        Ok(Answer {
            url: url.into(),
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
        })
    }
}

impl Answer {
    /// The answer, if the CA did what it was asked.
    fn accepted(self) -> Result<Self, AcmeError> {
        if self.status.is_success() {
            return Ok(self);
        }
        if self.status.is_redirection() {
            let to = self.location().unwrap_or("nowhere");
            let to = to.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(AcmeError::Redirect { from: self.url, to });
        }
        Err(Refusal::read(self.status, &self.headers, &self.body).into())
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, AcmeError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unintelligible(error))
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }

    /// The targets of the `Link` headers with this relation.
    pub(crate) fn linked(&self, rel: &str) -> Vec<String> {
        linked(&self.headers, rel)
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, SystemTime::now())
    }

    pub(crate) fn unintelligible(&self, why: impl Into<dns01_core::BoxError>) -> AcmeError {
        AcmeError::Unintelligible { url: self.url.clone(), source: why.into() }
    }
}

fn is_chain(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/pem-certificate-chain"))
}
