//! One question to one address: UDP first, TCP when the answer is truncated or doesn't come.
//!
//! Every question has a port and an id of its own; an answer counts only if it comes from the address asked, carries
//! the id and repeats the question (RFC 5452 §9).

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
    /// This machine can't open a socket.
    #[error("no socket")]
    Local(#[source] io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Is;
        match error.kind() {
            Is::ConnectionRefused => Self::Refused,
            Is::NetworkUnreachable | Is::AddrNotAvailable => Self::Unreachable(error),
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

/// What `at` answers when asked for `name`, without recursion.
pub(crate) async fn ask(at: SocketAddr, name: &Name, kind: RecordType) -> Result<Message, Trouble> {
    let question = Query::query(name.clone(), kind);
    let by_udp =
        timeout(UDP_TIMEOUT, over_udp(at, &question)).await.unwrap_or(Err(Trouble::Silent));
    match by_udp {
        Ok(answer) if !answer.metadata.truncation => return Ok(answer),
        Err(trouble @ (Trouble::Unreachable(_) | Trouble::Local(_))) => return Err(trouble),
        Ok(_) | Err(Trouble::Silent | Trouble::Refused) => (),
    }
    timeout(TCP_TIMEOUT, over_tcp(at, &question)).await.unwrap_or(Err(Trouble::Silent))
}

async fn over_udp(at: SocketAddr, question: &Query) -> Result<Message, Trouble> {
    let any: SocketAddr = if at.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    // A connected socket hears nobody else.
    socket.connect(at).await?;
    let (id, request) = request(question)?;
    socket.send(&request).await?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(answer) = accept(&buffer[..length], id, question) {
            return Ok(answer);
        }
    }
}

async fn over_tcp(at: SocketAddr, question: &Query) -> Result<Message, Trouble> {
    let mut stream = TcpStream::connect(at).await?;
    let (id, request) = request(question)?;
    let length = u16::try_from(request.len()).map_err(|_| Trouble::Silent)?;
    stream.write_all(&[&length.to_be_bytes()[..], &request].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    accept(&answer, id, question).ok_or(Trouble::Silent)
}

fn request(question: &Query) -> Result<(u16, Vec<u8>), Trouble> {
    let mut message = Message::new(rand::random(), MessageType::Query, OpCode::Query);
    message.add_query(question.clone());
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD);
    message.set_edns(edns);
    let bytes = message.to_vec().map_err(|_| Trouble::Silent)?;
    Ok((message.metadata.id, bytes))
}

fn accept(bytes: &[u8], id: u16, question: &Query) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let ours = answer.metadata.id == id
        && answer.metadata.message_type == MessageType::Response
        && answer.metadata.op_code == OpCode::Query
        && answer.queries == [question.clone()];
    ours.then_some(answer)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hickory_proto::rr::rdata::TXT;
    use hickory_proto::rr::{RData, Record};

    use super::*;
    use crate::fake::Fake;

    fn with_text(mut answer: Message, text: &str) -> Message {
        let name = answer.queries[0].name().clone();
        answer.add_answer(Record::from_rdata(name, 1, RData::TXT(TXT::new(vec![text.to_owned()]))));
        answer
    }

    async fn text(server: &Fake) -> Result<String, Trouble> {
        let name = Name::from_ascii("a.test.").unwrap();
        let answer = ask(server.address, &name, RecordType::TXT).await?;
        Ok(answer.answers.iter().map(|record| record.data.to_string()).collect())
    }

    #[tokio::test]
    async fn a_truncated_answer_is_fetched_over_tcp() {
        let server = Fake::start(|asked, mut answer| {
            answer.metadata.truncation = !asked.tcp;
            vec![if asked.tcp { with_text(answer, "whole") } else { answer }]
        })
        .await;
        assert_eq!(text(&server).await.unwrap(), "whole");
        assert_eq!(server.asked().iter().map(|it| it.tcp).collect::<Vec<_>>(), [false, true]);
    }

    #[tokio::test]
    async fn silence_over_udp_leads_to_tcp() {
        let server = Fake::start(
            |asked, answer| if asked.tcp { vec![with_text(answer, "heard")] } else { vec![] },
        )
        .await;
        assert_eq!(text(&server).await.unwrap(), "heard");
    }

    #[tokio::test]
    async fn forged_answers_are_ignored_and_the_true_one_is_taken() {
        let server = Fake::start(|_, answer| {
            let mut wrong_id = with_text(answer.clone(), "forged");
            wrong_id.metadata.id ^= 1;
            let mut wrong_name = with_text(answer.clone(), "forged");
            wrong_name.queries[0].set_name(Name::from_ascii("b.test.").unwrap());
            let mut no_question = with_text(answer.clone(), "forged");
            no_question.queries.clear();
            let mut not_an_answer = with_text(answer.clone(), "forged");
            not_an_answer.metadata.message_type = MessageType::Query;
            vec![wrong_id, wrong_name, no_question, not_an_answer, with_text(answer, "true")]
        })
        .await;
        assert_eq!(text(&server).await.unwrap(), "true");
        assert!(server.asked().iter().all(|asked| !asked.tcp));
    }

    #[tokio::test]
    async fn only_forged_answers_are_no_answer() {
        let server = Fake::start(|_, mut answer| {
            answer.metadata.id ^= 1;
            vec![answer]
        })
        .await;
        assert!(matches!(text(&server).await, Err(Trouble::Silent)));
    }

    #[tokio::test]
    async fn every_question_has_a_port_and_an_id_of_its_own() {
        let server = Fake::start(|_, answer| vec![answer]).await;
        for _ in 0..16 {
            text(&server).await.unwrap();
        }
        let asked = server.asked();
        let ids: BTreeSet<_> = asked.iter().map(|it| it.id).collect();
        let ports: BTreeSet<_> = asked.iter().map(|it| it.port).collect();
        assert!(ids.len() > 14 && ports.len() > 12, "{ids:?} {ports:?}");
        assert!(asked.iter().all(|it| it.max_payload == 1232));
    }

    #[tokio::test]
    async fn nobody_listening_is_told_apart_from_silence() {
        let address = {
            let server = Fake::start(|_, _| vec![]).await;
            assert!(matches!(text(&server).await, Err(Trouble::Silent)));
            server.address
        };
        tokio::task::yield_now().await;
        let name = Name::from_ascii("a.test.").unwrap();
        assert!(matches!(ask(address, &name, RecordType::TXT).await, Err(Trouble::Refused)));
    }
}
