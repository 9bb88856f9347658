//! A name server for tests, on one loopback port for UDP and TCP, that answers whatever a function says.

mod data;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

pub(crate) use data::Data;

use crate::{Lookup, LookupArgs};

/// A running server; it stops when dropped.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _tasks: JoinSet<()>,
}

/// A question that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) kind: RecordType,
    pub(crate) tcp: bool,
    pub(crate) port: u16,
    pub(crate) id: u16,
    pub(crate) max_payload: u16,
    pub(crate) recursive: bool,
    /// How many questions came before it.
    pub(crate) before: usize,
}

/// Gets the question and an empty authoritative answer to it; returns what is sent, one after the other.
type Handler = Arc<dyn Fn(&Asked, Message) -> Vec<Message> + Send + Sync>;

impl Fake {
    pub(crate) async fn start(
        handler: impl Fn(&Asked, Message) -> Vec<Message> + Send + Sync + 'static,
    ) -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (tcp, udp);
            }
        };
        let address = tcp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let handler: Handler = Arc::new(handler);
        tasks.spawn(serve_udp(udp, handler.clone(), asked.clone()));
        tasks.spawn(serve_tcp(tcp, handler, asked.clone()));
        Self { address, asked, _tasks: tasks }
    }

    /// A server for the zones of `lines`, see [`Data`].
    pub(crate) async fn serving(lines: &str) -> Self {
        let data = Data::new(lines);
        Self::start(move |_, answer| vec![data.answer(answer)]).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// A lookup that has this server as its resolver.
    pub(crate) fn lookup(&self) -> Lookup {
        lookup(&[self], &[])
    }
}

/// A lookup with these resolvers, and these servers for zones.
pub(crate) fn lookup(resolvers: &[&Fake], authorities: &[(&str, &[&Fake])]) -> Lookup {
    let list = |servers: &[&Fake]| {
        servers.iter().map(|it| it.address.to_string()).collect::<Vec<_>>().join(",")
    };
    Lookup::new(&LookupArgs {
        resolver: resolvers.iter().map(|it| list(&[it]).parse().unwrap()).collect(),
        authority: authorities
            .iter()
            .map(|(zone, servers)| format!("{zone}={}", list(servers)).parse().unwrap())
            .collect(),
        trust_anchor: None,
    })
    .unwrap()
}

async fn serve_udp(socket: UdpSocket, handler: Handler, log: Arc<Mutex<Vec<Asked>>>) {
    let mut buffer = [0; 2048];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        for answer in react(&buffer[..length], false, peer.port(), &handler, &log) {
            let _ = socket.send_to(&answer, peer).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, handler: Handler, log: Arc<Mutex<Vec<Asked>>>) {
    while let Ok((mut stream, peer)) = listener.accept().await {
        let _ = serve_stream(&mut stream, peer.port(), &handler, &log).await;
    }
}

async fn serve_stream(
    stream: &mut TcpStream,
    port: u16,
    handler: &Handler,
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let length = stream.read_u16().await?;
    let mut question = vec![0; usize::from(length)];
    stream.read_exact(&mut question).await?;
    for answer in react(&question, true, port, handler, log) {
        stream.write_u16(u16::try_from(answer.len()).unwrap()).await?;
        stream.write_all(&answer).await?;
    }
    Ok(())
}

fn react(
    bytes: &[u8],
    tcp: bool,
    port: u16,
    handler: &Handler,
    log: &Mutex<Vec<Asked>>,
) -> Vec<Vec<u8>> {
    let question = Message::from_vec(bytes).unwrap();
    let query = question.queries[0].clone();
    let mut log = log.lock().unwrap();
    let asked = Asked {
        name: query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase(),
        kind: query.query_type(),
        tcp,
        port,
        id: question.metadata.id,
        max_payload: question.max_payload(),
        recursive: question.metadata.recursion_desired,
        before: log.len(),
    };
    log.push(asked.clone());
    drop(log);
    let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.authoritative = true;
    answer.add_query(query);
    handler(&asked, answer).into_iter().map(|answer| encode(answer, &asked)).collect()
}

fn encode(mut answer: Message, asked: &Asked) -> Vec<u8> {
    let bytes = answer.to_vec().unwrap();
    if asked.tcp || bytes.len() <= usize::from(asked.max_payload) {
        return bytes;
    }
    answer.answers.clear();
    answer.metadata.truncation = true;
    answer.to_vec().unwrap()
}
