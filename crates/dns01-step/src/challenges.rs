//! Challenges from anywhere: an order, a webhook event, lego, cert-manager, a person.

use clap::Args;
use dns01_core::{Challenge, DomainName, Exit, OwnerName};

use crate::{Attempt, Failure};

/// The challenges of a step, in one of three forms.
#[derive(Args, Clone, Debug, Default)]
pub struct ChallengeArgs {
    /// Challenges as `order` writes them: a JSON list of {"domain", "fqdn", "value"}
    #[arg(long, value_name = "JSON", allow_hyphen_values = true, help_heading = "Challenges", conflicts_with_all = ["fqdn", "value", "domain", "key_auth"])]
    pub challenges: Option<String>,
    /// Owner name of one challenge, such as _acme-challenge.example.org
    #[arg(long, value_name = "NAME", requires = "value", help_heading = "Challenges", conflicts_with_all = ["domain", "key_auth"])]
    pub fqdn: Option<OwnerName>,
    /// Its TXT value
    #[arg(
        long,
        value_name = "TEXT",
        requires = "fqdn",
        allow_hyphen_values = true,
        help_heading = "Challenges"
    )]
    pub value: Option<String>,
    /// Name to be certified, without `*.`; with --key-auth
    #[arg(long, value_name = "NAME", requires = "key_auth", help_heading = "Challenges")]
    pub domain: Option<String>,
    /// Key authorization of its challenge: `token.thumbprint`
    #[arg(
        long,
        value_name = "TEXT",
        requires = "domain",
        allow_hyphen_values = true,
        help_heading = "Challenges"
    )]
    pub key_auth: Option<String>,
}

impl ChallengeArgs {
    /// Whether any of the three forms was given.
    pub fn are_given(&self) -> bool {
        self.challenges.is_some() || self.fqdn.is_some() || self.domain.is_some()
    }

    /// The challenges, each checked; an empty list is fine, an empty text is not (exit 11).
    pub fn read(&self) -> Result<Vec<Challenge>, Failure> {
        if let Some(json) = &self.challenges {
            return from_json(json);
        }
        if let (Some(fqdn), Some(value)) = (&self.fqdn, &self.value) {
            let challenge = Challenge::from_value(fqdn.clone(), value);
            return Ok(vec![challenge.attempt(|| "use the challenge given".into())?]);
        }
        if let (Some(domain), Some(key_auth)) = (&self.domain, &self.key_auth) {
            let plain = domain.strip_prefix("*.").unwrap_or(domain);
            let domain: DomainName = plain.parse().attempt(|| "use the challenge given".into())?;
            let challenge = Challenge::from_key_authorization(domain, key_auth);
            return Ok(vec![challenge.attempt(|| "use the challenge given".into())?]);
        }
        Err(Failure::new(Exit::Config, "no challenge is given")
            .hint("give --challenges JSON, or --fqdn and --value, or --domain and --key-auth"))
    }
}

fn from_json(json: &str) -> Result<Vec<Challenge>, Failure> {
    if json.trim().is_empty() {
        return Err(Failure::new(
            Exit::Config,
            "the list of challenges is empty text: the step that makes it did not succeed",
        )
        .hint("look at the `order` step of this run; `[]` is the list without a challenge"));
    }
    let challenges: Vec<Challenge> =
        serde_json::from_str(json).attempt(|| "read the challenges given".into())?;
    for challenge in &challenges {
        challenge.check().attempt(|| "use the challenges given".into())?;
    }
    Ok(challenges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_text_is_11_and_an_empty_list_is_fine() {
        let args = |json: &str| ChallengeArgs {
            challenges: Some(json.into()),
            ..ChallengeArgs::default()
        };
        assert_eq!(args("").read().unwrap_err().exit(), Exit::Config);
        assert_eq!(args("[]").read().unwrap(), []);
        assert_eq!(args("[{}]").read().unwrap_err().exit(), Exit::Input);
    }

    #[test]
    fn a_key_authorization_becomes_its_digest() {
        let args = ChallengeArgs {
            domain: Some("*.example.org".into()),
            key_auth: Some("token.thumbprint".into()),
            ..ChallengeArgs::default()
        };
        let challenge = &args.read().unwrap()[0];
        assert_eq!(challenge.fqdn.as_str(), "_acme-challenge.example.org");
        assert_eq!(challenge.value.len(), 43);
    }
}
