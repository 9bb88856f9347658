//! The catalog's row, and how it becomes a client.

use dns01_core::provider;

use super::Rfc2136;
use super::client::Client;
use super::credentials::key;
use super::server::Server;
use crate::{DnsProvider, Need, ProviderError, ProviderSpec, Setting, Settings};

const NAMESERVER: &str = "RFC2136_NAMESERVER";
const TTL: &str = "RFC2136_TTL";
const TIMEOUT: &str = "RFC2136_DNS_TIMEOUT";

/// The catalog's row.
pub(crate) const SPEC: ProviderSpec = ProviderSpec {
    id: provider::RFC2136.id,
    title: "RFC 2136 (BIND, Knot, PowerDNS, …)",
    aliases: provider::RFC2136.aliases,
    settings: &[
        Setting {
            env: "RFC2136_NAMESERVER",
            aliases: &["DNSUPDATE_NAMESERVER"],
            label: "name server",
            about: "where updates go: `host`, `host:port` or `[address]:port`; port 53 unless given",
            secret: false,
            need: Need::Required,
        },
        Setting {
            env: "RFC2136_TSIG_FILE",
            aliases: &["DNSUPDATE_TSIG_FILE"],
            label: "TSIG key file",
            about: "a key file as `tsig-keygen` writes it: its path, or its text; instead of the next three",
            secret: true,
            need: Need::Optional,
        },
        Setting {
            env: "RFC2136_TSIG_KEY",
            aliases: &["DNSUPDATE_TSIG_KEY"],
            label: "TSIG key name",
            about: "the key's name, as the server knows it; without a key, updates are not signed",
            secret: false,
            need: Need::Optional,
        },
        Setting {
            env: "RFC2136_TSIG_SECRET",
            aliases: &["DNSUPDATE_TSIG_SECRET"],
            label: "TSIG secret",
            about: "the key's secret, in base64",
            secret: true,
            need: Need::Optional,
        },
        Setting {
            env: "RFC2136_TSIG_ALGORITHM",
            aliases: &["DNSUPDATE_TSIG_ALGORITHM"],
            label: "TSIG algorithm",
            about: "hmac-sha256, hmac-sha384 or hmac-sha512; needed with a key (lego's default, hmac-sha1, is refused)",
            secret: false,
            need: Need::Optional,
        },
        Setting {
            env: "RFC2136_TTL",
            aliases: &["DNSUPDATE_TTL"],
            label: "TTL",
            about: "time to live of the records, in seconds, unless `--ttl` is given",
            secret: false,
            need: Need::Optional,
        },
        Setting {
            env: "RFC2136_DNS_TIMEOUT",
            aliases: &["DNSUPDATE_DNS_TIMEOUT"],
            label: "time-out",
            about: "seconds to wait for each answer",
            secret: false,
            need: Need::Default("10"),
        },
    ],
    ignored: &[
        "RFC2136_PROPAGATION_TIMEOUT",
        "RFC2136_POLLING_INTERVAL",
        "RFC2136_SEQUENCE_INTERVAL",
        "RFC2136_TIMEOUT",
        "DNSUPDATE_PROPAGATION_TIMEOUT",
        "DNSUPDATE_POLLING_INTERVAL",
        "DNSUPDATE_SEQUENCE_INTERVAL",
        "DNSUPDATE_TIMEOUT",
        "DNSUPDATE_ZONES",
    ],
    permission: "permission to update TXT records",
    notes: "BIND: `tsig-keygen -a hmac-sha256 NAME`, then `update-policy { grant NAME zonesub TXT; };` in the zone. \
            Knot: a `key`, and an `acl` with `action: update`. GSS-TSIG (Kerberos) is not supported.",
    min_ttl: 10,
    build,
};

fn build(
    _spec: &'static ProviderSpec,
    settings: &Settings,
) -> Result<Box<dyn DnsProvider>, ProviderError> {
    let server = Server::parse(settings.required(NAMESERVER)?)
        .map_err(|why| settings.malformed(NAMESERVER, why))?;
    let patience = settings
        .duration(TIMEOUT)?
        .filter(|patience| !patience.is_zero())
        .ok_or_else(|| settings.malformed(TIMEOUT, "is zero"))?;
    let client = Client::new(server, key(settings)?, patience);
    Ok(Box::new(Rfc2136 {
        client,
        ttl: settings.seconds(TTL)?,
        credentials: settings.credentials(),
    }))
}
