//! What every provider can do.

use std::fmt::Debug;

use async_trait::async_trait;
use dns01_core::{OwnerName, Published, TxtRecord, Zone};

use crate::ProviderError;

/// A place where TXT records can be written, by value: two values under one name never disturb each other.
#[async_trait]
pub trait DnsProvider: Debug + Send + Sync {
    /// Adds `records` beside what is already there, in as few requests as the provider allows; values that are there
    /// already stay. Returns when [`list`](Self::list) shows all of them.
    async fn add(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError>;

    /// Removes exactly these values; one that is not there is not an error.
    async fn remove(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError>;

    /// Every TXT value that the provider holds at `name`, foreign ones too.
    async fn list(&self, zone: &Zone, name: &OwnerName) -> Result<Vec<String>, ProviderError>;

    /// The zones that the credentials reach; `None` where the provider cannot say.
    async fn zones(&self) -> Result<Option<Vec<OwnerName>>, ProviderError> {
        Ok(None)
    }

    /// The SOA serial of `zone` at the provider; `None` where it has no such thing.
    async fn serial(&self, _zone: &Zone) -> Result<Option<u32>, ProviderError> {
        Ok(None)
    }

    /// The time to live in seconds that the provider's own settings ask for (`RFC2136_TTL`, `CLOUDFLARE_TTL`);
    /// `--ttl` goes before it.
    fn ttl(&self) -> Option<u32> {
        None
    }
}

/// What `provider` holds at `owner` right now: one element of the `published` output.
pub async fn published(
    provider: &dyn DnsProvider,
    zone: &Zone,
    owner: &OwnerName,
) -> Result<Published, ProviderError> {
    let values = provider.list(zone, owner).await?;
    let serial = provider.serial(zone).await?;
    Ok(Published { zone: zone.clone(), owner: owner.clone(), values, serial })
}
