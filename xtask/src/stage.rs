//! The servers of the demo: a CA and two name servers for `example.test`.

use crate::shell;
use crate::within::namespace;
use anyhow::{Context as _, Result, ensure};
use harness::{Lab, NameServer as _, Named, Network, Pebble};
use std::ffi::OsString;
use std::path::PathBuf;

/// The zone, and the name that the demo's certificate is for.
pub(crate) const NAME: &str = "example.test";

/// A running CA with its name servers, and a folder for whoever uses them.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) pebble: Pebble,
    pub(crate) named: Named,
    pub(crate) lab: Lab,
}

impl Stage {
    /// Starts all of it; only inside the private namespace.
    pub(crate) fn start() -> Self {
        let lab = Lab::new();
        let named = Named::builder(&lab).secondaries(1).start();
        let pebble = Pebble::builder(&lab, named.address()).start();
        Self { pebble, named, lab }
    }

    /// What a user of these servers sets.
    pub(crate) fn environment(&self) -> Vec<(String, OsString)> {
        let own = [
            ("NAME", NAME.into()),
            ("ACME_DIRECTORY", self.pebble.directory().into()),
            ("CA_FILE", self.pebble.ca_file().into()),
            ("SSL_CERT_FILE", self.pebble.ca_file().into()),
            ("RESOLVER", self.named.resolver().into()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        own.chain(self.named.rfc2136().into_iter().map(|(name, value)| (name, value.into())))
            .collect()
    }
}

/// Builds the binaries as a user would.
pub(crate) fn build() -> Result<()> {
    let steps = [
        "order",
        "present",
        "wait-propagation",
        "certbot-issue",
        "store-secret",
        "cleanup",
        "renew-check",
        "dns01",
    ];
    let mut cargo = shell::cargo();
    cargo.arg("build");
    for step in steps {
        cargo.args(["-p", step]);
    }
    shell::run(&mut cargo)?;
    ensure!(binaries()?.join("dns01").is_file(), "no dns01 beside {}", own_path()?.display());
    Ok(())
}

/// The folder of the built binaries: cargo puts this program there too.
pub(crate) fn binaries() -> Result<PathBuf> {
    Ok(own_path()?.parent().context("this program has no folder")?.to_owned())
}

/// Runs this program again inside the private namespace, with these arguments.
pub(crate) fn inside(arguments: &[&str]) -> Result<()> {
    let own = own_path()?;
    namespace(Network::Own, |inner| shell::quiet(inner.arg(own).args(arguments)))
}

fn own_path() -> Result<PathBuf> {
    std::env::current_exe().context("this program does not know where it is")
}
