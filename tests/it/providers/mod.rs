//! Every provider keeps one contract, and says in words what went wrong: through `present` and `cleanup`, against real
//! name servers and against fakes of vendors' APIs under their real host names.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod dynamic_update;
mod vendors;

use harness::{Invocation, Lab, Sandbox};
use serde_json::json;

/// A user with credentials for one provider.
struct Stage {
    sandbox: Sandbox,
    provider: String,
    resolver: String,
}

impl Stage {
    fn new(lab: &Lab, provider: &str, resolver: String) -> Self {
        Self { sandbox: Sandbox::new(lab), provider: provider.to_owned(), resolver }
    }

    /// With these variables set.
    fn envs(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.sandbox = self.sandbox.envs(variables);
        self
    }

    /// `present` or `cleanup` of these values at the challenge name of `domain`.
    fn step(&self, step: &str, domain: &str, values: &[&str]) -> Invocation {
        let challenges: Vec<_> = values
            .iter()
            .map(|value| json!({"domain": domain, "fqdn": challenge(domain), "value": value}))
            .collect();
        self.sandbox
            .step(step)
            .args(["--provider", &self.provider, "--resolver", &self.resolver])
            .arg("--challenges")
            .arg(json!(challenges).to_string())
    }
}

/// Where the CA looks for the answer for `domain`.
fn challenge(domain: &str) -> String {
    format!("_acme-challenge.{domain}")
}

/// A TXT value as a challenge has it, told apart by its letter.
fn value(letter: char) -> String {
    letter.to_string().repeat(43)
}
