//! An HTTPS server in the test's own process, for what a real server will not do: vendors' APIs and hostile CAs.

use crate::http::{self, Delivery, Reply, Request};
use crate::lab::Lab;
use crate::pki::Leaf;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running fake. It answers under its host names with certificates of the lab's CA.
#[derive(Debug)]
pub struct FakeHttps {
    address: SocketAddr,
    names: Vec<String>,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

impl FakeHttps {
    /// Serves `names` on port 443 of an own address: give [`Self::hosts`] to the sandbox and [`crate::TestCa::file`] to the client.
    pub fn start(
        lab: &Lab,
        names: &[&str],
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(lab, SocketAddr::new(lab.address(), 443), names, handler)
    }

    /// Serves on a chosen address, which is one of the certificate's names.
    pub(crate) fn start_at(
        lab: &Lab,
        address: SocketAddr,
        names: &[&str],
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let ip = address.ip().to_string();
        let config = Arc::new(server_config(&lab.ca().server(&[names, &[&ip]].concat())));
        let fake = Self {
            address,
            names: names.iter().map(ToString::to_string).collect(),
            requests: Arc::default(),
            stop: Arc::default(),
        };
        let (requests, stop, handler) =
            (Arc::clone(&fake.requests), Arc::clone(&fake.stop), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (config, requests, handler) =
                    (Arc::clone(&config), Arc::clone(&requests), Arc::clone(&handler));
                // A client that goes away is its own affair.
                thread::spawn(move || serve(stream, config, &requests, &*handler).ok());
            }
        });
        fake
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its names with its address: for [`crate::Sandbox::hosts`].
    pub fn hosts(&self) -> Vec<(String, IpAddr)> {
        self.names.iter().map(|name| (name.clone(), self.address.ip())).collect()
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for FakeHttps {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        TcpStream::connect(self.address).ok();
    }
}

fn server_config(leaf: &Leaf) -> ServerConfig {
    let cert = CertificateDer::from_pem_slice(leaf.cert.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(http::provider())
        .with_safe_default_protocol_versions()
        .unwrap();
    config.with_no_client_auth().with_single_cert(vec![cert], key).unwrap()
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    requests: &Mutex<Vec<Request>>,
    handler: &Handler,
) -> io::Result<()> {
    stream.set_read_timeout(Some(http::PATIENCE))?;
    stream.set_nodelay(true)?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(request) = Request::read(&mut stream)? {
        requests.lock().unwrap().push(request.clone());
        let mut reply = handler(&request);
        if request.method == "HEAD" {
            reply.body.clear();
        }
        thread::sleep(reply.delay);
        if !deliver(stream.get_mut(), &reply)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends the reply as it asks for; says whether the connection lives on.
fn deliver(stream: &mut impl io::Write, reply: &Reply) -> io::Result<bool> {
    let bytes = reply.bytes();
    match reply.delivery {
        Delivery::Whole => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            return Ok(true);
        }
        Delivery::Truncated(length) => {
            stream.write_all(
                &bytes[..bytes.len() - reply.body.len() + length.min(reply.body.len())],
            )?;
            stream.flush()?;
        }
        Delivery::Dripped(pause) => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                stream.flush()?;
                thread::sleep(pause);
            }
            return Ok(true);
        }
        Delivery::Endless => {
            write!(stream, "HTTP/1.1 {} -\r\ntransfer-encoding: chunked\r\n\r\n", reply.status)?;
            loop {
                write!(stream, "{:x}\r\n", reply.body.len())?;
                stream.write_all(&reply.body)?;
                stream.write_all(b"\r\n")?;
            }
        }
        Delivery::Closed => {}
    }
    Ok(false)
}
