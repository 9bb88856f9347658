//! The table of providers: flags, documentation, completion, Secret examples and tests come from it.

use dns01_core::Source;

use crate::{DnsProvider, ProviderError, Setting, Settings, bridge, own};

/// One row of the catalog: all that documentation, `--help` and construction need.
#[derive(Debug)]
pub struct ProviderSpec {
    /// The value of `--provider`: lego 5's code.
    pub id: &'static str,
    /// The name people know it by.
    pub title: &'static str,
    /// What cert-manager, certbot and acme.sh call it.
    pub aliases: &'static [&'static str],
    /// The settings it reads.
    pub settings: &'static [Setting],
    /// Variables that other clients know for it and that have no meaning here; they are named in a warning.
    pub ignored: &'static [&'static str],
    /// What the credentials must be allowed, as in "give it …".
    pub permission: &'static str,
    /// What else a user should know, for documentation.
    pub notes: &'static str,
    /// The least time to live that the provider takes or that is of use, in seconds: what records get by default.
    pub min_ttl: u32,
    /// Builds the provider from this row and the settings read for it.
    pub build: Build,
}

/// How a row becomes a provider.
pub type Build =
    fn(&'static ProviderSpec, &Settings) -> Result<Box<dyn DnsProvider>, ProviderError>;

/// Every provider, in the order documentation shows them.
pub const CATALOG: &[&ProviderSpec] = &[
    &own::rfc2136::SPEC,
    &bridge::rows::CLOUDFLARE,
    &bridge::rows::DESEC,
    &bridge::rows::DIGITALOCEAN,
    &bridge::rows::HETZNER,
    &bridge::rows::ROUTE53,
];

/// The row with this id or alias, whatever its case.
pub fn find(id: &str) -> Result<&'static ProviderSpec, ProviderError> {
    let wanted = id.trim().to_ascii_lowercase();
    let called_so = |spec: &&ProviderSpec| names(spec).any(|name| name == wanted);
    CATALOG
        .iter()
        .copied()
        .find(called_so)
        .ok_or_else(|| ProviderError::Unknown { id: wanted.clone(), nearest: nearest(&wanted) })
}

/// Finds `id` in the catalog and builds it from the settings that `from` holds.
pub fn build(id: &str, from: &dyn Source) -> Result<Box<dyn DnsProvider>, ProviderError> {
    let spec = find(id)?;
    (spec.build)(spec, &Settings::read(spec, from)?)
}

fn names(spec: &ProviderSpec) -> impl Iterator<Item = &'static str> {
    [spec.id].into_iter().chain(spec.aliases.iter().copied())
}

/// The id or alias that `wanted` was most likely meant to be.
fn nearest(wanted: &str) -> Option<&'static str> {
    let scored = CATALOG
        .iter()
        .flat_map(|spec| names(spec))
        .map(|name| (strsim::jaro_winkler(wanted, name), name));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dns01_core::{Exit, Explain as _};

    use super::*;
    use crate::Need;

    #[test]
    fn ids_and_aliases_of_other_clients_find_their_row() {
        for (name, id) in [
            ("cloudflare", "cloudflare"),
            ("dns_cf", "cloudflare"),
            ("DNS-Cloudflare", "cloudflare"),
            ("dnsupdate", "rfc2136"),
            ("dns-rfc2136", "rfc2136"),
            ("dns_nsupdate", "rfc2136"),
            ("dns_aws", "route53"),
            ("dns_dgon", "digitalocean"),
        ] {
            assert_eq!(find(name).unwrap().id, id);
        }
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let error = find("cloudfare").unwrap_err();
        assert_eq!(error.exit(), Exit::Config);
        assert_eq!(error.hint().unwrap(), "use `cloudflare`, or list all with `dns01 providers`");
        assert_eq!(find("zzz").unwrap_err().hint().unwrap(), "list all with `dns01 providers`");
    }

    #[test]
    fn no_name_and_no_variable_is_there_twice() {
        let all: Vec<_> = CATALOG.iter().flat_map(|spec| names(spec)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for spec in CATALOG {
            let settings = spec.settings.iter();
            let read =
                settings.flat_map(|own| [own.env].into_iter().chain(own.aliases.iter().copied()));
            let all: Vec<_> = read.chain(spec.ignored.iter().copied()).collect();
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{}", spec.id);
        }
    }

    #[test]
    fn what_must_not_be_shown_has_no_default() {
        for setting in CATALOG.iter().flat_map(|spec| spec.settings) {
            assert!(
                !setting.secret || !matches!(setting.need, Need::Default(_)),
                "{}",
                setting.env
            );
        }
    }
}
