//! The rows of the catalog that dns-update serves: another provider is another row.

use std::time::Duration;

use dns_update::DnsUpdater;
use dns_update::providers::route53::Route53Config;
use dns01_core::provider;

use crate::{Need, ProviderSpec, Setting};

/// How long one HTTP request of the library may take.
const REQUEST_TIMEOUT: Option<Duration> = Some(Duration::from_secs(30));

/// A credential that the provider cannot work without.
const fn credential(
    env: &'static str,
    aliases: &'static [&'static str],
    label: &'static str,
    about: &'static str,
) -> Setting {
    Setting { env, aliases, label, about, secret: true, need: Need::Required }
}

/// The time to live that lego's variable for it asks for.
const fn ttl(env: &'static str) -> Setting {
    Setting {
        env,
        aliases: &[],
        label: "TTL",
        about: "time to live of the records, in seconds, unless `--ttl` is given",
        secret: false,
        need: Need::Optional,
    }
}

/// What is not secret and may be left out.
const fn option(env: &'static str, label: &'static str, about: &'static str) -> Setting {
    Setting { env, aliases: &[], label, about, secret: false, need: Need::Optional }
}

/// <https://developers.cloudflare.com/api/resources/dns/>
pub(crate) const CLOUDFLARE: ProviderSpec = ProviderSpec {
    id: provider::CLOUDFLARE.id,
    title: "Cloudflare",
    aliases: provider::CLOUDFLARE.aliases,
    settings: &[
        credential(
            "CF_DNS_API_TOKEN",
            &["CLOUDFLARE_DNS_API_TOKEN", "CLOUDFLARE_API_TOKEN", "CF_API_TOKEN", "CF_Token"],
            "token",
            "an API token",
        ),
        ttl("CLOUDFLARE_TTL"),
    ],
    ignored: &[
        "CF_API_EMAIL",
        "CF_API_KEY",
        "CF_ZONE_API_TOKEN",
        "CLOUDFLARE_EMAIL",
        "CLOUDFLARE_API_KEY",
        "CLOUDFLARE_ZONE_API_TOKEN",
        "CLOUDFLARE_BASE_URL",
        "CLOUDFLARE_HTTP_TIMEOUT",
        "CLOUDFLARE_POLLING_INTERVAL",
        "CLOUDFLARE_PROPAGATION_TIMEOUT",
    ],
    permission: "Zone:Read and DNS:Edit",
    notes: "One token with Zone:Read and DNS:Edit for the zone. Global API keys (CF_API_KEY) are not supported.",
    min_ttl: 60,
    build: |spec, settings| {
        let token = settings.token("CF_DNS_API_TOKEN")?;
        super::build(spec, settings, || DnsUpdater::new_cloudflare(token, REQUEST_TIMEOUT))
    },
};

/// <https://desec.readthedocs.io/en/latest/dns/rrsets.html>
pub(crate) const DESEC: ProviderSpec = ProviderSpec {
    id: provider::DESEC.id,
    title: "deSEC",
    aliases: provider::DESEC.aliases,
    settings: &[
        credential("DESEC_TOKEN", &["DEDYN_TOKEN"], "token", "an API token"),
        ttl("DESEC_TTL"),
    ],
    ignored: &["DESEC_HTTP_TIMEOUT", "DESEC_POLLING_INTERVAL", "DESEC_PROPAGATION_TIMEOUT"],
    permission: "write access to TXT RRsets",
    notes: "deSEC takes no TTL under an hour, and slows down writers: a large certificate takes minutes.",
    min_ttl: 3600,
    build: |spec, settings| {
        let token = settings.token("DESEC_TOKEN")?;
        super::build(spec, settings, || DnsUpdater::new_desec(token, REQUEST_TIMEOUT))
    },
};

/// <https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records>
pub(crate) const DIGITALOCEAN: ProviderSpec = ProviderSpec {
    id: provider::DIGITALOCEAN.id,
    title: "DigitalOcean",
    aliases: provider::DIGITALOCEAN.aliases,
    settings: &[
        credential(
            "DO_AUTH_TOKEN",
            &["DO_API_KEY", "DIGITALOCEAN_TOKEN"],
            "token",
            "a personal access token",
        ),
        ttl("DO_TTL"),
    ],
    ignored: &["DO_API_URL", "DO_HTTP_TIMEOUT", "DO_POLLING_INTERVAL", "DO_PROPAGATION_TIMEOUT"],
    permission: "the domain scopes create, read and delete",
    notes: "A token with the scopes domain:create, domain:read and domain:delete.",
    min_ttl: 30,
    build: |spec, settings| {
        let token = settings.token("DO_AUTH_TOKEN")?;
        super::build(spec, settings, || DnsUpdater::new_digitalocean(token, REQUEST_TIMEOUT))
    },
};

/// <https://docs.hetzner.cloud/reference/cloud#zone-rrset-actions>
pub(crate) const HETZNER: ProviderSpec = ProviderSpec {
    id: provider::HETZNER.id,
    title: "Hetzner",
    aliases: provider::HETZNER.aliases,
    settings: &[
        credential(
            "HETZNER_API_TOKEN",
            &["HETZNER_TOKEN", "HCLOUD_TOKEN"],
            "token",
            "an API token of the project that has the zone",
        ),
        ttl("HETZNER_TTL"),
    ],
    ignored: &[
        "HETZNER_API_KEY",
        "HETZNER_HTTP_TIMEOUT",
        "HETZNER_POLLING_INTERVAL",
        "HETZNER_PROPAGATION_TIMEOUT",
        "HETZNER_SEQUENCE_INTERVAL",
    ],
    permission: "read and write access",
    notes: "DNS of the Hetzner Console. Keys of the former DNS Console (HETZNER_API_KEY) are not supported.",
    min_ttl: 60,
    build: |spec, settings| {
        let token = settings.token("HETZNER_API_TOKEN")?;
        super::build(spec, settings, || DnsUpdater::new_hetzner(token, REQUEST_TIMEOUT))
    },
};

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
pub(crate) const ROUTE53: ProviderSpec = ProviderSpec {
    id: provider::ROUTE53.id,
    title: "Amazon Route 53",
    aliases: provider::ROUTE53.aliases,
    settings: &[
        credential("AWS_ACCESS_KEY_ID", &[], "access key", "the id of an access key"),
        credential("AWS_SECRET_ACCESS_KEY", &[], "secret key", "its secret"),
        Setting {
            env: "AWS_SESSION_TOKEN",
            aliases: &[],
            label: "session token",
            about: "for temporary credentials",
            secret: true,
            need: Need::Optional,
        },
        option("AWS_REGION", "region", "the region to sign for; us-east-1 unless given"),
        option(
            "AWS_HOSTED_ZONE_ID",
            "hosted zone",
            "the hosted zone, instead of looking it up by name",
        ),
        option("AWS_PRIVATE_ZONE", "private zone", "`true`: look among private hosted zones only"),
        ttl("AWS_TTL"),
    ],
    ignored: &[
        "AWS_ASSUME_ROLE_ARN",
        "AWS_EXTERNAL_ID",
        "AWS_MAX_RETRIES",
        "AWS_POLLING_INTERVAL",
        "AWS_PROFILE",
        "AWS_PROPAGATION_TIMEOUT",
        "AWS_SDK_LOAD_CONFIG",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WAIT_FOR_RECORD_SETS_CHANGED",
    ],
    permission: "route53:ListHostedZonesByName, route53:ListResourceRecordSets and \
                 route53:ChangeResourceRecordSets",
    notes: "Keys are given as settings; profiles, instance roles and AssumeRole are not supported. Route 53 replaces a \
            whole RRset, so what is written is read back, and written again if another writer was in between. With many \
            names, set AWS_HOSTED_ZONE_ID: it saves half of the requests, of which AWS allows five a second.",
    min_ttl: 10,
    build: |spec, settings| {
        let config = Route53Config {
            access_key_id: settings.token("AWS_ACCESS_KEY_ID")?.to_owned(),
            secret_access_key: settings.token("AWS_SECRET_ACCESS_KEY")?.to_owned(),
            session_token: settings.get("AWS_SESSION_TOKEN").map(str::to_owned),
            region: settings.get("AWS_REGION").map(str::to_owned),
            hosted_zone_id: settings.get("AWS_HOSTED_ZONE_ID").map(str::to_owned),
            private_zone_only: settings.get("AWS_PRIVATE_ZONE").map(|text| text == "true"),
            endpoint: None,
        };
        super::build(spec, settings, || DnsUpdater::new_route53(config))
    },
};
