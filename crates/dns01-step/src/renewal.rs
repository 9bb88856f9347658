//! When to renew: the flag, over what the definition says.

use clap::Args;
use dns01_core::RenewalRule;

use crate::Definitions;

/// Flags about renewal.
#[derive(Args, Clone, Debug, Default)]
pub struct RenewalArgs {
    /// Renew when this fraction of the lifetime is left, unless the CA suggests a time (ARI) [default: 0.333]
    #[arg(long, value_name = "FRACTION", value_parser = fraction)]
    pub threshold: Option<f64>,
}

impl RenewalArgs {
    /// The rule for the certificate `name`.
    pub fn rule(&self, definitions: &Definitions, name: &str) -> RenewalRule {
        match self.threshold {
            Some(fraction_left) => RenewalRule::Suggested { fraction_left },
            None => definitions.renewal_rule(name),
        }
    }
}

fn fraction(text: &str) -> Result<f64, String> {
    let fraction: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if fraction > 0.0 && fraction < 1.0 {
        Ok(fraction)
    } else {
        Err("it must lie between 0 and 1".to_owned())
    }
}
