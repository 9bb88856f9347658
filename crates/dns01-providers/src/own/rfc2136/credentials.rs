//! Which key updates are signed with: from a key file, from three settings, or none.

use std::fs;
use std::path::Path;

use dns01_core::{SecretText, UnreadableSetting};

use super::key_file;
use super::tsig::{Key, KeyFault};
use crate::{ProviderError, Settings};

const FILE: &str = "RFC2136_TSIG_FILE";
const KEY: &str = "RFC2136_TSIG_KEY";
const SECRET: &str = "RFC2136_TSIG_SECRET";
const ALGORITHM: &str = "RFC2136_TSIG_ALGORITHM";

/// The key, from a key file or from the three settings; `None` if there is nothing of either.
pub(super) fn key(settings: &Settings) -> Result<Option<Key>, ProviderError> {
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
        let why = "is not set, which to lego means `hmac-sha1`: that is too weak";
        let hint = format!(
            "set {ALGORITHM}=hmac-sha256 if that is what the server's key is; else {}",
            advice(name)
        );
        return Err(settings.malformed_with_hint(ALGORITHM, why, hint));
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
    settings.malformed_with_hint(env, why, advice(name))
}

/// How to get a better key of the same name.
fn advice(name: &str) -> String {
    let name = name.escape_debug();
    format!(
        "make a key with `tsig-keygen -a hmac-sha256 {name}`, give it to the server, and name its file in {FILE}"
    )
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
