//! One recursive resolver, through the resolver library: UDP with retransmission, TCP when truncated, no cache.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dns01_core::OwnerName;
use futures_util::StreamExt as _;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::DnsHandle as _;
use hickory_net::{DnsError, NetError};
use hickory_proto::op::{DnsRequestOptions, Query};
use hickory_proto::rr::RecordType;
use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};

use crate::reply::{Reply, Useless};
use crate::wire::to_wire;

/// For one question, retransmissions and TCP included.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A resolver that is asked with the wish for recursion, whether it grants it or not.
pub(crate) struct Upstream {
    /// Where it is.
    pub(crate) address: SocketAddr,
    pool: NameServerPool<TokioRuntimeProvider>,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr) -> Result<Self, NetError> {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        for connection in &mut server.connections {
            connection.port = address.port();
        }
        let mut options = ResolverOpts::default();
        options.timeout = TIMEOUT;
        options.try_tcp_on_error = true;
        let context = Arc::new(PoolContext::new(options, TlsConfig::new()?));
        let pool = NameServerPool::from_config([server], context, TokioRuntimeProvider::default());
        Ok(Self { address, pool })
    }

    pub(crate) async fn ask(&self, name: &OwnerName, kind: RecordType) -> Result<Reply, Useless> {
        let query = Query::query(to_wire(name).map_err(NetError::from)?, kind);
        let mut options = DnsRequestOptions::default();
        options.recursion_desired = true;
        match self.pool.lookup(query, options).next().await {
            Some(Ok(response)) => response.into_message().try_into(),
            Some(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => {
                let authorities =
                    none.authorities.map(|records| records.to_vec()).unwrap_or_default();
                let glue = none
                    .ns
                    .iter()
                    .flat_map(|ns| ns.iter())
                    .flat_map(|ns| ns.glue.to_vec())
                    .collect();
                Reply::new(none.response_code, false, [Vec::new(), authorities, glue])
            }
            Some(Err(NetError::Dns(DnsError::ResponseCode(code)))) => {
                Reply::new(code, false, Default::default())
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(NetError::NoConnections.into()),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upstream").field(&self.address).finish()
    }
}
