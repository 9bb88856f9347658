//! Where certificates are delivered: a folder, a Kubernetes Secret, standard output.
//!
//! One rule for all: never replace a leaf by one with an earlier notBefore, write only what differs, read back what
//! was written, and touch nothing that belongs to somebody else unless told to take it over.

mod error;
mod folder;
mod secret;
mod stdout;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use dns01_core::{Bundle, Chain, SinkAddress, SinkOptions, SpkiHash};
use tokio::time::{Instant, sleep};

use crate::Name;
use crate::kube::Cluster;
pub use error::SinkError;
pub use stdout::allowed as stdout_is_allowed;

/// How long a sink may go on showing what it had before.
const READ_BACK: Duration = Duration::from_secs(30);

/// A place to which one certificate is delivered.
#[derive(Debug)]
pub struct Sink {
    address: SinkAddress,
    place: Box<dyn Place>,
    read_back: Duration,
}

/// What a sink holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// The chain, leaf first.
    pub chain: Chain,
    /// The key beside it, by name; `None` where there is none.
    pub key: Option<SpkiHash>,
}

/// What a delivery changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stored {
    /// The sink holds something new.
    Written,
    /// It held the same before, in the same form.
    Unchanged,
}

/// What differs from sink to sink.
#[async_trait]
trait Place: fmt::Debug + Send + Sync {
    /// What is there; `None` where nothing is, or nothing that is a certificate.
    async fn held(&self) -> Result<Option<Held>, SinkError>;

    /// Refuses what `write` would refuse whatever it is given, as far as reading shows it.
    async fn check(&self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Puts the bundle there, whole or not at all, unless what is there is newer or not ours.
    async fn write(&self, bundle: &Bundle) -> Result<Stored, SinkError>;

    /// Whether what was written can be read again.
    fn is_readable(&self) -> bool {
        true
    }
}

impl Sink {
    /// The sink at `address` for the certificate `certificate`. A folder is not touched before something is read from it
    /// or stored in it.
    pub async fn open(
        address: &SinkAddress,
        options: &SinkOptions,
        certificate: &Name,
    ) -> Result<Self, SinkError> {
        options.check()?;
        let place: Box<dyn Place> = match address {
            SinkAddress::Dir(path) => Box::new(folder::Folder::new(path, options, certificate)?),
            SinkAddress::Secret { namespace, name } => {
                let cluster = Cluster::infer().await?;
                let namespace = namespace.as_deref();
                return Self::secret_in(&cluster, namespace, name, options, certificate);
            }
            SinkAddress::Stdout => Box::new(stdout::Stdout),
        };
        Ok(Self { address: address.clone(), place, read_back: READ_BACK })
    }

    /// A Secret of a certain cluster; without `namespace`, of the one that the cluster's configuration names.
    pub fn secret_in(
        cluster: &Cluster,
        namespace: Option<&str>,
        name: &str,
        options: &SinkOptions,
        certificate: &Name,
    ) -> Result<Self, SinkError> {
        options.check()?;
        let address =
            SinkAddress::Secret { namespace: namespace.map(str::to_owned), name: name.to_owned() };
        let secret = secret::TlsSecret::new(cluster.clone(), namespace, name, options, certificate);
        Ok(Self { address, place: Box::new(secret), read_back: READ_BACK })
    }

    /// Where it is; its text is the sink's `id` in the journal.
    pub fn address(&self) -> &SinkAddress {
        &self.address
    }

    /// What is there; `None` where nothing is, or nothing that is a certificate.
    pub async fn read(&self) -> Result<Option<Held>, SinkError> {
        self.place.held().await
    }

    /// Refuses what belongs to somebody else, as [`Sink::store`] does, before there is anything to deliver. Writes nothing.
    /// A folder is not judged: only a write, under its lock, sees it as it is.
    pub async fn check(&self) -> Result<(), SinkError> {
        self.place.check().await
    }

    /// Delivers `bundle` and reads it back. Done as well where the same bundle is there already.
    pub async fn store(&self, bundle: &Bundle) -> Result<Stored, SinkError> {
        let stored = self.place.write(bundle).await?;
        if stored == Stored::Written && self.place.is_readable() {
            self.read_back(bundle).await?;
        }
        Ok(stored)
    }

    /// Older content may be a slow copy, so it is looked at again; anything else was put there by somebody else.
    async fn read_back(&self, bundle: &Bundle) -> Result<(), SinkError> {
        let began = Instant::now();
        let key = bundle.key.as_ref().map(dns01_core::PrivateKey::spki_hash);
        let mut pause = Duration::from_millis(100);
        loop {
            let held = self.place.held().await?;
            let sink = self.address.to_string();
            match held {
                Some(held) if held.chain == bundle.chain && held.key == key => return Ok(()),
                Some(held) if held.chain.leaf().not_before >= bundle.chain.leaf().not_before => {
                    return Err(SinkError::ReplacedMeanwhile { sink });
                }
                _ if began.elapsed() + pause > self.read_back => {
                    return Err(SinkError::NotReadBack { sink, seconds: self.read_back.as_secs() });
                }
                _ => sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
}

/// Refuses to replace a leaf by one with an earlier notBefore. Called where nobody can write in between.
fn refuse_older(
    sink: &dyn fmt::Display,
    held: Option<&Held>,
    bundle: &Bundle,
) -> Result<(), SinkError> {
    let ours = bundle.chain.leaf().not_before;
    match held.map(|held| held.chain.leaf().not_before) {
        Some(there) if there > ours => {
            Err(SinkError::Newer { sink: sink.to_string(), there, ours })
        }
        _ => Ok(()),
    }
}
