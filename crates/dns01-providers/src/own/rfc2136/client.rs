//! Asking one name server: every address of it, signed if there is a key, again if no answer comes.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use hickory_proto::op::{Message, MessageType, OpCode};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::server::Server;
use super::tsig::{Authenticity, Key};
use super::wire::{Connection, MAX_DATAGRAM, ask_by_udp};
use crate::ProviderError;

/// What to wait before each try, since a server that restarts is back after a moment; the last goes by TCP in any case,
/// for networks that drop datagrams.
const TRIES: [(Duration, Option<Via>); 3] = [
    (Duration::ZERO, None),
    (Duration::from_millis(250), None),
    (Duration::from_millis(1500), Some(Via::Stream)),
];

/// How many requests may be under way at once: stock BIND queues ten connections and drops the next for a second.
const AT_ONCE: usize = 4;

/// Whom to ask, with which key and patience.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) server: Server,
    pub(super) key: Option<Key>,
    /// How long one try may take.
    pub(super) patience: Duration,
    turns: Semaphore,
}

/// How a request travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Via {
    /// UDP, unless the request is too large for it or the answer was.
    Datagram,
    /// TCP from the start.
    Stream,
}

/// Why one try gave no answer that can be used; another may.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no answer within {} s", .0.as_secs_f32())]
    Silence(Duration),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the answer {0}")]
    Answer(&'static str),
    #[error("the request {0}")]
    Request(&'static str),
}

/// Names and values are checked long before they come here.
const UNENCODABLE: Trouble = Trouble::Request("cannot be encoded");

/// A request as it is sent, and what its answer is checked against.
struct Sealed {
    octets: Vec<u8>,
    mac: Vec<u8>,
}

impl Client {
    pub(super) fn new(server: Server, key: Option<Key>, patience: Duration) -> Self {
        Self { server, key, patience, turns: Semaphore::new(AT_ONCE) }
    }

    /// Puts `questions` to the server, one after the other over one connection where it is a stream, and gives one
    /// answer for each. An answer with an error code is an answer; [`super::answer`] says what it means.
    pub(super) async fn ask(
        &self,
        questions: &[Message],
        via: Via,
    ) -> Result<Vec<Message>, ProviderError> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.ok();
        let mut last = None;
        for (pause, other_way) in TRIES {
            sleep(pause).await;
            let via = other_way.unwrap_or(via);
            let addresses = self.server.addresses().await;
            for address in addresses.map_err(|error| self.unresolved(&error))? {
                let asked = timeout(self.patience, self.ask_at(address, questions, via)).await;
                match asked.unwrap_or(Err(Trouble::Silence(self.patience))) {
                    Ok(answers) => return Ok(answers),
                    Err(Trouble::Request(why)) => {
                        let what = format!("the request to name server `{}` {why}", self.server);
                        return Err(ProviderError::Rejected { what });
                    }
                    Err(trouble) => {
                        tracing::debug!(%address, %trouble, "no usable answer");
                        last = Some((address, trouble));
                    }
                }
            }
        }
        let why = last.map_or("it has no address".into(), |(address, trouble)| {
            let is_plain = address.to_string() == self.server.to_string();
            if is_plain { trouble.to_string() } else { format!("{trouble} ({address})") }
        });
        Err(ProviderError::Unavailable {
            what: format!("name server `{}` gave no usable answer: {why}", self.server),
            hint: Some("check that it runs and that UDP and TCP reach its port".into()),
        })
    }

    async fn ask_at(
        &self,
        address: SocketAddr,
        questions: &[Message],
        via: Via,
    ) -> Result<Vec<Message>, Trouble> {
        let mut connection = None;
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let mut sealed = self.seal(question)?;
            if via == Via::Datagram && sealed.octets.len() <= MAX_DATAGRAM {
                let octets = ask_by_udp(address, &sealed.octets).await?;
                let answer = self.open(question, &sealed, &octets)?;
                if !answer.metadata.truncation {
                    answers.push(answer);
                    continue;
                }
                sealed = self.seal(question)?;
            }
            let stream = match &mut connection {
                Some(stream) => stream,
                None => connection.insert(Connection::open(address).await?),
            };
            let octets = stream.ask(&sealed.octets).await?;
            answers.push(self.open(question, &sealed, &octets)?);
        }
        Ok(answers)
    }

    /// Gives `question` a new id and a signature.
    fn seal(&self, question: &Message) -> Result<Sealed, Trouble> {
        let mut message = question.clone();
        message.metadata.id = rand::random();
        let mac = match &self.key {
            Some(key) => key.sign(&mut message, now()).ok_or(UNENCODABLE)?,
            None => Vec::new(),
        };
        let octets = message.to_vec().map_err(|_| UNENCODABLE)?;
        // The encoder leaves out what doesn't fit and sets TC.
        if octets.len() > usize::from(u16::MAX) || octets.get(2).is_some_and(|bits| bits & 2 != 0) {
            return Err(Trouble::Request("has too many records for one message"));
        }
        Ok(Sealed { octets, mac })
    }

    /// Reads an answer and checks that it is one to this request, from whom it should be.
    fn open(&self, question: &Message, sealed: &Sealed, octets: &[u8]) -> Result<Message, Trouble> {
        let answer =
            Message::from_vec(octets).map_err(|_| Trouble::Answer("is not a DNS message"))?;
        let meta = &answer.metadata;
        if octets[..2] != sealed.octets[..2]
            || meta.message_type != MessageType::Response
            || meta.op_code != question.metadata.op_code
            || !(answer.queries.is_empty() || answer.queries == question.queries)
        {
            return Err(Trouble::Answer("belongs to another request"));
        }
        let Some(key) = &self.key else { return Ok(answer) };
        let proven = key.verify(&answer, octets, &sealed.mac, now()).map_err(Trouble::Answer)?;
        // A forger could feign a success, and gains nothing by a failure or by public data.
        let is_done = meta.op_code == OpCode::Update && u16::from(meta.response_code) == 0;
        if is_done && proven == Authenticity::Unsigned {
            return Err(Trouble::Answer(
                "is not signed, so nothing proves that the update was made",
            ));
        }
        Ok(answer)
    }

    fn unresolved(&self, error: &io::Error) -> ProviderError {
        ProviderError::Unavailable {
            what: format!("the address of name server `{}` was not found: {error}", self.server),
            hint: Some("check the name, or give an address".into()),
        }
    }
}

/// Unix seconds, as TSIG counts them.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
