//! The settings of a provider as `--explain-config` shows them: each with its origin, never a secret.

use dns01_core::{Origin, Source};

use crate::{ProviderError, Setting, find};

/// Every setting of the provider `id` that was given: name, value as it may be shown, and where it was found.
pub fn explain(
    id: &str,
    from: &dyn Source,
) -> Result<Vec<(String, String, Origin)>, ProviderError> {
    let mut lines = Vec::new();
    for Setting { env, aliases, secret, .. } in find(id)?.settings {
        for name in std::iter::once(env).chain(*aliases) {
            let Some(found) = from.setting(name)? else { continue };
            let shown =
                if *secret { "(secret)".to_owned() } else { found.value.expose().to_owned() };
            lines.push(((*name).to_owned(), shown, found.origin));
        }
    }
    Ok(lines)
}
