//! HTTP/1.1 over one TLS connection that stays open.

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest that any answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Connection {
    host: String,
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) nonce: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects to the host of `url`.
    pub(crate) fn open(url: &str, ca_file: &Path) -> Result<Self> {
        let (host, _) = split(url)?;
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(ca_file)? {
            roots.add(root?)?;
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
        let tcp = TcpStream::connect(host).with_context(|| format!("could not reach {host}"))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let tls = ClientConnection::new(Arc::new(config), ServerName::try_from(name)?)?;
        Ok(Self { host: host.to_owned(), stream: BufReader::new(StreamOwned::new(tls, tcp)) })
    }

    /// One request; `body` is a signed object.
    pub(crate) fn ask(&mut self, method: &str, url: &str, body: Option<&str>) -> Result<Reply> {
        let (_, path) = split(url)?;
        let body = body.unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: floor\r\nContent-Type: application/jose+json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let reply = self.reply(method)?;
        if reply.status >= 400 {
            bail!("{method} {path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
        }
        Ok(reply)
    }

    fn reply(&mut self, method: &str) -> Result<Reply> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).context("no status")?.parse()?;
        let mut reply = Reply { status, ..Reply::default() };
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse()?,
                "transfer-encoding" => chunked = true,
                "replay-nonce" => reply.nonce = Some(value.to_owned()),
                "location" => reply.location = Some(value.to_owned()),
                _ => {}
            }
        }
        if method == "HEAD" {
            return Ok(reply);
        }
        if !chunked {
            reply.body = self.octets(length)?;
            return Ok(reply);
        }
        loop {
            let size = usize::from_str_radix(self.line()?.trim(), 16)?;
            let chunk = self.octets(size)?;
            self.line()?;
            if size == 0 {
                return Ok(reply);
            }
            reply.body.extend(chunk);
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the CA closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }

    fn octets(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut octets = vec![0; count];
        self.stream.read_exact(&mut octets)?;
        Ok(octets)
    }
}

/// Host with port, and path.
fn split(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("https://").with_context(|| format!("no HTTPS URL: {url}"))?;
    let slash = rest.find('/').with_context(|| format!("no path: {url}"))?;
    Ok(rest.split_at(slash))
}
