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
}

impl TryFrom<Message> for Reply {
    type Error = Useless;

    fn try_from(message: Message) -> Result<Self, Useless> {
        let Message { metadata, answers, authorities, additionals, .. } = message;
        Self::new(metadata.response_code, [answers, authorities, additionals])
    }
}

/// Why what one server did is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Useless {
    /// It said that it can't.
    #[error("the answer was {0}")]
    Code(String),
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
        [answers, authorities, glue]: [Vec<Record>; 3],
    ) -> Result<Self, Useless> {
        use ResponseCode::{NXDomain, NoError, NotAuth, Refused};
        match code {
            NoError | NXDomain | Refused | NotAuth => Ok(Self { code, answers, authorities, glue }),
            other => Err(Useless::Code(code_name(other))),
        }
    }

    /// The server doesn't want to speak about this name.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.code, ResponseCode::Refused | ResponseCode::NotAuth)
    }

    /// The zone that the server points to instead of answering, if that leads on from `cut`; and its servers' names.
    pub(crate) fn referral(
        &self,
        name: &OwnerName,
        cut: Option<&OwnerName>,
    ) -> Option<(OwnerName, Vec<OwnerName>)> {
        let has_soa = self.authorities.iter().any(|record| record.record_type() == RecordType::SOA);
        if self.code != ResponseCode::NoError || !self.answers.is_empty() || has_soa {
            return None;
        }
        let records =
            || self.authorities.iter().filter(|record| record.record_type() == RecordType::NS);
        let zone = from_wire(&records().next()?.name)?;
        let leads_on = cut.is_none_or(|cut| zone != *cut && zone.is_within(cut));
        let servers = records().filter_map(|record| match &record.data {
            RData::NS(server) => from_wire(&server.0),
            _ => None,
        });
        (leads_on && name.is_within(&zone) && zone.parent().is_some())
            .then(|| (zone, servers.collect()))
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
