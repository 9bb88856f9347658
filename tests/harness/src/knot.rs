//! Knot DNS: one primary on port 53 of its own address.

use crate::ask;
use crate::lab::Lab;
use crate::nameserver::NameServer;
use crate::server::Server;
use crate::tools::tool;
use crate::tsig::{Hmac, TsigKey};
use crate::zone::{Hosted, Update, Zone, with_parents};
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running Knot primary.
#[derive(Debug)]
pub struct Knot {
    server: Server,
    address: IpAddr,
    log: PathBuf,
    zones: Vec<Zone>,
    hosted: Vec<Zone>,
    key: TsigKey,
    /// Last, so that the folder outlives the process.
    _lab: Lab,
}

impl Knot {
    /// Starts a server with these zones (none: `example.test`) and a fresh hmac-sha256 key, and waits until it answers.
    pub fn start(lab: &Lab, zones: &[Zone]) -> Self {
        let zones = if zones.is_empty() { vec![Zone::new("example.test")] } else { zones.to_vec() };
        let (address, folder) = (lab.address(), lab.folder("knot"));
        let key = TsigKey::new(&folder, "dns01-key", Hmac::Sha256);
        let hosted = with_parents(&zones, &[address]);
        for hosted in &hosted {
            fs::write(folder.join(hosted.zone.file()), &hosted.master).unwrap();
        }
        fs::write(folder.join("knot.conf"), configuration(&folder, address, &hosted, &key))
            .unwrap();
        let mut knotd = Command::new(tool("knotd"));
        knotd.args(["-c", "knot.conf"]).current_dir(&folder);
        let log = folder.join("knot.log");
        let server =
            Server::start("knotd", knotd, &folder.join("output.log"), std::slice::from_ref(&log));
        let hosted = hosted.into_iter().map(|hosted| hosted.zone).collect();
        let mut knot = Self { server, address, log, zones, hosted, key, _lab: lab.clone() };
        knot.wait_ready();
        knot
    }

    /// Stops the server: its port refuses.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts the stopped server again, with the records it had.
    pub fn restart(&mut self) {
        self.server.restart();
        self.wait_ready();
    }

    fn wait_ready(&mut self) {
        let (address, hosted) = (self.address, &self.hosted);
        self.server
            .wait_ready(|| hosted.iter().all(|zone| ask::serial(address, &zone.name).is_some()));
    }

    fn count(&self, keep: impl Fn(&str) -> bool) -> usize {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default())
            .lines()
            .filter(|line| keep(line))
            .count()
    }
}

impl NameServer for Knot {
    fn address(&self) -> IpAddr {
        self.address
    }

    fn key(&self) -> &TsigKey {
        &self.key
    }

    fn zones(&self) -> &[Zone] {
        &self.zones
    }

    fn updates(&self, zone: &str) -> usize {
        self.count(|line| line.contains(&format!("[{zone}.] DDNS, processing")))
    }

    fn update_requests(&self) -> usize {
        self.count(|line| line.contains(" DDNS, processing"))
    }
}

fn configuration(folder: &Path, address: IpAddr, zones: &[Hosted], key: &TsigKey) -> String {
    let (folder, name, algorithm, secret) =
        (folder.display(), &key.name, key.algorithm.name(), &key.secret);
    let mut text = format!(
        r#"server:
  rundir: "{folder}"
  listen: {address}@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: "{folder}/knot.log"
    any: debug
database:
  storage: "{folder}"
key:
  - id: {name}
    algorithm: {algorithm}
    secret: "{secret}"
acl:
  - id: update
    key: {name}
    action: update
    update-type: [TXT]
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
template:
  - id: default
    storage: "{folder}"
    zonefile-load: difference
    zonefile-sync: 0
    journal-content: changes
zone:
"#
    );
    for hosted in zones {
        let (name, file) = (hosted.zone.absolute(), hosted.zone.file());
        let update = (hosted.zone.update == Update::Txt).then_some("update");
        let transfer = hosted.zone.transfer.then_some("transfer");
        let acl = [update, transfer].into_iter().flatten().collect::<Vec<_>>().join(", ");
        writeln!(text, "  - domain: \"{name}\"\n    file: \"{file}\"\n    acl: [{acl}]").unwrap();
    }
    text
}
