//! The line over which instant-acme speaks to a CA: our HTTP layer, with what instant-acme doesn't pass on kept aside.
//!
//! It sees no nonce but the one that it is about to use, no refusal but as our error, and the directory without a
//! request: it is known already.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};

use crate::error::Refusal;
use crate::http::{Answer, Ticket};
use crate::{AcmeError, Ca, Problem};

/// One conversation; clones share it. Its calls come one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    ca: Ca,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    ticket: Option<Ticket>,
    answer: Option<Answer>,
}

impl Line {
    pub(crate) fn new(ca: Ca) -> Self {
        Self { ca, heard: Arc::default() }
    }

    /// The last answer to a POST, whole.
    pub(crate) fn last(&self) -> Option<Answer> {
        self.heard().answer.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Result<BytesResponse, AcmeError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        if parts.method == Method::GET {
            return Ok(Response::new(Full::new(self.ca.directory_json())).into());
        }
        if parts.method == Method::HEAD {
            let ticket = self.ca.ticket().await?;
            let mut response = Response::new(Full::<Bytes>::default());
            if let Some(nonce) = ticket.nonce.as_ref().and_then(|nonce| nonce.parse().ok()) {
                response.headers_mut().insert("replay-nonce", nonce);
            }
            self.heard().ticket = Some(ticket);
            return Ok(response.into());
        }
        let ticket = self.heard().ticket.take();
        // instant-acme asks for a nonce before each POST, so there is a ticket.
        let ticket = match ticket {
            Some(ticket) => ticket,
            None => self.ca.ticket().await?,
        };
        let Ok(body) = body.collect().await;
        self.heard().answer = None;
        let answer = self.ca.http().post(&url, body.to_bytes().to_vec(), ticket).await?;
        self.heard().answer = Some(answer.clone());
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response.headers_mut().remove("replay-nonce");
        Ok(response.into())
    }
}

impl HttpClient for Line {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let line = self.clone();
        Box::pin(async move {
            line.carry(request).await.map_err(|error| instant_acme::Error::Other(Box::new(error)))
        })
    }
}

/// Our error, out of instant-acme's; what it found wrong with an answer is said about that answer.
pub(crate) fn ours(error: instant_acme::Error, line: &Line) -> AcmeError {
    let error = match error {
        instant_acme::Error::Other(inner) => match inner.downcast::<AcmeError>() {
            Ok(ours) => return *ours,
            Err(other) => instant_acme::Error::Other(other),
        },
        instant_acme::Error::Api(problem) => {
            return Refusal::in_order(Problem::clean(&problem)).into();
        }
        other => other,
    };
    match line.last() {
        Some(answer) => answer.unintelligible(error),
        None => {
            AcmeError::Unintelligible { url: line.ca.directory_url().into(), source: error.into() }
        }
    }
}
