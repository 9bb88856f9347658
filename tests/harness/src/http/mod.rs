//! The little HTTP/1.1 that fakes and probes need, over TLS or not. It can also misbehave on purpose.

mod message;

pub use message::{Reply, Request};

pub(crate) use message::Delivery;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long one side waits for the other.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Sends `request` to `server`, which must prove to be `name` to `ca` (PEM), and gives its reply.
pub fn exchange(server: SocketAddr, name: &str, ca: &str, request: &Request) -> io::Result<Reply> {
    ask(encrypt(connect(server)?, name, ca)?, request)
}

/// TLS over `stream`, whose other end must prove to be `name` to `ca` (PEM).
pub(crate) fn encrypt(
    stream: TcpStream,
    name: &str,
    ca: &str,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(cert.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config =
        config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

/// Sends `request` to `server` without TLS, and gives its reply.
pub fn exchange_plain(server: SocketAddr, request: &Request) -> io::Result<Reply> {
    ask(connect(server)?, request)
}

fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn ask(mut stream: impl Read + Write, request: &Request) -> io::Result<Reply> {
    stream.write_all(&request.bytes())?;
    stream.flush()?;
    Reply::read(&mut BufReader::new(stream), request.method == "HEAD")
}

/// The one crypto provider of the project.
pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
