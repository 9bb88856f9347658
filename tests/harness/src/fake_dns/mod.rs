//! A name server that misbehaves on purpose: it answers as a real one does, except for what a function makes of that.
//!
//! Each question is passed on to the real server by the way it came, UDP or TCP, and its answer is given to the function,
//! which alters it, holds it back or swallows it. What is not altered is as real as the server behind.

pub mod faults;

use crate::lab::Lab;
use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long the real server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running fake; it stops when dropped.
#[derive(Debug)]
pub struct FakeDns {
    address: IpAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

/// A question that arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The name, in lower case and without the final dot.
    pub name: String,
    /// The record type.
    pub kind: RecordType,
    /// Whether it came by TCP.
    pub tcp: bool,
    /// When it came.
    pub at: Instant,
    /// How many questions for this name and type came before it.
    pub before: usize,
}

/// What becomes of an answer.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// It is sent, altered or not, after this time.
    Answer(Message, Duration),
    /// It gets lost.
    Silence,
}

/// What a server makes of the true answer to a question.
pub type Fault = Arc<dyn Fn(&Asked, Message) -> Reaction + Send + Sync>;

impl FakeDns {
    /// A server before the one at `behind`, on port 53 of an own address.
    pub fn start(
        lab: &Lab,
        behind: IpAddr,
        fault: impl Fn(&Asked, Message) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(lab.address(), behind, Arc::new(fault))
    }

    /// The same on an address that the lab has given out already.
    pub fn start_at(address: IpAddr, behind: IpAddr, fault: Fault) -> Self {
        let (asked, stop) = (Arc::default(), Arc::default());
        let fake = Self { address, asked: Arc::clone(&asked), stop: Arc::clone(&stop) };
        let own = Own { behind: SocketAddr::new(behind, 53), fault, asked, stop };
        let udp = UdpSocket::bind((address, 53)).unwrap();
        let tcp = TcpListener::bind((address, 53)).unwrap();
        // Looks at `stop` now and then.
        udp.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let shared = own.clone();
        thread::spawn(move || serve_udp(&Arc::new(udp), &shared));
        thread::spawn(move || serve_tcp(&tcp, &own));
        fake
    }

    /// Where it listens.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Every question so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for FakeDns {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        TcpStream::connect((self.address, 53)).ok();
    }
}

/// What the threads of one server share.
#[derive(Clone)]
struct Own {
    behind: SocketAddr,
    fault: Fault,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

impl Own {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What is sent for a question, and when; nothing when it is no question.
    fn react(&self, question: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let asked = self.note(question, tcp)?;
        let truth = if tcp { by_tcp(self.behind, question) } else { by_udp(self.behind, question) };
        let truth = Message::from_vec(&truth.ok()?).ok()?;
        match (self.fault)(&asked, truth) {
            Reaction::Answer(message, delay) => {
                thread::sleep(delay);
                message.to_vec().ok()
            }
            Reaction::Silence => None,
        }
    }

    fn note(&self, question: &[u8], tcp: bool) -> Option<Asked> {
        let query = Message::from_vec(question).ok()?.queries.first()?.clone();
        let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
        let kind = query.query_type();
        let mut all = self.asked.lock().unwrap();
        let before = all.iter().filter(|it| it.name == name && it.kind == kind).count();
        let asked = Asked { name, kind, tcp, at: Instant::now(), before };
        all.push(asked.clone());
        Some(asked)
    }
}

fn serve_udp(socket: &Arc<UdpSocket>, own: &Own) {
    let mut buffer = [0; 4096];
    while !own.stopped() {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
        let (question, socket, own) = (buffer[..length].to_vec(), Arc::clone(socket), own.clone());
        thread::spawn(move || {
            if let Some(answer) = own.react(&question, false) {
                socket.send_to(&answer, peer).ok();
            }
        });
    }
}

fn serve_tcp(listener: &TcpListener, own: &Own) {
    for stream in listener.incoming().map_while(Result::ok) {
        if own.stopped() {
            return;
        }
        let own = own.clone();
        // A client that goes away is its own affair.
        thread::spawn(move || serve_stream(stream, &own).ok());
    }
}

fn serve_stream(mut stream: TcpStream, own: &Own) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    loop {
        let question = read(&mut stream)?;
        let Some(answer) = own.react(&question, true) else { return Ok(()) };
        write(&mut stream, &answer)?;
    }
}

fn by_udp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(server)?;
    socket.send(question)?;
    let mut answer = vec![0; 4096];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

fn by_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write(&mut stream, question)?;
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn write(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], message].concat())
}
