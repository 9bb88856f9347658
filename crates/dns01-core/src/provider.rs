//! What DNS providers are called: the one list of their ids and aliases.
//!
//! A name can be judged wherever definitions are read, also where nothing is linked that could hold a credential.
//! What a provider does is the providers' room's, whose catalog takes its names from here.

use crate::{Exit, Explain};

/// The names of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProviderName {
    /// The value of `--provider`: lego 5's code.
    pub id: &'static str,
    /// What cert-manager, certbot and acme.sh call it.
    pub aliases: &'static [&'static str],
}

/// RFC 2136 (dynamic update).
pub const RFC2136: ProviderName = ProviderName {
    id: "rfc2136",
    aliases: &["dnsupdate", "dns-rfc2136", "dns_nsupdate", "nsupdate"],
};
/// Cloudflare.
pub const CLOUDFLARE: ProviderName =
    ProviderName { id: "cloudflare", aliases: &["cf", "dns-cloudflare", "dns_cf"] };
/// deSEC.
pub const DESEC: ProviderName =
    ProviderName { id: "desec", aliases: &["desec.io", "dns-desec", "dns_desec"] };
/// DigitalOcean.
pub const DIGITALOCEAN: ProviderName =
    ProviderName { id: "digitalocean", aliases: &["dns-digitalocean", "dns_dgon"] };
/// Hetzner.
pub const HETZNER: ProviderName = ProviderName {
    id: "hetzner",
    aliases: &["hetznerv1", "dns-hetzner-cloud", "dns_hetznercloud"],
};
/// Amazon Route 53.
pub const ROUTE53: ProviderName =
    ProviderName { id: "route53", aliases: &["aws", "dns-route53", "dns_aws"] };

/// All of them, in the order documentation shows them.
pub const PROVIDERS: &[ProviderName] =
    &[RFC2136, CLOUDFLARE, DESEC, DIGITALOCEAN, HETZNER, ROUTE53];

/// Nothing is called so: exit 11.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no provider is called `{id}`")]
pub struct UnknownProvider {
    /// The name given.
    pub id: String,
    /// The id or alias that was most likely meant.
    pub nearest: Option<&'static str>,
}

impl Explain for UnknownProvider {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<String> {
        Some(match self.nearest {
            Some(nearest) => format!("use `{nearest}`, or list all with `dns01 providers`"),
            None => "list all with `dns01 providers`".into(),
        })
    }
}

impl ProviderName {
    /// The id and all aliases.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        [self.id].into_iter().chain(self.aliases.iter().copied())
    }
}

/// The provider with this id or alias, whatever its case.
pub fn provider_name(name: &str) -> Result<ProviderName, UnknownProvider> {
    let wanted = name.trim().to_ascii_lowercase();
    let called_so = |one: &ProviderName| one.all().any(|name| name == wanted);
    PROVIDERS
        .iter()
        .copied()
        .find(called_so)
        .ok_or_else(|| UnknownProvider { nearest: nearest(&wanted), id: wanted })
}

/// The id or alias that `wanted` was most likely meant to be.
fn nearest(wanted: &str) -> Option<&'static str> {
    let names = PROVIDERS.iter().flat_map(ProviderName::all);
    let scored = names.map(|name| (strsim::jaro_winkler(wanted, name), name));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_aliases_of_other_clients_are_known_in_any_case() {
        for (name, id) in [
            ("cloudflare", "cloudflare"),
            ("dns_cf", "cloudflare"),
            (" DNS-Cloudflare", "cloudflare"),
            ("dnsupdate", "rfc2136"),
            ("dns-rfc2136", "rfc2136"),
            ("dns_nsupdate", "rfc2136"),
            ("dns_aws", "route53"),
            ("dns_dgon", "digitalocean"),
        ] {
            assert_eq!(provider_name(name).unwrap().id, id);
        }
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let error = provider_name("cloudfare").unwrap_err();
        assert_eq!(error.exit(), Exit::Config);
        assert_eq!(error.hint().unwrap(), "use `cloudflare`, or list all with `dns01 providers`");
        let error = provider_name("zzz").unwrap_err();
        assert_eq!(error.hint().unwrap(), "list all with `dns01 providers`");
    }

    #[test]
    fn no_name_is_there_twice() {
        let all: Vec<_> = PROVIDERS.iter().flat_map(ProviderName::all).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
