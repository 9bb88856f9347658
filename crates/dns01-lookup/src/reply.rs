//! An answer to a question that anyone may answer, whoever gave it.

use std::net::IpAddr;

use dns01_core::OwnerName;
use hickory_net::NetError;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};

use crate::exchange::Trouble;
use crate::sight::code_name;
use crate::wire::from_wire;

/// An answer, positive or negative. SERVFAIL and silence are [`Useless`] instead.
#[derive(Debug)]
pub(crate) struct Reply {
    /// `NoError`, `NXDomain`, `Refused` or `NotAuth`.
    pub(crate) code: ResponseCode,
    /// The answer section.
    pub(crate) answers: Vec<Record>,
    /// The authority section.
    pub(crate) authorities: Vec<Record>,
    /// Addresses of servers that the authority section names.
    glue: Vec<Record>,
    /// Whether the server said that it knows.
    authoritative: bool,
}

impl TryFrom<Message> for Reply {
    type Error = Useless;

    fn try_from(message: Message) -> Result<Self, Useless> {
        let Message { metadata, answers, authorities, additionals, .. } = message;
        Self::new(
            metadata.response_code,
            metadata.authoritative,
            [answers, authorities, additionals],
        )
    }
}

/// Why what one server did is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Useless {
    /// It said that it can't.
    #[error("the answer was {0}")]
    Code(String),
    /// It points to servers that cannot be found, or that point elsewhere in turn.
    #[error("the delegation leads nowhere")]
    Referral,
    /// Nobody was asked.
    #[error("no DNS server is known")]
    Nobody,
    /// The resolver library's error.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Our own exchange's error.
    #[error(transparent)]
    Exchange(#[from] Trouble),
}

impl Reply {
    /// A code that says nothing about the name, such as SERVFAIL, is useless.
    pub(crate) fn new(
        code: ResponseCode,
        authoritative: bool,
        [answers, authorities, glue]: [Vec<Record>; 3],
    ) -> Result<Self, Useless> {
        use ResponseCode::{NXDomain, NoError, NotAuth, Refused};
        match code {
            NoError | NXDomain | Refused | NotAuth => {
                Ok(Self { code, answers, authorities, glue, authoritative })
            }
            other => Err(Useless::Code(code_name(other))),
        }
    }

    /// The server doesn't want to speak about this name.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.code, ResponseCode::Refused | ResponseCode::NotAuth)
    }

    /// The zone whose servers the server points to instead of answering, and their names (RFC 2308 §2.2).
    pub(crate) fn referral(&self) -> Option<(OwnerName, Vec<OwnerName>)> {
        let has_soa = self.authorities.iter().any(|record| record.record_type() == RecordType::SOA);
        if self.authoritative
            || self.code != ResponseCode::NoError
            || !self.answers.is_empty()
            || has_soa
        {
            return None;
        }
        let records =
            || self.authorities.iter().filter(|record| record.record_type() == RecordType::NS);
        let zone = from_wire(&records().next()?.name)?;
        let servers = records().filter_map(|record| match &record.data {
            RData::NS(server) => from_wire(&server.0),
            _ => None,
        });
        Some((zone, servers.collect()))
    }

    /// The names of the servers in the answer to a question for NS records.
    pub(crate) fn name_servers(&self) -> Vec<OwnerName> {
        let names = self.answers.iter().filter_map(|record| match &record.data {
            RData::NS(server) => from_wire(&server.0),
            _ => None,
        });
        names.collect()
    }

    /// The addresses in the answer, at the end of CNAMEs too.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.answers.iter().filter_map(address)
    }

    /// The addresses that came along with a referral.
    pub(crate) fn glue(&self) -> impl Iterator<Item = IpAddr> {
        self.glue.iter().filter_map(address)
    }
}

fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(ip) => Some(ip.0.into()),
        RData::AAAA(ip) => Some(ip.0.into()),
        _ => None,
    }
}
