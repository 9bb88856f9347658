//! Dynamic update (RFC 2136) of a name server, authenticated with TSIG (RFC 8945).
//!
//! One UPDATE per zone and direction, values added and deleted one by one (never an RRset), every signed answer
//! verified. It never looks for the zone, never asks another server than the one in its settings, and doesn't do
//! GSS-TSIG.

use crate::{DnsProvider, Need, ProviderError, ProviderSpec, Setting, Settings};

/// The catalog's row.
pub(crate) const SPEC: ProviderSpec = ProviderSpec {
    id: "rfc2136",
    title: "RFC 2136 (BIND, Knot, PowerDNS, …)",
    aliases: &["dnsupdate", "dns-rfc2136", "dns_nsupdate", "nsupdate"],
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
    min_ttl: 0,
    build,
};

fn build(
    _spec: &'static ProviderSpec,
    settings: &Settings,
) -> Result<Box<dyn DnsProvider>, ProviderError> {
    Err(settings.malformed("RFC2136_NAMESERVER", "is not used yet"))
}
