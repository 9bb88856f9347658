//! What the tests ask of any name server.

use crate::ask;
use crate::tsig::TsigKey;
use crate::zone::Zone;
use std::net::IpAddr;

/// A primary that takes UPDATEs, whatever program it is.
pub trait NameServer {
    /// The address at whose port 53 it serves.
    fn address(&self) -> IpAddr;

    /// The key that its zones take UPDATEs from.
    fn key(&self) -> &TsigKey;

    /// The zones that were asked for.
    fn zones(&self) -> &[Zone];

    /// How many UPDATE packets changed `zone`, or could have: those that passed its checks.
    fn updates(&self, zone: &str) -> usize;

    /// How many UPDATE packets of any kind arrived, refused ones included.
    fn update_requests(&self) -> usize;

    /// The settings of provider `rfc2136` for this server and its key.
    fn rfc2136(&self) -> Vec<(String, String)> {
        self.key().rfc2136(self.address())
    }

    /// For `--resolver`: the server answers for its zones, their parents and the root.
    fn resolver(&self) -> String {
        format!("{}:53", self.address())
    }

    /// The TXT values at `name`, sorted, asked over TCP.
    fn txt(&self, name: &str) -> Vec<String> {
        ask::txt(self.address(), name)
    }

    /// Adds a TXT value at `name` (somebody else's, beside ours). It counts as an UPDATE.
    fn add_txt(&self, name: &str, value: &str) {
        self.change(name, format!("add {name}. 60 TXT \"{value}\""));
    }

    /// Deletes one TXT value at `name`. It counts as an UPDATE.
    fn delete_txt(&self, name: &str, value: &str) {
        self.change(name, format!("delete {name}. TXT \"{value}\""));
    }

    /// Sends one change to the zone that holds `name`.
    fn change(&self, name: &str, change: String) {
        let inside = |zone: &&Zone| name == zone.name || name.ends_with(&format!(".{}", zone.name));
        let zone = self.zones().iter().filter(inside).max_by_key(|zone| zone.name.len());
        let zone = &zone.unwrap_or_else(|| panic!("no zone here holds {name}")).name;
        ask::nsupdate(self.address(), zone, self.key(), &[change]);
    }
}
