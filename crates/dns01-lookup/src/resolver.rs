//! Questions whose answer may come from anyone: the resolver, or the servers that `--authority` names.
//!
//! A resolver that doesn't recurse (an authoritative server given as `--resolver`) may answer with a referral; it is
//! followed to the servers of the delegated zone. Nothing is cached.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dns01_core::{OwnerName, Zone};
use hickory_net::NetError;
use hickory_proto::dnssec::TrustAnchors;
use hickory_proto::rr::RecordType;
use hickory_resolver::system_conf::read_system_conf;

use crate::dnssec;
use crate::exchange;
use crate::reply::{Reply, Useless};
use crate::upstream::Upstream;
use crate::wire::to_wire;
use crate::{LookupArgs, LookupError};

/// How often each resolver is asked before giving up.
const ROUNDS: usize = 2;
/// Zones below zones below the one that a non-recursive resolver serves.
const MAX_REFERRALS: usize = 8;
/// So many servers of a delegated zone are looked up when a referral comes without addresses.
const MAX_GLUELESS: usize = 4;

/// Whom to ask about a name.
pub(crate) struct Resolver {
    upstreams: Vec<Upstream>,
    addresses: Vec<SocketAddr>,
    anchors: Arc<TrustAnchors>,
    last_good: AtomicUsize,
    authorities: Vec<(Zone, Vec<SocketAddr>)>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resolver").field(&self.addresses).field(&self.authorities).finish()
    }
}

impl Resolver {
    pub(crate) fn new(args: &LookupArgs) -> Result<Self, LookupError> {
        let given: Vec<_> = args.resolver.iter().flat_map(|arg| arg.0.iter().copied()).collect();
        let authorities: Vec<_> =
            args.authority.iter().flat_map(|arg| arg.0.iter().cloned()).collect();
        let addresses = if given.is_empty() {
            match read_system_conf() {
                Ok((config, _)) => {
                    let servers = config.name_servers().iter();
                    servers.map(|server| SocketAddr::new(server.ip, 53)).collect()
                }
                // Whoever names the servers of all zones needs no resolver.
                Err(_) if !authorities.is_empty() => Vec::new(),
                Err(error) => return Err(LookupError::NoResolver(error.into())),
            }
        } else {
            given
        };
        let upstreams: Result<_, _> = addresses.iter().copied().map(Upstream::new).collect();
        let upstreams = upstreams.map_err(|error| LookupError::NoResolver(error.into()))?;
        let anchors =
            dnssec::anchors(args.trust_anchor.as_deref()).map_err(LookupError::Anchors)?;
        Ok(Self { upstreams, addresses, anchors, last_good: AtomicUsize::new(0), authorities })
    }

    /// The addresses of the resolvers.
    pub(crate) fn upstreams(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The keys that validation may end at.
    pub(crate) fn anchors(&self) -> Arc<TrustAnchors> {
        Arc::clone(&self.anchors)
    }

    /// The servers that the user named for exactly this zone.
    pub(crate) fn named_authorities(&self, apex: &OwnerName) -> Option<&[SocketAddr]> {
        self.authorities
            .iter()
            .find(|(zone, _)| zone.apex == *apex)
            .map(|(_, servers)| &servers[..])
    }

    /// Asks for `name`, following referrals.
    pub(crate) async fn ask(
        &self,
        name: &OwnerName,
        kind: RecordType,
    ) -> Result<Reply, LookupError> {
        let mut reply = match self.ask_first(name, kind).await {
            Err(error) if is_failure_code(&error) => self.ask_around(name, kind, error).await?,
            reply => reply?,
        };
        let mut cut: Option<OwnerName> = None;
        for _ in 0..MAX_REFERRALS {
            let Some((zone, servers)) = reply.referral() else { return Ok(reply) };
            // Each one leads closer to the name, or it leads in circles.
            let below = |cut: &OwnerName| zone.is_within(cut) && zone != *cut;
            let closer =
                name.is_within(&zone) && cut.as_ref().map_or(zone.parent().is_some(), below);
            let addresses = match self.named_authorities(&zone) {
                Some(named) => named.to_vec(),
                None => self.addresses_in(&reply, &servers).await,
            };
            if !closer || addresses.is_empty() {
                break;
            }
            reply = ask_directly(&addresses, name, kind).await?;
            cut = Some(zone);
        }
        // To take this for "there is nothing" would find the wrong zone.
        match reply.referral() {
            Some((zone, _)) => {
                let servers = format!("the servers of zone `{zone}`");
                Err(no_answer(name, servers, Useless::Referral))
            }
            None => Ok(reply),
        }
    }

    /// The servers that know the closest zone: those of `--authority`, else the resolvers.
    async fn ask_first(&self, name: &OwnerName, kind: RecordType) -> Result<Reply, LookupError> {
        let closest = self
            .authorities
            .iter()
            .filter(|(zone, _)| name.is_within(&zone.apex))
            .max_by_key(|(zone, _)| zone.apex.labels().count());
        if let Some((_, servers)) = closest {
            return ask_directly(servers, name, kind).await;
        }
        let count = self.upstreams.len();
        let first = self.last_good.load(Ordering::Relaxed);
        let mut refused = None;
        let mut useless = Useless::Nobody;
        for index in (0..count * ROUNDS).map(|offset| (first + offset) % count) {
            match self.upstreams[index].ask(name, kind).await {
                Ok(reply) if reply.is_refusal() => refused = Some(reply),
                Ok(reply) => {
                    self.last_good.store(index, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(error) => useless = error,
            }
        }
        let asked: Vec<_> = self.upstreams.iter().map(|it| it.address).collect();
        refused.ok_or_else(|| no_answer(name, list("resolver", &asked), useless))
    }

    /// A resolver answers SERVFAIL when the zone's servers are silent or its signatures wrong. So the servers of the closest
    /// zone above that the resolver can find are asked, and point the way down.
    async fn ask_around(
        &self,
        name: &OwnerName,
        kind: RecordType,
        error: LookupError,
    ) -> Result<Reply, LookupError> {
        let mut above = name.clone();
        while let Some(parent) = above.parent() {
            let servers = match self.ask_first(&parent, RecordType::NS).await {
                Ok(reply) => reply.name_servers(),
                Err(again) if is_failure_code(&again) => Vec::new(),
                Err(_) => break,
            };
            let addresses = self.looked_up(&servers).await;
            if !addresses.is_empty() {
                return ask_directly(&addresses, name, kind).await;
            }
            above = parent;
        }
        Err(error)
    }

    /// Glue, else what the resolver says; never another referral, which could go in circles.
    async fn addresses_in(&self, reply: &Reply, servers: &[OwnerName]) -> Vec<SocketAddr> {
        let found: Vec<_> = reply.glue().map(|ip| SocketAddr::new(ip, 53)).collect();
        if found.is_empty() { self.looked_up(servers).await } else { found }
    }

    async fn looked_up(&self, servers: &[OwnerName]) -> Vec<SocketAddr> {
        let mut found = Vec::new();
        for server in servers.iter().take(MAX_GLUELESS) {
            for kind in [RecordType::A, RecordType::AAAA] {
                found.extend(self.ask_first(server, kind).await.iter().flat_map(Reply::addresses));
            }
        }
        found.into_iter().map(|ip| SocketAddr::new(ip, 53)).collect()
    }
}

/// Asks one server after the other, until one answers.
async fn ask_directly(
    servers: &[SocketAddr],
    name: &OwnerName,
    kind: RecordType,
) -> Result<Reply, LookupError> {
    let mut refused = None;
    let mut useless = Useless::Nobody;
    let mut silent = Vec::new();
    for server in servers {
        match ask_one(*server, name, kind).await {
            Ok(reply) if reply.is_refusal() => refused = Some(reply),
            Ok(reply) => return Ok(reply),
            Err(error) => {
                if matches!(error, Useless::Exchange(_)) {
                    silent.push(format!("{} ({error})", show(*server)));
                }
                useless = error;
            }
        }
    }
    if !servers.is_empty() && silent.len() == servers.len() {
        return Err(LookupError::Unserved { name: name.clone(), servers: silent.join(", ") });
    }
    refused.ok_or_else(|| no_answer(name, list("name server", servers), useless))
}

/// Whether it was said that it can't, as against nothing.
fn is_failure_code(error: &LookupError) -> bool {
    let LookupError::NoAnswer { source, .. } = error else { return false };
    matches!(source.downcast_ref(), Some(Useless::Code(_)))
}

async fn ask_one(server: SocketAddr, name: &OwnerName, kind: RecordType) -> Result<Reply, Useless> {
    let wire = to_wire(name).map_err(NetError::from)?;
    exchange::ask(server, &wire, kind).await?.try_into()
}

fn no_answer(name: &OwnerName, servers: String, useless: Useless) -> LookupError {
    LookupError::NoAnswer { name: name.clone(), servers, source: useless.into() }
}

fn list(what: &str, asked: &[SocketAddr]) -> String {
    let asked: Vec<_> = asked.iter().map(|address| show(*address)).collect();
    if asked.is_empty() { "nobody".to_owned() } else { format!("{what} {}", asked.join(", ")) }
}

/// An address for people: the port only when it isn't 53.
pub(crate) fn show(address: SocketAddr) -> String {
    if address.port() == 53 { address.ip().to_string() } else { address.to_string() }
}
