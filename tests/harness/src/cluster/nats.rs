//! As much of NATS' protocol as it takes to hand out a message twice.

use crate::http::encrypt;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Where answers to our requests go.
const INBOX: &str = "_INBOX.tests";

/// A connection to the server of an event bus.
pub(super) struct Nats(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Nats {
    /// Connects with a bus's account; `ca` (PEM) vouches for the server.
    pub(super) fn connect(server: SocketAddr, ca: &str, user: &str, password: &str) -> Self {
        let mut plain = TcpStream::connect(server).unwrap();
        // The server speaks first, before TLS; not a byte more may be read here.
        let mut last = [0];
        while last != *b"\n" {
            plain.read_exact(&mut last).unwrap();
        }
        let stream = encrypt(plain, "nats", ca).unwrap();
        let mut nats = Self(BufReader::new(stream));
        let hello = json!({"user": user, "pass": password, "tls_required": true, "verbose": false});
        nats.send(format!("CONNECT {hello}\r\nSUB {INBOX} 1\r\n").as_bytes());
        nats
    }

    /// Publishes the newest message of `subject` once more, byte for byte.
    pub(super) fn redeliver(&mut self, subject: &str) {
        let wanted = json!({"last_by_subj": subject}).to_string();
        let found = self.ask("$JS.API.STREAM.MSG.GET.default", wanted.as_bytes());
        let data = found["message"]["data"].as_str().unwrap_or_else(|| panic!("{found}"));
        // Without its header `Nats-Msg-Id`, by which the server itself would drop it.
        let kept = self.ask(subject, &STANDARD.decode(data).unwrap());
        assert!(kept["seq"].is_u64() && kept["duplicate"].is_null(), "not kept: {kept}");
    }

    fn send(&mut self, bytes: &[u8]) {
        let stream = self.0.get_mut();
        stream.write_all(bytes).unwrap();
        stream.flush().unwrap();
    }

    /// Publishes `payload` and waits for the answer.
    fn ask(&mut self, subject: &str, payload: &[u8]) -> Value {
        let head = format!("PUB {subject} {INBOX} {}\r\n", payload.len());
        self.send(&[head.as_bytes(), payload, b"\r\n"].concat());
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "NATS has closed the connection");
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["PING"] => self.send(b"PONG\r\n"),
                ["-ERR", ..] => panic!("NATS: {line}"),
                ["MSG", .., length] => {
                    let mut answer = vec![0; length.parse().unwrap()];
                    self.0.read_exact(&mut answer).unwrap();
                    self.0.read_line(&mut String::new()).unwrap();
                    return serde_json::from_slice(&answer).unwrap();
                }
                _ => (),
            }
        }
    }
}
