//! Zones as a test describes them, and the master files made from that.

use std::fmt::Write as _;
use std::net::IpAddr;

/// Who may change a zone by UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The server's key may change every TXT record of the zone.
    Txt,
    /// Nobody: every UPDATE is answered REFUSED.
    Nobody,
}

/// One zone of a server.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its name without a final dot; empty is the root.
    pub name: String,
    pub(crate) update: Update,
    pub(crate) transfer: bool,
    records: Vec<String>,
    /// The whole master file, where it was given.
    literal: Option<String>,
}

impl Zone {
    /// A zone whose TXT records the server's key may change. TTL 60, negative TTL 5.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.trim_end_matches('.').to_owned(),
            update: Update::Txt,
            transfer: true,
            records: vec![],
            literal: None,
        }
    }

    /// A zone that nobody may change, with exactly this master file: its own SOA and NS records and delegations included.
    pub fn literal(name: &str, master: &str) -> Self {
        Self { literal: Some(master.to_owned()), ..Self::new(name).read_only() }
    }

    /// Adds a line of a master file, e.g. `www A 192.0.2.1`; names without a final dot are inside the zone.
    pub fn record(mut self, line: &str) -> Self {
        self.records.push(line.to_owned());
        self
    }

    /// Nobody may change the zone.
    pub fn read_only(mut self) -> Self {
        self.update = Update::Nobody;
        self
    }

    /// Nobody but the secondaries may transfer the zone.
    pub fn no_transfer(mut self) -> Self {
        self.transfer = false;
        self
    }

    /// The zone's name with a final dot.
    pub(crate) fn absolute(&self) -> String {
        format!("{}.", self.name)
    }

    /// A file name for it.
    pub(crate) fn file(&self) -> String {
        format!("{}.zone", if self.name.is_empty() { "root" } else { &self.name })
    }

    /// The master file: its servers are `ns1`, `ns2`, … of the zone itself, with their addresses.
    fn master(&self, servers: &[IpAddr]) -> String {
        if let Some(master) = &self.literal {
            return master.clone();
        }
        let mut text = format!(
            "$ORIGIN {}\n$TTL 60\n@ SOA ns1 hostmaster 1 3600 60 864000 5\n",
            self.absolute()
        );
        for (index, address) in servers.iter().enumerate() {
            let (name, kind) =
                (format!("ns{}", index + 1), if address.is_ipv4() { "A" } else { "AAAA" });
            writeln!(text, "@ NS {name}\n{name} {kind} {address}").unwrap();
        }
        text + &self.records.join("\n") + "\n"
    }

    /// The lines by which a parent delegates to this zone.
    fn delegation(&self, servers: &[IpAddr]) -> String {
        let name = self.absolute();
        let line = |(index, address): (usize, &IpAddr)| {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            format!("{name} NS ns{}.{name}\nns{0}.{name} {kind} {address}\n", index + 1)
        };
        servers.iter().enumerate().map(line).collect()
    }

    fn contains(&self, other: &Self) -> bool {
        self.name.is_empty() || other.name.ends_with(&format!(".{}", self.name))
    }
}

/// A zone and its master file.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) zone: Zone,
    pub(crate) master: String,
    /// The zone was asked for; the others are its parents up to the root, on the primary alone.
    pub(crate) asked: bool,
}

/// The asked zones with their top-level domains and a root, each delegated from its parent: with these one server
/// answers every question of a resolver, and names that do not exist get NXDOMAIN.
pub(crate) fn with_parents(asked: &[Zone], servers: &[IpAddr]) -> Vec<Hosted> {
    let mut zones: Vec<(Zone, bool)> = asked.iter().map(|zone| (zone.clone(), true)).collect();
    let top = |zone: &Zone| zone.name.rsplit('.').next().unwrap().to_owned();
    for parent in asked.iter().map(top).chain([String::new()]) {
        if !zones.iter().any(|(zone, _)| zone.name == parent) {
            zones.push((Zone::new(&parent).read_only(), false));
        }
    }
    let mut hosted: Vec<_> = zones
        .iter()
        .map(|(zone, asked)| Hosted {
            zone: zone.clone(),
            master: zone.master(if *asked { servers } else { &servers[..1] }),
            asked: *asked,
        })
        .collect();
    for (child, asked) in &zones {
        let parents = hosted
            .iter_mut()
            .filter(|parent| parent.zone.name != child.name && parent.zone.contains(child));
        let parent = parents.max_by_key(|parent| parent.zone.name.len());
        if let Some(parent) = parent.filter(|parent| parent.zone.literal.is_none()) {
            parent.master += &child.delegation(if *asked { servers } else { &servers[..1] });
        }
    }
    hosted
}
