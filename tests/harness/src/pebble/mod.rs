//! pebble: Let's Encrypt's own small CA for tests, strict and with real validation.

mod config;

pub use config::PebbleBuilder;

use crate::fake::FakeHttps;
use crate::http::{Reply, Request, exchange};
use crate::lab::Lab;
use crate::server::Server;
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

/// The port of the ACME interface.
const ACME: u16 = 14000;

/// The port of the management interface.
const MANAGEMENT: u16 = 15000;

/// A running pebble.
#[derive(Debug)]
pub struct Pebble {
    lab: Lab,
    server: Server,
    address: IpAddr,
    log: PathBuf,
}

impl Pebble {
    /// A CA that validates by asking the name server at `dns`.
    pub fn builder(lab: &Lab, dns: IpAddr) -> PebbleBuilder {
        PebbleBuilder::new(lab, dns)
    }

    /// The directory's URL.
    pub fn directory(&self) -> String {
        format!("https://{}:{ACME}/dir", self.address)
    }

    /// The file with the CA certificate that clients must trust for the ACME endpoint itself.
    pub fn ca_file(&self) -> &Path {
        self.lab.ca().file()
    }

    /// The roots that issued certificates chain to, PEM: the default one, then the alternates.
    pub fn issuing_roots(&self) -> Vec<String> {
        let roots = (0..).map(|number| {
            self.management(&Request::new(
                "GET",
                &self.host(MANAGEMENT),
                &format!("/roots/{number}"),
            ))
        });
        roots.take_while(|reply| reply.status == 200).map(|reply| reply.text()).collect()
    }

    /// Writes [`Self::issuing_roots`] to one file, for `openssl verify -CAfile`.
    pub fn issuing_roots_file(&self) -> PathBuf {
        let file = self.lab.folder("roots").join("roots.pem");
        fs::write(&file, self.issuing_roots().concat()).unwrap();
        file
    }

    /// How many HTTP requests reached the ACME interface, refused nonces included.
    pub fn requests(&self) -> usize {
        self.requests_to("")
    }

    /// How many requests reached the handlers whose path starts with `path`: `/dir`, `/nonce-plz`, `/sign-me-up`, `/order-plz`,
    /// `/my-order/`, `/authZ/`, `/chalZ/`, `/finalize-order/`, `/certZ/`, `/draft-ietf-acme-ari-03/renewalInfo/`.
    pub fn requests_to(&self, path: &str) -> usize {
        let calls = |line: &str| {
            line.split_once(" -> calling handler()")
                .is_some_and(|(before, _)| before.rsplit(' ').next().unwrap().starts_with(path))
        };
        self.count(|line| calls(line) && !line.contains("/set-renewal-info/"))
    }

    /// How many requests reached it but for two kinds whose number depends on its speed: how an order stands, and a nonce
    /// where one comes back too late.
    pub fn requests_at_any_speed(&self) -> usize {
        self.requests() - self.requests_to("/my-order/") - self.requests_to("/nonce-plz")
    }

    /// How many orders were made.
    pub fn orders(&self) -> usize {
        self.count(|line| line.contains("Added order "))
    }

    /// How many orders were finalized.
    pub fn finalized(&self) -> usize {
        self.count(|line| line.contains("is fully authorized. Processing finalization"))
    }

    /// How many certificates were issued.
    pub fn issued(&self) -> usize {
        self.count(|line| line.contains("Issued certificate serial "))
    }

    /// How many authorizations a failed validation made invalid.
    pub fn invalid(&self) -> usize {
        self.count(|line| line.contains(" set INVALID by completed challenge "))
    }

    /// Sets the answer to ARI requests for this certificate (PEM): any text, JSON or not.
    pub fn set_renewal_info(&self, certificate: &str, answer: &str) {
        let body =
            serde_json::json!({"Certificate": certificate, "ARIResponse": answer}).to_string();
        let request = Request::new("POST", &self.host(MANAGEMENT), "/set-renewal-info/")
            .with_body("application/json", body);
        let reply = self.management(&request);
        assert!(reply.status == 200, "set-renewal-info: {}", reply.text());
    }

    /// Stops the CA: its port refuses.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts the stopped CA again. It has forgotten everything, and its roots are new ones.
    pub fn start(&mut self) {
        self.server.restart();
        self.wait_ready();
    }

    /// A CA in front of this one: a request for which `meddle` gives a reply never arrives here, any other is passed on.
    /// Use the [`Front::directory`] of what it returns.
    pub fn front(
        &self,
        meddle: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Front {
        let address = SocketAddr::new(self.lab.address(), ACME);
        let (behind, ca) = (SocketAddr::new(self.address, ACME), self.lab.ca().pem().to_owned());
        let name = self.address.to_string();
        let pass = move |request: &Request| {
            // pebble builds its URLs from the Host field, so the front's own URLs come back.
            let reply = exchange(behind, &name, &ca, request);
            reply.unwrap_or_else(|error| {
                Reply::status(502).with_body("text/plain", error.to_string())
            })
        };
        Front(FakeHttps::start_at(&self.lab, address, &[], move |request| {
            meddle(request).unwrap_or_else(|| pass(request))
        }))
    }

    fn management(&self, request: &Request) -> Reply {
        let name = self.address.to_string();
        exchange(SocketAddr::new(self.address, MANAGEMENT), &name, self.lab.ca().pem(), request)
            .unwrap()
    }

    fn host(&self, port: u16) -> String {
        format!("{}:{port}", self.address)
    }

    fn count(&self, keep: impl Fn(&str) -> bool) -> usize {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap())
            .lines()
            .filter(|line| keep(line))
            .count()
    }

    fn wait_ready(&mut self) {
        let (address, ca, name) = (self.address, self.lab.ca().pem(), self.address.to_string());
        let root = Request::new("GET", &self.host(MANAGEMENT), "/roots/0");
        self.server.wait_ready(|| {
            let management = exchange(SocketAddr::new(address, MANAGEMENT), &name, ca, &root);
            // Only the management interface is asked: it does not count requests.
            management.is_ok() && TcpStream::connect((address, ACME)).is_ok()
        });
    }
}

/// A CA in front of a [`Pebble`]: see [`Pebble::front`].
#[derive(Debug)]
pub struct Front(FakeHttps);

impl Front {
    /// The directory's URL.
    pub fn directory(&self) -> String {
        format!("https://{}/dir", self.0.address())
    }

    /// Every request so far, those that were meddled with included.
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests()
    }
}
