//! The settings of a provider: what it reads, and what was found where.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use dns01_core::{Found, Origin, Source};

use crate::{ProviderError, ProviderSpec};

/// One named setting of a provider.
#[derive(Debug)]
pub struct Setting {
    /// Its name in the environment, in a credentials folder and in `settings:`; `<NAME>_FILE` names a file that holds
    /// the value instead.
    pub env: &'static str,
    /// Other names for it, asked for in this order after `env`.
    pub aliases: &'static [&'static str],
    /// What the value is, in a word or two: `token`.
    pub label: &'static str,
    /// One line for documentation.
    pub about: &'static str,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// What happens without it.
    pub need: Need,
}

/// What happens when a setting is not given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// The provider cannot be built.
    Required,
    /// It is left out.
    Optional,
    /// This value stands in for it.
    Default(&'static str),
}

/// The settings found for one provider.
pub struct Settings {
    spec: &'static ProviderSpec,
    given: BTreeMap<&'static str, Given>,
}

/// A setting as it was found: under one of its names, somewhere.
struct Given {
    name: &'static str,
    found: Found,
}

impl Given {
    /// Its name and where it was found: `CF_DNS_API_TOKEN from /etc/…`.
    fn place(&self) -> String {
        match &self.found.origin {
            Origin::Environment(_) => format!("{} from the environment", self.name),
            other => format!("{} from {other}", self.name),
        }
    }
}

impl Settings {
    /// Reads what `spec` lists, each under its name or an alias; all missing settings are reported at once.
    pub fn read(spec: &'static ProviderSpec, from: &dyn Source) -> Result<Self, ProviderError> {
        let mut given = BTreeMap::new();
        let mut missing = Vec::new();
        for setting in spec.settings {
            match look_up(setting, from)? {
                Some(found) => drop(given.insert(setting.env, found)),
                None if setting.need == Need::Required => missing.push(setting.env),
                None => {}
            }
        }
        warn_of_ignored(spec, from)?;
        if missing.is_empty() {
            Ok(Self { spec, given })
        } else {
            Err(ProviderError::Unset { provider: spec.id, missing })
        }
    }

    /// The value of the setting called `env` in the catalog: as given, else its default.
    pub fn get(&self, env: &str) -> Option<&str> {
        if let Some(given) = self.given.get(env) {
            return Some(given.found.value.expose());
        }
        match self.spec.settings.iter().find(|setting| setting.env == env)?.need {
            Need::Default(value) => Some(value),
            Need::Required | Need::Optional => None,
        }
    }

    /// The name that the user gave the setting by (an alias, perhaps); its first name when it was not given.
    pub fn name(&self, env: &'static str) -> &'static str {
        self.given.get(env).map_or(env, |given| given.name)
    }

    /// Where each given credential is, as facts for error messages: (`token`, `CF_DNS_API_TOKEN from …`).
    pub fn credentials(&self) -> Vec<(String, String)> {
        let secret = self.spec.settings.iter().filter(|setting| setting.secret);
        secret
            .filter_map(|setting| {
                Some((setting.label.to_owned(), self.given.get(setting.env)?.place()))
            })
            .collect()
    }

    /// A required setting; [`Settings::read`] has seen to it that it is there.
    pub(crate) fn required(&self, env: &'static str) -> Result<&str, ProviderError> {
        self.get(env).ok_or_else(|| self.unset(env))
    }

    /// The error for a setting that another one makes necessary.
    pub(crate) fn unset(&self, env: &'static str) -> ProviderError {
        ProviderError::Unset { provider: self.spec.id, missing: vec![env] }
    }

    /// A required setting that travels in an HTTP header.
    pub(crate) fn token(&self, env: &'static str) -> Result<&str, ProviderError> {
        let token = self.required(env)?;
        if token.bytes().all(|octet| octet.is_ascii_graphic()) {
            Ok(token)
        } else {
            Err(self.malformed(env, "has a space, a line break or a character outside ASCII in it"))
        }
    }

    /// A time to live or another whole number of seconds.
    pub(crate) fn seconds(&self, env: &'static str) -> Result<Option<u32>, ProviderError> {
        self.get(env)
            .map(|text| {
                text.parse().map_err(|_| self.malformed(env, "is not a whole number of seconds"))
            })
            .transpose()
    }

    /// The same as a duration.
    pub(crate) fn duration(&self, env: &'static str) -> Result<Option<Duration>, ProviderError> {
        Ok(self.seconds(env)?.map(|seconds| Duration::from_secs(seconds.into())))
    }

    /// The error that says what is wrong with a setting, without its value.
    pub(crate) fn malformed(&self, env: &'static str, why: &str) -> ProviderError {
        let name = self.name(env);
        self.malformed_with_hint(env, why, format!("correct {name}"))
    }

    /// The same, for when there is better advice than to correct it.
    pub(crate) fn malformed_with_hint(
        &self,
        env: &'static str,
        why: &str,
        hint: String,
    ) -> ProviderError {
        ProviderError::Malformed {
            name: self.name(env).to_owned(),
            why: why.to_owned(),
            place: self.given.get(env).map(Given::place),
            hint,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.values().map(|given| given.name)).finish()
    }
}

/// The first of the setting's names that has a value; a blank one counts as not given.
fn look_up(setting: &Setting, from: &dyn Source) -> Result<Option<Given>, ProviderError> {
    for name in [setting.env].into_iter().chain(setting.aliases.iter().copied()) {
        if let Some(found) = from.setting(name)?.filter(|found| !found.value.is_blank()) {
            return Ok(Some(Given { name, found }));
        }
    }
    Ok(None)
}

/// Names what is set for other ACME clients and has no meaning here, in one warning.
fn warn_of_ignored(spec: &ProviderSpec, from: &dyn Source) -> Result<(), ProviderError> {
    let mut set = Vec::new();
    for name in spec.ignored {
        if from.setting(name)?.is_some() {
            set.push(*name);
        }
    }
    if !set.is_empty() {
        tracing::warn!(
            provider = spec.id,
            "ignored, because they have no meaning here: {}",
            set.join(", ")
        );
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::PathBuf;

    use dns01_core::{Exit, Explain as _, SecretText, UnreadableSetting};

    use super::*;
    use crate::{build, find};

    /// Settings in a test, each in its own file or in the environment.
    pub(crate) struct Given(pub(crate) &'static [(&'static str, &'static str)]);

    impl Source for Given {
        fn setting(&self, name: &str) -> Result<Option<Found>, UnreadableSetting> {
            let value = self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
            let origin = match name {
                "CF_Token" => Origin::File(PathBuf::from("/etc/dns01/cf.env")),
                _ => Origin::Environment(name.to_owned()),
            };
            Ok(value.map(|value| Found { value: SecretText::from(value), origin }))
        }
    }

    #[test]
    fn all_missing_settings_are_reported_at_once() {
        let error = build("route53", &Given(&[("AWS_ACCESS_KEY_ID", "  ")])).unwrap_err();
        assert_eq!(error.exit(), Exit::Config);
        let text = error.to_string();
        assert!(text.ends_with("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"), "{text}");
        assert_eq!(
            error.hint().unwrap(),
            "set AWS_ACCESS_KEY_ID or AWS_ACCESS_KEY_ID_FILE, and AWS_SECRET_ACCESS_KEY or AWS_SECRET_ACCESS_KEY_FILE"
        );
    }

    #[test]
    fn an_alias_counts_and_its_name_and_place_are_remembered() {
        let given = Given(&[("CF_Token", "sesame"), ("CLOUDFLARE_TTL", "120")]);
        let settings = Settings::read(find("cloudflare").unwrap(), &given).unwrap();
        assert_eq!(settings.get("CF_DNS_API_TOKEN"), Some("sesame"));
        let fact = ("token".to_owned(), "CF_Token from /etc/dns01/cf.env".to_owned());
        assert_eq!(settings.credentials(), [fact]);
        assert!(!format!("{settings:?}").contains("sesame"));
        assert_eq!(build("cloudflare", &given).unwrap().ttl(), Some(120));
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_without_showing_it() {
        let error = build("desec", &Given(&[("DESEC_TOKEN", "open sesame")])).unwrap_err();
        assert_eq!(error.exit(), Exit::Config);
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("sesame"));
        assert_eq!(error.facts()[0].1, "DESEC_TOKEN from the environment");
    }

    #[test]
    fn a_ttl_that_is_no_number_is_refused() {
        let given = Given(&[("CF_Token", "sesame"), ("CLOUDFLARE_TTL", "2m")]);
        let error = build("cloudflare", &given).unwrap_err();
        assert_eq!(error.to_string(), "CLOUDFLARE_TTL is not a whole number of seconds");
    }
}
