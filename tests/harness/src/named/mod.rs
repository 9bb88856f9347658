//! BIND: one primary and any number of secondaries, each on port 53 of its own address.

mod conf;

use crate::ask;
use crate::lab::Lab;
use crate::nameserver::NameServer;
use crate::server::{Server, wait_until};
use crate::tools::tool;
use crate::tsig::{Hmac, TsigKey};
use crate::zone::{Hosted, Zone, with_parents};
use conf::Role;
use rustix::process::Signal;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a [`Named`] will serve.
#[derive(Debug)]
pub struct NamedBuilder {
    lab: Lab,
    zones: Vec<Zone>,
    key: TsigKey,
    secondaries: usize,
    others: Vec<IpAddr>,
    address: Option<IpAddr>,
    held: bool,
    recursive: bool,
}

/// A running BIND primary with its secondaries.
#[derive(Debug)]
pub struct Named {
    primary: Process,
    secondaries: Vec<Process>,
    zones: Vec<Zone>,
    key: TsigKey,
    control: TsigKey,
    own_queries: usize,
    /// Last, so that the folder outlives the processes.
    _lab: Lab,
}

#[derive(Debug)]
struct Process {
    server: Server,
    address: IpAddr,
    folder: PathBuf,
}

impl NamedBuilder {
    /// Adds a zone; without any, the server holds `example.test`.
    pub fn zone(mut self, zone: Zone) -> Self {
        self.zones.push(zone);
        self
    }

    /// Uses this key instead of a fresh hmac-sha256 key `dns01-key`.
    pub fn key(mut self, key: TsigKey) -> Self {
        self.key = key;
        self
    }

    /// Starts this many secondaries, each a name server (`ns2`, `ns3`, …) of every asked zone.
    pub fn secondaries(mut self, count: usize) -> Self {
        self.secondaries = count;
        self
    }

    /// The primary's address, which the lab has given out already, instead of a fresh one.
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Names a server that is none of ours, such as a [`crate::FakeDns`], as one more name server of every asked zone: `ns2`
    /// without secondaries, and so on.
    pub fn also_served_at(mut self, address: IpAddr) -> Self {
        self.others.push(address);
        self
    }

    /// The secondaries are never notified: they show a change only after [`Named::release`].
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// The primary also is a resolver: it follows a CNAME into another of its zones, as what the CA asks does.
    pub fn recursive(mut self) -> Self {
        self.recursive = true;
        self
    }

    /// Starts the processes and waits until every one answers for every zone.
    pub fn start(mut self) -> Named {
        if self.zones.is_empty() {
            self.zones.push(Zone::new("example.test"));
        }
        let mut address = self.address.take();
        let mut address = || address.take().unwrap_or_else(|| self.lab.address());
        let servers: Vec<_> = (0..=self.secondaries).map(|_| address()).collect();
        let control = TsigKey::new(&self.lab.folder("rndc"), "control", Hmac::Sha256);
        let named: Vec<_> = servers.iter().chain(&self.others).copied().collect();
        let hosted = with_parents(&self.zones, &named);
        let role = Role::Primary {
            secondaries: &servers[1..],
            notify: !self.held,
            recursive: self.recursive,
        };
        let process = |address: IpAddr, role: &Role<'_>, zones: &[Hosted]| {
            let folder = self.lab.folder("named");
            conf::write(&folder, address, role, zones, &self.key, &control);
            Process { server: spawn(&self.lab, &folder), address, folder }
        };
        let mut primary = process(servers[0], &role, &hosted);
        primary.wait_ready(&hosted.iter().map(|hosted| hosted.zone.clone()).collect::<Vec<_>>());
        let mut secondaries: Vec<_> = servers[1..]
            .iter()
            .map(|own| process(*own, &Role::Secondary { of: servers[0] }, &hosted))
            .collect();
        for secondary in &mut secondaries {
            secondary.wait_ready(&self.zones);
        }
        let own_queries = primary.queries().len();
        Named {
            primary,
            secondaries,
            zones: self.zones,
            key: self.key,
            control,
            own_queries,
            _lab: self.lab,
        }
    }
}

impl Named {
    /// A server to be configured.
    pub fn builder(lab: &Lab) -> NamedBuilder {
        let key = TsigKey::new(&lab.folder("tsig"), "dns01-key", Hmac::Sha256);
        NamedBuilder {
            lab: lab.clone(),
            zones: vec![],
            key,
            secondaries: 0,
            others: vec![],
            address: None,
            held: false,
            recursive: false,
        }
    }

    /// The secondaries' addresses, in order.
    pub fn secondary_addresses(&self) -> Vec<IpAddr> {
        self.secondaries.iter().map(|secondary| secondary.address).collect()
    }

    /// The TXT values that secondary `index` (from 0) shows at `name`, sorted.
    pub fn secondary_txt(&self, index: usize, name: &str) -> Vec<String> {
        ask::txt(self.secondaries[index].address, name)
    }

    /// Lets held secondary `index` (from 0) catch up now, and waits until it has.
    pub fn release(&self, index: usize) {
        let secondary = &self.secondaries[index];
        for zone in &self.zones {
            let mut rndc = Command::new(tool("rndc"));
            rndc.arg("-k").arg(&self.control.file).args([
                "-s",
                &secondary.address.to_string(),
                "-p",
                "953",
                "retransfer",
            ]);
            let output = rndc.arg(zone.absolute()).output().unwrap();
            assert!(output.status.success(), "rndc: {}", String::from_utf8_lossy(&output.stderr));
            let wanted = ask::serial(self.primary.address, &zone.name).expect("the primary runs");
            wait_until("the secondary has the zone", || {
                ask::serial(secondary.address, &zone.name).is_some_and(|serial| serial >= wanted)
            });
        }
    }

    /// Stops the primary: its port refuses.
    pub fn stop(&mut self) {
        self.primary.server.stop();
    }

    /// Starts the stopped primary again, with the records it had; [`NameServer::update_requests`] counts from zero again.
    pub fn start(&mut self) {
        self.primary.server.restart();
        let zones = self.zones.clone();
        self.primary.wait_ready(&zones);
    }

    /// Stops secondary `index` (from 0).
    pub fn stop_secondary(&mut self, index: usize) {
        self.secondaries[index].server.stop();
    }

    /// Starts stopped secondary `index` (from 0) again.
    pub fn start_secondary(&mut self, index: usize) {
        let secondary = &mut self.secondaries[index];
        secondary.server.restart();
        secondary.wait_ready(&self.zones);
    }

    /// The primary accepts packets and connections, and answers nothing until [`Self::resume`].
    pub fn pause(&self) {
        self.primary.server.signal(Signal::STOP);
    }

    /// Ends a [`Self::pause`].
    pub fn resume(&self) {
        self.primary.server.signal(Signal::CONT);
    }

    /// The queries that the primary logged since its start, one line each: `… query: NAME IN TXT …`.
    /// This type's own are among them: `SOA` when it waits, `TXT -T` over TCP when it looks.
    pub fn queries(&self) -> Vec<String> {
        self.primary.queries().split_off(self.own_queries)
    }

    /// The records that UPDATEs added to or deleted from `zone`, one log line each, in order.
    pub fn update_operations(&self, zone: &str) -> Vec<String> {
        let zone = format!("updating zone '{zone}/IN': ");
        self.updates_log(|line| {
            line.contains(&zone)
                && (line.contains("': adding an RR") || line.contains("': deleting "))
        })
    }

    fn updates_log(&self, keep: impl Fn(&str) -> bool) -> Vec<String> {
        lines(&self.primary.folder.join("updates.log"), keep)
    }
}

impl NameServer for Named {
    fn address(&self) -> IpAddr {
        self.primary.address
    }

    fn key(&self) -> &TsigKey {
        &self.key
    }

    fn zones(&self) -> &[Zone] {
        &self.zones
    }

    fn updates(&self, zone: &str) -> usize {
        let passed = format!("updating zone '{zone}/IN': update section prescan OK");
        self.updates_log(|line| line.contains(&passed)).len()
    }

    fn update_requests(&self) -> usize {
        let mut stream = TcpStream::connect((self.primary.address, 8053)).unwrap();
        stream.write_all(b"GET /json/v1/server HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let statistics: serde_json::Value = serde_json::from_str(body).unwrap();
        statistics["opcodes"]["UPDATE"].as_u64().unwrap().try_into().unwrap()
    }
}

impl Process {
    fn queries(&self) -> Vec<String> {
        lines(&self.folder.join("queries.log"), |_| true)
    }

    fn wait_ready(&mut self, zones: &[Zone]) {
        let address = self.address;
        self.server
            .wait_ready(|| zones.iter().all(|zone| ask::serial(address, &zone.name).is_some()));
    }
}

/// `AppArmor` confines `/usr/sbin/named` to its own folders on Debian and Ubuntu; a copy elsewhere runs free.
fn spawn(lab: &Lab, folder: &Path) -> Server {
    let program = lab.path().join("named");
    if !program.exists() {
        // Written by another process: a child that a test beside this one forks meanwhile would hold the file open for
        // writing, and starting it fails with "text file busy".
        let copied = Command::new("cp").arg(tool("named")).arg(&program).status();
        assert!(copied.unwrap().success(), "could not copy named");
    }
    let mut named = Command::new(program);
    named.args(["-4", "-f", "-n", "1", "-L", "named.log", "-c", "named.conf"]).current_dir(folder);
    let logs = ["named.log", "queries.log"].map(|name| folder.join(name));
    Server::start("named", named, &folder.join("output.log"), &logs)
}

fn lines(path: &Path, keep: impl Fn(&str) -> bool) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    text.lines().filter(|line| keep(line)).map(ToOwned::to_owned).collect()
}
