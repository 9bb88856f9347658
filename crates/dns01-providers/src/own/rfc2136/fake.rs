//! A name server for tests: one zone in memory, UPDATE and queries over UDP and TCP, TSIG verified and given.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dns01_core::{SecretText, TxtRecord, Zone};
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::tsig::TsigError;
use hickory_proto::rr::rdata::{SOA, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, TSigResponseContext, TSigner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::client::Client;
use super::server::Server;
use super::tsig::Key;
use super::{Rfc2136, client};

pub(super) const SECRET: &str = "bm90IGEgcmVhbCBzZWNyZXQsIGp1c3QgYSB0ZXN0";
pub(super) const KEY: &str = "test-key";

/// What the server does that a good one doesn't.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub(super) struct Quirks {
    /// How many datagrams it swallows before it answers.
    pub(super) swallow: usize,
    /// It answers nothing at all.
    pub(super) mute: bool,
    /// Datagrams are answered with TC.
    pub(super) truncate: bool,
    /// Updates are made and answered without a signature.
    pub(super) unsigned: bool,
    /// Answers are signed with another secret.
    pub(super) forged: bool,
    /// Updates are not made, but answered with these codes.
    pub(super) fail: Option<(ResponseCode, Option<TsigError>)>,
    /// Queries are answered without authority.
    pub(super) lame: bool,
}

/// What the server has seen and holds.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) datagrams: Vec<Vec<u8>>,
    pub(super) streamed: Vec<Vec<u8>>,
    pub(super) texts: Vec<(Name, String)>,
}

/// The running server; it ends with the test's runtime.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub(super) async fn start(quirks: Quirks) -> Self {
        let (address, udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = udp.local_addr().unwrap();
            // Somebody else may have the same port for TCP.
            if let Ok(tcp) = TcpListener::bind(address).await {
                break (address, udp, tcp);
            }
        };
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 65535];
            while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
                let request = &buffer[..length];
                let seen = {
                    let mut state = shared.lock().unwrap();
                    state.datagrams.push(request.to_vec());
                    state.datagrams.len()
                };
                if seen > quirks.swallow && !quirks.mute {
                    let answer = answer(request, quirks, quirks.truncate, &shared);
                    udp.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                tokio::spawn(serve(stream, quirks, shared.clone()));
            }
        });
        Self { address, state }
    }

    /// The provider under test, with a short patience.
    pub(super) fn provider(&self, key: Option<Key>) -> Rfc2136 {
        let server = Server::parse(&self.address.to_string()).unwrap();
        let client = Client::new(server, key, Duration::from_millis(500));
        Rfc2136 { client, ttl: None, credentials: vec![("TSIG secret".into(), "somewhere".into())] }
    }

    /// A look at what the server has seen and holds.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }
}

pub(super) fn key(algorithm: &str) -> Key {
    Key::new(KEY, algorithm, &SecretText::from(SECRET)).unwrap()
}

pub(super) fn zone() -> Zone {
    Zone { apex: "example.org".parse().unwrap() }
}

pub(super) fn record(value: &str) -> TxtRecord {
    let name = "_acme-challenge.example.org".parse().unwrap();
    TxtRecord { name, value: value.into(), ttl: 60 }
}

async fn serve(mut stream: TcpStream, quirks: Quirks, state: Arc<Mutex<State>>) {
    while let Ok(length) = stream.read_u16().await {
        let mut request = vec![0; length.into()];
        stream.read_exact(&mut request).await.unwrap();
        state.lock().unwrap().streamed.push(request.clone());
        if quirks.mute {
            continue;
        }
        let answer = answer(&request, quirks, false, &state);
        stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
}

fn answer(octets: &[u8], quirks: Quirks, truncate: bool, state: &Mutex<State>) -> Vec<u8> {
    let request = Message::from_vec(octets).unwrap();
    let mut answer =
        Message::new(request.metadata.id, MessageType::Response, request.metadata.op_code);
    answer.add_queries(request.queries.iter().cloned());
    answer.metadata.authoritative = !quirks.lame;
    let mut tsig_error = None;
    let is_update = request.metadata.op_code == OpCode::Update;
    if truncate {
        answer.metadata.truncation = true;
    } else if let (true, Some((code, error))) = (is_update, quirks.fail) {
        answer.metadata.response_code = code;
        tsig_error = error;
    } else if is_update {
        apply(&request, &mut state.lock().unwrap().texts);
    } else {
        look_up(&request, &mut answer, &state.lock().unwrap().texts);
    }
    let encoded = answer.to_vec().unwrap();
    let Some(signature) = request.signature() else { return encoded };
    if quirks.unsigned && is_update {
        return encoded;
    }
    let secret = if quirks.forged { b"another secret".to_vec() } else { test_secret() };
    let signer =
        TSigner::new(secret, signature.data.algorithm.clone(), signature.name.clone(), 300)
            .unwrap();
    signer
        .verify_message_byte(octets, None, true)
        .map(drop)
        .or_else(|error| if quirks.forged { Ok(()) } else { Err(error) })
        .expect("the request's signature");
    let (id, now, mac) = (request.metadata.id, client::now(), signature.data.mac.clone());
    let context = match tsig_error {
        Some(TsigError::BadKey) => {
            TSigResponseContext::unknown_key(id, now, signature.name.clone())
        }
        Some(TsigError::BadSig) => TSigResponseContext::bad_signature(id, now, signer),
        error => TSigResponseContext::new(id, now, signer, mac, error),
    };
    answer.set_signature(context.sign(&encoded).unwrap());
    answer.to_vec().unwrap()
}

/// The rules of RFC 2136 §3.4.2 for the two kinds of change that we make; anything else fails the test.
fn apply(request: &Message, texts: &mut Vec<(Name, String)>) {
    assert_eq!(request.queries[0].query_type(), RecordType::SOA);
    assert!(request.answers.is_empty(), "no prerequisites");
    for change in &request.authorities {
        let RData::TXT(text) = &change.data else { panic!("{change}") };
        let entry = (change.name.clone(), String::from_utf8(text.txt_data.concat()).unwrap());
        match change.dns_class {
            DNSClass::IN if !texts.contains(&entry) => texts.push(entry),
            DNSClass::IN => {}
            DNSClass::NONE => texts.retain(|held| *held != entry),
            other => panic!("class {other}"),
        }
    }
}

fn look_up(request: &Message, answer: &mut Message, texts: &[(Name, String)]) {
    let name = request.queries[0].name().clone();
    if request.queries[0].query_type() == RecordType::SOA {
        let soa = SOA::new(Name::root(), Name::root(), 42, 1, 1, 1, 1);
        answer.add_answer(Record::from_rdata(name, 60, RData::SOA(soa)));
        return;
    }
    for (owner, text) in texts {
        if *owner == name {
            let text = RData::TXT(TXT::new(vec![text.clone()]));
            answer.add_answer(Record::from_rdata(name.clone(), 60, text));
        }
    }
}

fn test_secret() -> Vec<u8> {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.decode(SECRET).unwrap()
}
