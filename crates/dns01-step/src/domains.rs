//! The names to certify, from flags: repeated, with commas, with newlines, or a JSON list, as templates pass them.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use dns01_core::{Exit, Identifier};
use sha2::{Digest as _, Sha256};

use crate::{Attempt, Failure};

/// Names on the command line or in a file.
#[derive(Args, Clone, Debug, Default)]
pub struct DomainArgs {
    /// Names to certify; repeat, or separate by commas or newlines, or give a JSON list
    #[arg(long, short = 'd', aliases = ["domains", "dnsNames"], value_name = "NAMES")]
    pub domain: Vec<String>,
    /// File with names to certify, separated likewise
    #[arg(long, value_name = "FILE")]
    pub domains_file: Option<PathBuf>,
}

impl DomainArgs {
    /// The names in the order given, each once; empty if none were given.
    pub fn read(&self) -> Result<Vec<Identifier>, Failure> {
        let mut texts = self.domain.clone();
        if let Some(path) = &self.domains_file {
            let text = fs::read_to_string(path)
                .attempt(|| format!("read the names in `{}`", path.display()));
            let text = text.map_err(|failure| {
                failure.with_exit(Exit::Config).hint(
                    "name a readable file with --domains-file, or give the names with --domain",
                )
            });
            texts.push(text?);
        }
        let mut names: Vec<Identifier> = Vec::new();
        for text in &texts {
            for name in split(text)? {
                let name = name.parse().attempt(|| "use the names given".into())?;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }
}

/// What a certificate is called that has no name: its first domain without `*.`, dots as hyphens; over 50 characters
/// cut, with a hash.
pub fn certificate_name(first: &Identifier) -> String {
    let name = first.domain().as_str().replace('.', "-");
    if name.len() <= 50 {
        return name;
    }
    let hash = format!("{:x}", Sha256::digest(&name));
    format!("{}-{}", name[..39].trim_end_matches('-'), &hash[..10])
}

fn split(text: &str) -> Result<Vec<String>, Failure> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).attempt(|| "read the JSON list of names".into());
    }
    let names = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_stays_a_label_of_its_own() {
        let name = |text: &str| certificate_name(&text.parse().unwrap());
        assert_eq!(name("*.example.org"), "example-org");
        let (one, other) =
            (format!("{}.example.org", "a".repeat(60)), format!("{}.example.net", "a".repeat(60)));
        assert!(name(&one).len() <= 50 && name(&one) != name(&other));
    }

    #[test]
    fn commas_newlines_and_json_mean_the_same() {
        for text in [
            "a.test,*.a.test",
            "a.test\n*.a.test\n",
            " a.test, *.a.test,a.test ",
            r#"["a.test", "*.a.test"]"#,
        ] {
            let names =
                DomainArgs { domain: vec![text.into()], domains_file: None }.read().unwrap();
            assert_eq!(
                names.iter().map(ToString::to_string).collect::<Vec<_>>(),
                ["a.test", "*.a.test"],
                "{text:?}"
            );
        }
    }
}
