//! The table of providers: flags, documentation, completion, Secret examples and tests come from it.

use dns01_core::{Source, UnknownProvider, provider_name};

use crate::{DnsProvider, ProviderError, Setting, Settings, bridge, own};

/// One row of the catalog: all that documentation, `--help` and construction need.
#[derive(Debug)]
pub struct ProviderSpec {
    /// The value of `--provider`: lego 5's code. It and the aliases come from `dns01_core::provider`.
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
    let name = provider_name(id)?;
    let row = CATALOG.iter().copied().find(|spec| spec.id == name.id);
    row.ok_or_else(|| UnknownProvider { id: name.id.to_owned(), nearest: None }.into())
}

/// Finds `id` in the catalog and builds it from the settings that `from` holds.
pub fn build(id: &str, from: &dyn Source) -> Result<Box<dyn DnsProvider>, ProviderError> {
    let spec = find(id)?;
    (spec.build)(spec, &Settings::read(spec, from)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dns01_core::provider::PROVIDERS;

    use super::*;
    use crate::Need;

    #[test]
    fn every_provider_that_has_a_name_has_a_row_and_the_other_way_round() {
        let rows: Vec<_> = CATALOG.iter().map(|spec| (spec.id, spec.aliases)).collect();
        let named: Vec<_> = PROVIDERS.iter().map(|name| (name.id, name.aliases)).collect();
        assert_eq!(rows, named);
        assert_eq!(find("dns_cf").unwrap().title, "Cloudflare");
    }

    #[test]
    fn no_variable_is_there_twice() {
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
