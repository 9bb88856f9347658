//! One question to a resolver by HTTPS (RFC 8484): POST, so that nothing on the way keeps the answer.

use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use url::Url;

use crate::LookupError;
use crate::exchange::Trouble;

const USER_AGENT: &str = concat!("dns01/", env!("CARGO_PKG_VERSION"), " (+https://dns01.dev)");
/// For one question, with the connection.
const TIMEOUT: Duration = Duration::from_secs(3);
/// No DNS message is longer.
const LONGEST: usize = 65_535;
const MESSAGE: &str = "application/dns-message";

/// A resolver behind HTTPS.
#[derive(Clone, Debug)]
pub(crate) struct Doh {
    pub(crate) url: Url,
    client: reqwest::Client,
}

impl PartialEq for Doh {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Doh {
    pub(crate) fn new(url: &Url) -> Result<Self, LookupError> {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| LookupError::NoTls(error.into()))?;
        Ok(Self { url: url.clone(), client })
    }

    /// What it answers when asked for `name`, with recursion.
    pub(crate) async fn ask(&self, name: &Name, kind: RecordType) -> Result<Message, Trouble> {
        let query = Query::query(name.clone(), kind);
        // The id is 0, as §4.1 wants it: the connection keeps the answers apart.
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let body = message.to_vec().map_err(|_| Trouble::Silent)?;
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, MESSAGE);
        let mut response = request
            .header(ACCEPT, MESSAGE)
            .body(body)
            .send()
            .await
            .map_err(|error| trouble(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Trouble::Https(format!("answers HTTP status {}", status.as_u16())));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| trouble(&error))? {
            if bytes.len() + chunk.len() > LONGEST {
                return Err(Trouble::Https("answers with too much".to_owned()));
            }
            bytes.extend_from_slice(&chunk);
        }
        let answer = Message::from_vec(&bytes).ok();
        let ours = |answer: &Message| {
            answer.metadata.message_type == MessageType::Response
                && answer.queries == [query.clone()]
        };
        answer
            .filter(ours)
            .ok_or_else(|| Trouble::Https("answers with something else than DNS".to_owned()))
    }
}

/// A word for the failure; the error itself repeats the URL.
fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        return Trouble::Silent;
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Trouble::Https(format!("cannot be reached by HTTPS ({cause})"))
}
