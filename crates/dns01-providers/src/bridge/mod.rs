//! dns-update's clients behind our trait.
//!
//! The library's clients add and remove by value, but some replace a whole RRset to do it, some start a job and return,
//! and none says whether a value is there now. So each write here is read back and repeated until it shows.

mod refusal;
pub(crate) mod rows;
mod sort;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use dns_update::{DnsRecord, DnsRecordType, DnsUpdater};
use dns01_core::{OwnerName, TxtRecord, Zone, fail_point};
use tokio::time::{sleep, timeout};

use self::sort::{Act, Fault};
use crate::{DnsProvider, ProviderError, ProviderSpec, Settings};

/// How long all of one call may take, with the waiting that providers ask for.
const DEADLINE: Duration = Duration::from_secs(150);

/// What to wait before each reading: the first two see whether there is anything to do and whether it worked, the
/// others are for providers that take a moment and for other writers.
const PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// One of the library's clients.
struct Bridge {
    spec: &'static ProviderSpec,
    client: DnsUpdater,
    ttl: Option<u32>,
    credentials: Vec<(String, String)>,
}

/// Puts a client behind our trait.
fn build(
    spec: &'static ProviderSpec,
    settings: &Settings,
    client: impl FnOnce() -> dns_update::Result<DnsUpdater>,
) -> Result<Box<dyn DnsProvider>, ProviderError> {
    let ttl = spec.settings.iter().find(|setting| setting.label == "TTL");
    let ttl = ttl.map(|setting| settings.seconds(setting.env)).transpose()?.flatten();
    let credentials = settings.credentials();
    // The library panics where it can trust nobody.
    reqwest::Client::builder().build().map_err(|_| ProviderError::NoTrust)?;
    let client = client().map_err(|error| ProviderError::Malformed {
        name: format!("the settings for {}", spec.id),
        why: format!("cannot be used: {}", refusal::quote(&error.to_string())),
        place: None,
        hint: format!("correct the settings for {}", spec.id),
    })?;
    Ok(Box::new(Bridge { spec, client, ttl, credentials }))
}

impl Bridge {
    /// Reads and writes at one name until `act` is done for all `records`.
    async fn settle(
        &self,
        act: Act,
        zone: &Zone,
        name: &OwnerName,
        records: &[&TxtRecord],
    ) -> Result<(), ProviderError> {
        let mut last = ProviderError::NotSeen { act: act.done(), name: name.to_string() };
        let mut is_written = false;
        for pause in PAUSES {
            sleep(pause).await;
            let mut open = records.to_vec();
            let written = match self.read(zone, name).await {
                Ok(held) => {
                    open.retain(|record| held.contains(&record.value) == (act == Act::Remove));
                    if open.is_empty() {
                        return Ok(());
                    }
                    self.write(act, zone, name, &open).await
                }
                Err(fault) => Err(fault),
            };
            match written {
                Ok(()) => is_written = true,
                Err(Fault::Raced) => {}
                Err(Fault::Throttled(error)) => last = error,
                // A first write that does not show yet is one reason to reject the second.
                Err(Fault::Final(ProviderError::Rejected { .. })) if is_written => {}
                Err(Fault::Final(error)) => return Err(error),
            }
        }
        Err(last)
    }

    async fn write(
        &self,
        act: Act,
        zone: &Zone,
        name: &OwnerName,
        records: &[&TxtRecord],
    ) -> Result<(), Fault> {
        let values = records.iter().map(|record| DnsRecord::TXT(record.value.clone())).collect();
        let (owner, origin) = (name.as_str(), zone.apex.as_str());
        let written = if act == Act::Add {
            let asked = records.iter().map(|record| record.ttl).min().unwrap_or_default();
            let ttl = asked.max(self.spec.min_ttl);
            self.client.add_to_rrset(owner, DnsRecordType::TXT, ttl, values, origin).await
        } else {
            self.client.remove_from_rrset(owner, DnsRecordType::TXT, values, origin).await
        };
        fail_point::pass("bridge::written");
        written.map_err(|error| self.sort(&error, act, zone))
    }

    async fn read(&self, zone: &Zone, name: &OwnerName) -> Result<Vec<String>, Fault> {
        let (owner, origin) = (name.as_str(), zone.apex.as_str());
        let held = self.client.list_rrset(owner, DnsRecordType::TXT, origin).await;
        let held = held.map_err(|error| self.sort(&error, Act::List, zone))?;
        let texts = held.into_iter().filter_map(|record| match record {
            DnsRecord::TXT(value) => Some(value),
            _ => None,
        });
        Ok(texts.collect())
    }

    async fn settle_all(
        &self,
        act: Act,
        zone: &Zone,
        records: &[TxtRecord],
    ) -> Result<(), ProviderError> {
        let mut names: Vec<_> = records.iter().map(|record| &record.name).collect();
        names.sort();
        names.dedup();
        for name in names {
            let here: Vec<_> = records.iter().filter(|record| record.name == *name).collect();
            self.settle(act, zone, name, &here).await?;
        }
        Ok(())
    }

    fn sort(&self, error: &dns_update::Error, act: Act, zone: &Zone) -> Fault {
        sort::sort(error, act, zone, self.spec, &self.credentials)
    }

    /// `work`, ended at the deadline.
    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        timeout(DEADLINE, work).await.unwrap_or_else(|_| {
            Err(ProviderError::Unavailable {
                what: format!("{} did not finish within {} s", self.spec.title, DEADLINE.as_secs()),
                hint: None,
            })
        })
    }
}

#[async_trait]
impl DnsProvider for Bridge {
    async fn add(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError> {
        self.bounded(self.settle_all(Act::Add, zone, records)).await
    }

    async fn remove(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError> {
        self.bounded(self.settle_all(Act::Remove, zone, records)).await
    }

    async fn list(&self, zone: &Zone, name: &OwnerName) -> Result<Vec<String>, ProviderError> {
        let read = async {
            self.read(zone, name).await.map_err(|fault| match fault {
                Fault::Throttled(error) | Fault::Final(error) => error,
                Fault::Raced => sort::unreadable(self.spec.title),
            })
        };
        self.bounded(read).await
    }

    fn ttl(&self) -> Option<u32> {
        self.ttl
    }
}

/// Shows which provider it is; a client's own `Debug` would show credentials.
impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bridge").field(&self.spec.id).finish_non_exhaustive()
    }
}
