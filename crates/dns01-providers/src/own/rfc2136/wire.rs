//! Octets to a name server and back. Whoever calls sets the time limit.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// The largest request that fits into one datagram on every path (RFC 9715 §3.2 and DNS flag day 2020).
pub(super) const MAX_DATAGRAM: usize = 1232;

/// Sends `request` from a new port and waits for the datagram with the same id. The socket is connected, so datagrams
/// of others are not seen, and "port unreachable" is an error.
pub(super) async fn ask_by_udp(address: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(address).await?;
    socket.send(request).await?;
    let mut answer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut answer).await?;
        if length >= 2 && answer[..2] == request[..2] {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

/// A TCP connection to a name server.
pub(super) struct Connection(TcpStream);

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends one request and reads one answer, each after its length in two octets (RFC 1035 §4.2.2).
    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let length = u16::try_from(request.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.0.write_all(&[&length.to_be_bytes()[..], request].concat()).await?;
        let mut answer = vec![0; self.0.read_u16().await?.into()];
        self.0.read_exact(&mut answer).await?;
        Ok(answer)
    }
}
