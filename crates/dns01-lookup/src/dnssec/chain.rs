//! The questions that validation asks: the zone's own at its servers, all others at the resolvers, unchecked by them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use hickory_net::NetError;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::DnsHandle;
use hickory_proto::op::{DnsRequest, DnsResponse, Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use crate::exchange;

/// Where the validator gets its answers.
#[derive(Clone)]
pub(super) struct Chain {
    /// The zone whose servers are at hand.
    pub(super) apex: Name,
    /// These.
    pub(super) servers: Vec<SocketAddr>,
    /// For everything above it.
    pub(super) upstreams: Vec<SocketAddr>,
    /// The answer in question, which is not asked for again.
    pub(super) known: Arc<Message>,
}

impl DnsHandle for Chain {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let own = self.clone();
        Box::pin(stream::once(async move { own.answer(&request).await }))
    }
}

impl Chain {
    async fn answer(&self, request: &Message) -> Result<DnsResponse, NetError> {
        let Some(query) = request.queries.first() else { return Err("no question".into()) };
        let message = if self.known.queries.first() == Some(query) {
            Some((*self.known).clone())
        } else if self.apex.zone_of(query.name())
            && (query.query_type() != RecordType::DS || *query.name() != self.apex)
        {
            super::answer(&self.servers, query.name(), query.query_type()).await
        } else {
            ask_any(&self.upstreams, query.name(), query.query_type()).await
        };
        let message = message.ok_or_else(|| NetError::from("nobody answered"))?;
        Ok(DnsResponse::from_message(message)?)
    }
}

/// What the first of these resolvers that can says about `name`, without judging it.
pub(super) async fn ask_any(
    upstreams: &[SocketAddr],
    name: &Name,
    kind: RecordType,
) -> Option<Message> {
    for upstream in upstreams {
        let answer = exchange::ask_unchecked(*upstream, name, kind).await;
        let useful = |answer: &Message| {
            matches!(answer.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        };
        if let Some(answer) = answer.ok().filter(useful) {
            return Some(answer);
        }
    }
    None
}
