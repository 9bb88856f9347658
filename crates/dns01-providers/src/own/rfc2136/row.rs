//! The catalog's row, and how settings become a client.

use std::fs;
use std::path::Path;

use dns01_core::{SecretText, UnreadableSetting};

use super::Rfc2136;
use super::client::Client;
use super::key_file;
use super::server::Server;
use super::tsig::{Key, KeyFault};
use crate::{DnsProvider, Need, ProviderError, ProviderSpec, Setting, Settings};

const NAMESERVER: &str = "RFC2136_NAMESERVER";
const FILE: &str = "RFC2136_TSIG_FILE";
const KEY: &str = "RFC2136_TSIG_KEY";
const SECRET: &str = "RFC2136_TSIG_SECRET";
const ALGORITHM: &str = "RFC2136_TSIG_ALGORITHM";
const TTL: &str = "RFC2136_TTL";
const TIMEOUT: &str = "RFC2136_DNS_TIMEOUT";

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
    let client = Client { server, key: key(settings)?, patience };
    Ok(Box::new(Rfc2136 {
        client,
        ttl: settings.seconds(TTL)?,
        credentials: settings.credentials(),
    }))
}

/// The key, from a key file or from the three settings; `None` if there is nothing of either.
fn key(settings: &Settings) -> Result<Option<Key>, ProviderError> {
    if let Some(file) = settings.get(FILE) {
        let text = key_file_text(settings, file)?;
        let file = key_file::parse(text.expose()).map_err(|why| settings.malformed(FILE, &why))?;
        let key = Key::new(&file.name, &file.algorithm, &file.secret);
        return key.map(Some).map_err(|fault| match fault {
            KeyFault::Algorithm(why) => {
                better_key(settings, FILE, &format!("has a key whose algorithm {why}"), &file.name)
            }
            KeyFault::Name(why) => settings.malformed(FILE, &format!("has a key whose name {why}")),
            KeyFault::Secret(why) => {
                settings.malformed(FILE, &format!("has a key whose secret {why}"))
            }
        });
    }
    let (name, secret) = match (settings.get(KEY), settings.get(SECRET)) {
        (None, None) => return Ok(None),
        (Some(name), Some(secret)) => (name, SecretText::from(secret)),
        (Some(_), None) => return Err(settings.unset(SECRET)),
        (None, Some(_)) => return Err(settings.unset(KEY)),
    };
    let Some(algorithm) = settings.get(ALGORITHM) else {
        return Err(better_key(
            settings,
            ALGORITHM,
            "is not set, which to lego means `hmac-sha1`: that is too weak",
            name,
        ));
    };
    Key::new(name, algorithm, &secret).map(Some).map_err(|fault| match fault {
        KeyFault::Name(why) => settings.malformed(KEY, &why),
        KeyFault::Algorithm(why) => better_key(settings, ALGORITHM, &why, name),
        KeyFault::Secret(why) => settings.malformed(SECRET, &why),
    })
}

/// The text of the key file: the setting itself where a Secret holds the whole file, else what is at that path.
fn key_file_text(settings: &Settings, file: &str) -> Result<SecretText, ProviderError> {
    if file.contains('{') {
        return Ok(file.into());
    }
    let path = Path::new(file);
    fs::read_to_string(path).map(SecretText::from).map_err(|error| {
        UnreadableSetting { name: settings.name(FILE).into(), path: path.into(), error }.into()
    })
}

/// The error for a key that no one should use any more.
fn better_key(settings: &Settings, env: &'static str, why: &str, name: &str) -> ProviderError {
    let hint = format!(
        "make a key with `tsig-keygen -a hmac-sha256 {}`, give it to the server, and set {ALGORITHM}=hmac-sha256",
        name.escape_debug()
    );
    settings.malformed_with_hint(env, why, hint)
}

#[cfg(test)]
mod tests {
    use dns01_core::{Exit, Explain as _};

    use crate::setting::tests::Given;
    use crate::{ProviderError, build};

    const SERVER: (&str, &str) = ("DNSUPDATE_NAMESERVER", "ns1.example");
    const SECRET: (&str, &str) = ("RFC2136_TSIG_SECRET", "c2VzYW1l");
    const KEY: (&str, &str) = ("RFC2136_TSIG_KEY", "k");

    fn refuse(given: &'static [(&'static str, &'static str)]) -> ProviderError {
        let error = build("rfc2136", &Given(given)).unwrap_err();
        assert_eq!(error.exit(), Exit::Config);
        assert!(!format!("{error:?}").contains("c2VzYW1l"));
        error
    }

    #[test]
    fn old_and_new_variables_of_lego_work_and_a_key_is_optional() {
        build("dnsupdate", &Given(&[SERVER])).unwrap();
        build(
            "rfc2136",
            &Given(&[SERVER, SECRET, KEY, ("DNSUPDATE_TSIG_ALGORITHM", "hmac-sha512.")]),
        )
        .unwrap();
    }

    #[test]
    fn a_key_file_may_be_given_as_text() {
        const FILE: &str = "key \"k\" { algorithm hmac-sha256; secret \"c2VzYW1l\"; };";
        build("rfc2136", &Given(&[SERVER, ("RFC2136_TSIG_FILE", FILE)])).unwrap();
    }

    #[test]
    fn weak_algorithms_and_legos_unset_default_are_refused_with_the_command_for_a_better_key() {
        for given in [
            &[SERVER, SECRET, KEY] as &[_],
            &[SERVER, SECRET, KEY, ("RFC2136_TSIG_ALGORITHM", "hmac-sha1.")],
            &[SERVER, SECRET, KEY, ("RFC2136_TSIG_ALGORITHM", "hmac-md5.sig-alg.reg.int.")],
            &[
                SERVER,
                ("RFC2136_TSIG_FILE", "key \"k\" { algorithm hmac-sha1; secret \"c2VzYW1l\"; };"),
            ],
        ] {
            let error = refuse(given);
            assert!(error.to_string().contains("too weak"), "{error}");
            let hint = error.hint().unwrap();
            assert!(hint.contains("`tsig-keygen -a hmac-sha256 k`"), "{hint}");
        }
    }

    #[test]
    fn half_a_key_is_refused() {
        for (given, missing) in [
            (&[SERVER, KEY] as &[_], "RFC2136_TSIG_SECRET"),
            (&[SERVER, SECRET], "RFC2136_TSIG_KEY"),
        ] {
            assert!(refuse(given).to_string().ends_with(missing));
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (given, why) in [
            (&[("RFC2136_NAMESERVER", "ns1:port")] as &[_], "RFC2136_NAMESERVER has a port"),
            (&[SERVER, ("RFC2136_DNS_TIMEOUT", "0")], "RFC2136_DNS_TIMEOUT is zero"),
            (&[SERVER, ("RFC2136_TSIG_FILE", "/nowhere/k.key")], "the file `/nowhere/k.key`"),
            (
                &[SERVER, ("DNSUPDATE_TSIG_FILE", "key k {")],
                "DNSUPDATE_TSIG_FILE is not a TSIG key file",
            ),
            (
                &[
                    SERVER,
                    KEY,
                    ("RFC2136_TSIG_SECRET", "*"),
                    ("RFC2136_TSIG_ALGORITHM", "hmac-sha256"),
                ],
                "RFC2136_TSIG_SECRET is not base64",
            ),
            (
                &[SERVER, KEY, SECRET, ("RFC2136_TSIG_ALGORITHM", "gss-tsig.")],
                "RFC2136_TSIG_ALGORITHM is `gss-tsig`, which is not supported",
            ),
        ] {
            let error = refuse(given).to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
