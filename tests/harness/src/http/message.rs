//! Requests and replies, read from and written to a stream.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read as _};
use std::time::Duration;

/// A request, as received or to be sent.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// A reply, as received or to be given.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    pub(crate) delay: Duration,
    pub(crate) delivery: Delivery,
}

/// How the bytes of a reply reach the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// This many bytes of the body, then the connection ends.
    Truncated(usize),
    /// One byte per this time.
    Dripped(Duration),
    /// The body again and again, chunked, until the client goes.
    Endless,
    /// No byte at all: the connection ends.
    Closed,
}

impl Request {
    /// A request without body to `host` (`name` or `name:port`).
    pub fn new(method: &str, host: &str, path: &str) -> Self {
        let headers = [("host", host), ("user-agent", "dns01-tests"), ("connection", "close")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { method: method.to_owned(), path: path.to_owned(), headers, body: vec![] }
    }

    /// Adds a header field.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with_header("content-type", content_type)
    }

    /// A header field by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; panics when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{} {}: {error}: {}", self.method, self.path, self.text())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The next request of a connection; `None` when the client has closed it.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some((start, headers)) = read_head(stream)? else { return Ok(None) };
        let mut words = start.split(' ').map(ToOwned::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let body = read_body(stream, &headers, false)?;
        Ok(Some(Self { method, path, headers, body }))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes(&format!("{} {} HTTP/1.1", self.method, self.path), &self.headers, &self.body)
    }
}

impl Reply {
    /// An empty reply with this status.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: vec![],
            body: vec![],
            delay: Duration::ZERO,
            delivery: Delivery::Whole,
        }
    }

    /// A 200 with a JSON body.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::status(200).with_body("application/json", value.to_string())
    }

    /// An RFC 7807 problem, as a CA answers it: `kind` is what follows `urn:ietf:params:acme:error:`.
    pub fn problem(status: u16, kind: &str, detail: &str) -> Self {
        let value = serde_json::json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail, "status": status});
        Self::status(status).with_body("application/problem+json", value.to_string())
    }

    /// No reply: the connection ends.
    pub fn closed() -> Self {
        Self { delivery: Delivery::Closed, ..Self::status(0) }
    }

    /// Sets the status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header field.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.headers.retain(|(name, _)| name != "content-type");
        self.with_header("content-type", content_type)
    }

    /// The reply comes only after this time.
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Announces the whole body, sends `length` bytes of it and ends the connection.
    pub fn truncated(mut self, length: usize) -> Self {
        self.delivery = Delivery::Truncated(length);
        self
    }

    /// Sends one byte per `pause`.
    pub fn dripped(mut self, pause: Duration) -> Self {
        self.delivery = Delivery::Dripped(pause);
        self
    }

    /// Repeats the body without an end.
    pub fn endless(mut self) -> Self {
        self.delivery = Delivery::Endless;
        self
    }

    /// A header field by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn read(stream: &mut impl BufRead, bodiless: bool) -> io::Result<Self> {
        let (start, headers) = read_head(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = start
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let body =
            if bodiless || status == 204 { vec![] } else { read_body(stream, &headers, true)? };
        Ok(Self { headers, body, ..Self::status(status) })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes(&format!("HTTP/1.1 {} -", self.status), &self.headers, &self.body)
    }
}

fn bytes(start: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{start}\r\n");
    // The body is whole here, whatever framing it came with.
    let framing = |name: &str| name == "content-length" || name == "transfer-encoding";
    for (name, value) in headers.iter().filter(|(name, _)| !framing(name)) {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    write!(text, "content-length: {}\r\n\r\n", body.len()).unwrap();
    [text.as_bytes(), body].concat()
}

type Head = (String, Vec<(String, String)>);

fn read_head(stream: &mut impl BufRead) -> io::Result<Option<Head>> {
    let start = read_line(stream)?;
    if start.is_empty() {
        return Ok(None);
    }
    let mut headers = vec![];
    loop {
        let line = read_line(stream)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(Some((start, headers))) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_body(
    stream: &mut impl BufRead,
    headers: &[(String, String)],
    to_end: bool,
) -> io::Result<Vec<u8>> {
    let header =
        |wanted| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let mut body = vec![];
    if header("transfer-encoding") == Some("chunked") {
        loop {
            let length =
                usize::from_str_radix(&read_line(stream)?, 16).map_err(io::Error::other)?;
            stream.take(length as u64).read_to_end(&mut body)?;
            read_line(stream)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
    match header("content-length").map(str::parse) {
        Some(length) => stream.take(length.map_err(io::Error::other)?).read_to_end(&mut body)?,
        None if to_end => stream.read_to_end(&mut body)?,
        None => 0,
    };
    Ok(body)
}
