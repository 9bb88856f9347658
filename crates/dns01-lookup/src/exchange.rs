//! One question to one address: UDP first, TCP when the answer is truncated or doesn't come.
//!
//! Every question has a port and an id of its own; an answer counts only if it comes from the address asked, carries
//! the id and repeats the question (RFC 5452 §9).

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// Longer than any round trip on this planet and a busy server.
const UDP_TIMEOUT: Duration = Duration::from_millis(800);
/// Three round trips.
const TCP_TIMEOUT: Duration = Duration::from_secs(2);
/// Fits every path without fragments (RFC 9715).
const UDP_PAYLOAD: u16 = 1232;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nothing that answers the question came in time.
    #[error("no answer in time")]
    Silent,
    /// The host says that nobody listens.
    #[error("connection refused")]
    Refused,
    /// There is no way to the address from here.
    #[error("not reachable from here")]
    Unreachable(#[source] io::Error),
    /// It is asked by HTTPS, and this is what it does instead of answering.
    #[error("{0}")]
    Https(String),
    /// This machine can't open a socket.
    #[error("no socket")]
    Local(#[source] io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Is;
        match error.kind() {
            Is::ConnectionRefused => Self::Refused,
            Is::NetworkUnreachable
            | Is::HostUnreachable
            | Is::AddrNotAvailable
            | Is::PermissionDenied => Self::Unreachable(error),
            _ => match error.raw_os_error() {
                // EAFNOSUPPORT: a kernel without IPv6.
                Some(97) => Self::Unreachable(error),
                // ENOMEM, ENFILE, EMFILE, ENOBUFS.
                Some(12 | 23 | 24 | 105) => Self::Local(error),
                _ => Self::Silent,
            },
        }
    }
}

/// What `at` answers when asked for `name`, without recursion, with the signatures if there are any.
pub(crate) async fn ask(at: SocketAddr, name: &Name, kind: RecordType) -> Result<Message, Trouble> {
    put(at, &Question::directly(name, kind)?).await
}

/// The same with the signatures, and whatever the resolver itself thinks of them.
pub(crate) async fn ask_unchecked(
    at: SocketAddr,
    name: &Name,
    kind: RecordType,
) -> Result<Message, Trouble> {
    put(at, &Question::new(name, kind, Manner::Unchecked)?).await
}

/// A question that may be put often: in wire form but for its id.
#[derive(Debug)]
pub(crate) struct Question {
    query: Query,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// With the signatures, where there are any.
    Directly,
    Recursively,
    Unchecked,
}

impl Question {
    /// For a server that holds the name: without recursion, with the signatures if there are any.
    pub(crate) fn directly(name: &Name, kind: RecordType) -> Result<Self, Trouble> {
        Self::new(name, kind, Manner::Directly)
    }

    /// For a resolver: with the wish for recursion.
    pub(crate) fn recursively(name: &Name, kind: RecordType) -> Result<Self, Trouble> {
        Self::new(name, kind, Manner::Recursively)
    }

    fn new(name: &Name, kind: RecordType, manner: Manner) -> Result<Self, Trouble> {
        let query = Query::query(name.clone(), kind);
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = manner != Manner::Directly;
        message.metadata.checking_disabled = manner == Manner::Unchecked;
        message.add_query(query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD);
        edns.set_dnssec_ok(manner != Manner::Recursively);
        message.set_edns(edns);
        let bytes = message.to_vec().map_err(|_| Trouble::Silent)?;
        Ok(Self { query, bytes })
    }

    /// In wire form behind `space` octets, under a fresh id.
    fn request(&self, space: usize) -> (u16, Vec<u8>) {
        let id: u16 = rand::random();
        let mut request = Vec::with_capacity(space + self.bytes.len());
        request.resize(space, 0);
        request.extend_from_slice(&id.to_be_bytes());
        request.extend(self.bytes.iter().skip(size_of::<u16>()));
        (id, request)
    }
}

/// What `at` answers to `question`.
pub(crate) async fn put(at: SocketAddr, question: &Question) -> Result<Message, Trouble> {
    let by_udp = timeout(UDP_TIMEOUT, over_udp(at, question)).await.unwrap_or(Err(Trouble::Silent));
    match by_udp {
        Ok(answer) if !answer.metadata.truncation => return Ok(answer),
        Err(trouble @ (Trouble::Unreachable(_) | Trouble::Local(_))) => return Err(trouble),
        Ok(_) | Err(Trouble::Silent | Trouble::Refused | Trouble::Https(_)) => (),
    }
    timeout(TCP_TIMEOUT, over_tcp(at, question)).await.unwrap_or(Err(Trouble::Silent))
}

async fn over_udp(at: SocketAddr, question: &Question) -> Result<Message, Trouble> {
    let any: SocketAddr = if at.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    // A connected socket hears nobody else.
    socket.connect(at).await?;
    let (id, request) = question.request(0);
    socket.send(&request).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(answer) = accept(&buffer[..length], id, &question.query) {
            return Ok(answer);
        }
    }
}

async fn over_tcp(at: SocketAddr, question: &Question) -> Result<Message, Trouble> {
    let mut stream = TcpStream::connect(at).await?;
    let (id, mut request) = question.request(size_of::<u16>());
    let length = u16::try_from(question.bytes.len()).map_err(|_| Trouble::Silent)?;
    request[..size_of::<u16>()].copy_from_slice(&length.to_be_bytes());
    stream.write_all(&request).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    accept(&answer, id, &question.query).ok_or(Trouble::Silent)
}

fn accept(bytes: &[u8], id: u16, question: &Query) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let ours = answer.metadata.id == id
        && answer.metadata.message_type == MessageType::Response
        && answer.metadata.op_code == OpCode::Query
        && answer.queries == [question.clone()];
    ours.then_some(answer)
}
