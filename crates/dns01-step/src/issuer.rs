//! Which CA and which account: flags over the configuration's issuer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dns01_core::{Exit, SecretText};

use crate::config::{AccountKeyRef, Certificate, Config, GoDuration, Issuer, SecretKeyRef};
use crate::{Attempt, Failure};

/// Flags about the CA.
#[derive(Args, Clone, Debug, Default)]
pub struct IssuerArgs {
    /// CA: `letsencrypt`, `letsencrypt-staging`, a short code such as `zerossl`, or a directory URL
    #[arg(long, short = 's', value_name = "CA", help_heading = "CA", conflicts_with = "staging")]
    pub server: Option<String>,
    /// Use Let's Encrypt's staging CA
    #[arg(long, alias = "test-cert", help_heading = "CA")]
    pub staging: bool,
    /// Contact for a new account
    #[arg(long, short = 'm', value_name = "ADDRESS", help_heading = "CA")]
    pub email: Option<String>,
    /// Agree to the CA's terms of service
    #[arg(long, short = 'a', alias = "accept-tos", help_heading = "CA")]
    pub agree_tos: bool,
    /// Key id of an external account binding
    #[arg(long, alias = "eab.kid", value_name = "ID", help_heading = "CA")]
    pub eab_kid: Option<String>,
    /// File with its HMAC key, base64url
    #[arg(long, value_name = "FILE", help_heading = "CA")]
    pub eab_hmac_key_file: Option<PathBuf>,
    /// Refused: a secret on the command line can be read by every process
    #[arg(long, aliases = ["eab.hmac", "eab-hmac-encoded", "eab-key"], hide = true)]
    pub eab_hmac_key: Option<String>,
    /// The CA's certificate profile, such as `tlsserver`
    #[arg(long, value_name = "NAME", help_heading = "CA")]
    pub profile: Option<String>,
    /// How it is reached.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Flags about how the CA is reached, of every step that talks to it.
#[derive(Args, Clone, Debug, Default)]
pub struct ReachArgs {
    /// File with further roots to trust for the CA's own TLS, PEM
    #[arg(long, value_name = "FILE", help_heading = "CA")]
    pub ca_bundle: Option<PathBuf>,
    /// Longest Retry-After that is waited for in the process; longer ones are exit 24
    #[arg(long, value_name = "DURATION", default_value = "2m", help_heading = "CA")]
    pub retry_budget: GoDuration,
}

/// A CA with all that a new account at it needs.
#[derive(Clone, Debug, Default)]
pub struct ChosenIssuer {
    /// Its name in the configuration.
    pub name: Option<String>,
    /// The directory: a URL, or a short name for one.
    pub server: String,
    /// Contact.
    pub email: Option<String>,
    /// Whether the terms of service are agreed to.
    pub agreed: bool,
    /// Profile to order.
    pub profile: Option<String>,
    /// Issuer name of the chain to prefer.
    pub preferred_chain: Option<String>,
    /// Further roots, PEM.
    pub roots_pem: Option<String>,
    /// External account binding: key id, and where its HMAC key is.
    pub external_account: Option<(String, HmacKey)>,
    /// An account key to adopt, in a Secret.
    pub adopt: Option<AccountKeyRef>,
    /// Longest Retry-After waited for.
    pub retry_budget: Duration,
}

/// Where an HMAC key is.
#[derive(Clone, Debug)]
pub enum HmacKey {
    /// Read already.
    Here(SecretText),
    /// In a Kubernetes Secret.
    Secret(SecretKeyRef),
}

impl ChosenIssuer {
    /// Flags first, then the issuer of `definition`; Let's Encrypt where neither names a CA.
    pub fn new(
        args: &IssuerArgs,
        definition: Option<(&Config, &Certificate)>,
    ) -> Result<Self, Failure> {
        if args.eab_hmac_key.is_some() {
            return Err(Failure::new(
                Exit::Config,
                "an HMAC key on the command line is not accepted: every process could read it",
            )
            .hint("write it to a file of mode 0600 and give --eab-hmac-key-file"));
        }
        if args.eab_kid.is_some() != args.eab_hmac_key_file.is_some() {
            let what = "an external account binding needs both its key id and its HMAC key";
            return Err(Failure::new(Exit::Config, what)
                .hint("give --eab-kid ID together with --eab-hmac-key-file FILE"));
        }
        let mut chosen = Self::from_reach(&args.reach)?;
        "letsencrypt".clone_into(&mut chosen.server);
        if let Some((document, certificate)) = definition {
            let resolved =
                document.resolve(&certificate.name).attempt(|| "use the definition".into())?;
            chosen.name = Some(resolved.account.to_owned());
            chosen.overlay(resolved.account, resolved.issuer)?;
            chosen.profile = resolved.profile.map(str::to_owned);
        }
        if args.server.is_some() || args.staging {
            chosen.name = None;
            chosen.server = args.server.clone().unwrap_or_else(|| "letsencrypt-staging".to_owned());
        }
        chosen.agreed |= args.agree_tos;
        chosen.email = args.email.clone().or(chosen.email);
        chosen.profile = args.profile.clone().or(chosen.profile);
        if let (Some(kid), Some(path)) = (&args.eab_kid, &args.eab_hmac_key_file) {
            chosen.external_account = Some((kid.clone(), HmacKey::Here(read_key(path)?)));
        }
        Ok(chosen)
    }

    /// The same for a step that finds CA and account in the journal.
    pub fn for_reach(
        args: &ReachArgs,
        definition: Option<(&Config, &Certificate)>,
    ) -> Result<Self, Failure> {
        let flags = IssuerArgs { reach: args.clone(), ..IssuerArgs::default() };
        Self::new(&flags, definition)
    }

    fn from_reach(args: &ReachArgs) -> Result<Self, Failure> {
        let roots_pem = args.ca_bundle.as_ref().map(|path| read_roots(path)).transpose()?;
        Ok(Self { roots_pem, retry_budget: args.retry_budget.0, ..Self::default() })
    }

    fn overlay(&mut self, name: &str, issuer: &Issuer) -> Result<(), Failure> {
        name.clone_into(&mut self.server);
        if let Some(server) = &issuer.server {
            self.server.clone_from(server);
        }
        self.email.clone_from(&issuer.email);
        self.agreed = issuer.terms_of_service_agreed;
        self.profile.clone_from(&issuer.profile);
        self.preferred_chain.clone_from(&issuer.preferred_chain);
        self.adopt.clone_from(&issuer.private_key_secret_ref);
        if self.roots_pem.is_none() {
            self.roots_pem = match (&issuer.ca_bundle_file, issuer.ca_bundle_pem()) {
                (Some(path), _) => Some(read_roots(path)?),
                (None, inline) => inline,
            };
        }
        if let Some(binding) = &issuer.external_account_binding {
            let key = match (&binding.key_file, &binding.key_secret_ref) {
                (Some(path), _) => HmacKey::Here(read_key(path)?),
                (None, Some(reference)) => HmacKey::Secret(reference.clone()),
                (None, None) => {
                    return Err(Failure::new(
                        Exit::Config,
                        format!("issuer `{name}` has an external account binding without a key"),
                    )
                    .hint("add keySecretRef, or on a host keyFile"));
                }
            };
            self.external_account = Some((binding.key_id.clone(), key));
        }
        Ok(())
    }
}

fn read_roots(path: &std::path::Path) -> Result<String, Failure> {
    let text =
        fs::read_to_string(path).attempt(|| format!("read the CA bundle `{}`", path.display()));
    text.map_err(|failure| {
        failure
            .with_exit(Exit::Config)
            .hint("name a readable PEM file: `--ca-bundle`, or caBundleFile of the issuer")
    })
}

fn read_key(path: &std::path::Path) -> Result<SecretText, Failure> {
    let text =
        fs::read_to_string(path).attempt(|| format!("read the HMAC key in `{}`", path.display()));
    let text = text.map_err(|failure| {
        failure.with_exit(Exit::Config).hint(
            "write the CA's HMAC key to a file of mode 0600, and name that: `--eab-hmac-key-file`, or keyFile of the issuer",
        )
    });
    Ok(text?.trim().into())
}
