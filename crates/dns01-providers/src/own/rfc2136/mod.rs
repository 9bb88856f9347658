//! Dynamic update (RFC 2136) of a name server, authenticated with TSIG (RFC 8945).
//!
//! One UPDATE per zone and direction, values added and deleted one by one (never an RRset), every signed answer
//! verified. It never looks for the zone, never asks another server than the one in its settings, and doesn't do
//! GSS-TSIG.

mod answer;
mod client;
mod credentials;
#[cfg(test)]
mod fake;
mod key_file;
mod packet;
mod row;
mod server;
#[cfg(test)]
mod tests;
mod tsig;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use dns01_core::{OwnerName, TxtRecord, Zone, fail_point};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::time::{sleep, timeout};

use self::answer::Verdict;
use self::client::{Client, Via};
use self::packet::Change;
pub(crate) use self::row::SPEC;
use crate::{DnsProvider, ProviderError};

/// How long all of one call may take: the tries of two exchanges, and the pauses between them.
const TRIES: u32 = 6;
const PAUSING: Duration = Duration::from_secs(12);

/// What to wait before each reading back: a primary shows an update at once, a secondary that forwards it (RFC 2136
/// §6) takes a moment.
const PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(750),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// A name server that takes updates.
#[derive(Debug)]
struct Rfc2136 {
    client: Client,
    ttl: Option<u32>,
    credentials: Vec<(String, String)>,
}

impl Rfc2136 {
    /// Makes one change of one zone, with one message.
    async fn change(
        &self,
        zone: &Zone,
        records: &[TxtRecord],
        change: Change,
    ) -> Result<(), ProviderError> {
        let update = packet::update(zone, records, change).ok_or_else(unencodable)?;
        let answers = self.client.ask(&[update], Via::Datagram).await?;
        fail_point::pass("rfc2136::answered");
        match answers.iter().map(|answer| self.judge(answer, zone)).next() {
            Some(Verdict::Failed(error)) => Err(error),
            Some(Verdict::NotAuth) => Err(match self.read_serial(zone).await {
                Ok(Some(_)) => self.refused(zone, "NOTAUTH"),
                _ => self.not_authoritative(zone, "NOTAUTH"),
            }),
            Some(Verdict::Done) | None => Ok(()),
        }
    }

    /// Reads until every record is there.
    async fn see(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError> {
        let mut names: Vec<_> = records.iter().map(|record| record.name.clone()).collect();
        names.sort();
        names.dedup();
        let mut open = records.iter().collect::<Vec<_>>();
        for pause in PAUSES {
            sleep(pause).await;
            let held = self.read(zone, &names).await?;
            open.retain(|record| {
                let at = names.binary_search(&record.name).ok().and_then(|index| held.get(index));
                !at.is_some_and(|values| values.contains(&record.value))
            });
            if open.is_empty() {
                return Ok(());
            }
        }
        let name = open.first().map(|record| record.name.to_string()).unwrap_or_default();
        Err(ProviderError::NotSeen { act: "added", name })
    }

    /// The TXT values at each of `names`, over one connection.
    async fn read(
        &self,
        zone: &Zone,
        names: &[OwnerName],
    ) -> Result<Vec<Vec<String>>, ProviderError> {
        let questions: Option<Vec<Message>> =
            names.iter().map(|name| packet::query(name, RecordType::TXT)).collect();
        let questions = questions.ok_or_else(unencodable)?;
        let answers = self.client.ask(&questions, Via::Stream).await?;
        answers.iter().map(|answer| Ok(packet::texts(self.authority(answer, zone)?))).collect()
    }

    async fn read_serial(&self, zone: &Zone) -> Result<Option<u32>, ProviderError> {
        let question = packet::query(&zone.apex, RecordType::SOA).ok_or_else(unencodable)?;
        let answers = self.client.ask(&[question], Via::Stream).await?;
        let answer = answers.first().map(|answer| self.authority(answer, zone)).transpose()?;
        Ok(answer.and_then(packet::serial))
    }

    /// `answer`, if the server has the zone's data at first hand.
    fn authority<'a>(
        &self,
        answer: &'a Message,
        zone: &Zone,
    ) -> Result<&'a Message, ProviderError> {
        match answer.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain if answer.metadata.authoritative => {
                Ok(answer)
            }
            ResponseCode::NoError | ResponseCode::NXDomain => {
                Err(self.not_authoritative(zone, "its answer has no AA flag"))
            }
            ResponseCode::Refused => Err(self.not_authoritative(zone, "REFUSED")),
            _ => match self.judge(answer, zone) {
                Verdict::Failed(error) => Err(error),
                Verdict::NotAuth | Verdict::Done => Err(self.not_authoritative(zone, "NOTAUTH")),
            },
        }
    }

    /// `work`, ended when a whole call has taken too long.
    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        let limit = self.client.patience * TRIES + PAUSING;
        timeout(limit, work).await.unwrap_or_else(|_| {
            Err(ProviderError::Unavailable {
                what: format!(
                    "name server `{}` did not finish within {} s",
                    self.client.server,
                    limit.as_secs()
                ),
                hint: None,
            })
        })
    }
}

#[async_trait]
impl DnsProvider for Rfc2136 {
    async fn add(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError> {
        if records.is_empty() {
            return Ok(());
        }
        self.bounded(async {
            self.change(zone, records, Change::Add).await?;
            self.see(zone, records).await
        })
        .await
    }

    async fn remove(&self, zone: &Zone, records: &[TxtRecord]) -> Result<(), ProviderError> {
        if records.is_empty() {
            return Ok(());
        }
        self.bounded(self.change(zone, records, Change::Delete)).await
    }

    async fn list(&self, zone: &Zone, name: &OwnerName) -> Result<Vec<String>, ProviderError> {
        let held = self.bounded(self.read(zone, std::slice::from_ref(name))).await?;
        Ok(held.into_iter().flatten().collect())
    }

    async fn serial(&self, zone: &Zone) -> Result<Option<u32>, ProviderError> {
        self.bounded(self.read_serial(zone)).await
    }

    fn ttl(&self) -> Option<u32> {
        self.ttl
    }
}

/// A name or value that has no form on the wire; names and values are checked long before.
fn unencodable() -> ProviderError {
    ProviderError::Rejected { what: "the records cannot be put into a DNS message".into() }
}
