//! `renew-check`: says what is to be done with a certificate, or which of many are due.
//!
//! It only reads: the journal's state, the sinks by name, the CA's renewal information. It opens no key and no account,
//! and starts nothing; `order` decides again.

mod check;
mod fleet;
mod source;

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Parser;
use dns01_core::KeyType;
use dns01_step::{
    Attempt, DomainArgs, Failure, IssuerArgs, JournalArgs, Output, RenewalArgs, SinkArgs, Step,
    StepIo, certificate_name,
};

pub use check::{Asked, Verdict, check};
pub use fleet::{Due, due};
pub use source::definitions;

/// Say whether a certificate is due, or which of many are.
#[derive(Debug, Parser)]
pub struct RenewCheck {
    #[command(flatten)]
    domains: DomainArgs,
    /// Provider to pass on; empty: chosen per name from the configuration's solvers
    #[arg(long, alias = "dns", value_name = "ID")]
    provider: Option<String>,
    /// Secret with the provider's credentials to pass on; else the solver's
    #[arg(long, value_name = "NAME")]
    credentials_secret: Option<String>,
    #[command(flatten)]
    issuer: IssuerArgs,
    /// Kind of key: ec256, ec384, rsa2048, rsa3072 or rsa4096
    #[arg(long, short = 'k', alias = "keylength", value_name = "TYPE")]
    key_type: Option<KeyType>,
    #[command(flatten)]
    renewal: RenewalArgs,
    /// Issue although the certificate is not due
    #[arg(long, alias = "force-renewal")]
    force: bool,
    /// Check every certificate of the configuration
    #[arg(long, conflicts_with_all = ["domain", "domains_file", "pem", "force"])]
    all: bool,
    /// With --all: at most so many, the most urgent first
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    max_due: usize,
    /// Judge the certificate in this PEM file where there is no journal
    #[arg(long, value_name = "FILE")]
    pem: Option<PathBuf>,
    #[command(flatten)]
    sinks: SinkArgs,
    #[command(flatten)]
    journal: JournalArgs,
}

impl Step for RenewCheck {
    const NAME: &'static str = "renew-check";
    const OUTPUTS: &'static [Output] = &[
        Output { name: "action", about: "what is to be done: none, deliver or issue", default: "" },
        Output { name: "reason", about: "why, in words", default: "" },
        Output {
            name: "not-after",
            about: "when the present certificate ends (RFC 3339)",
            default: "",
        },
        Output {
            name: "next-check",
            about: "when it is about to be renewed (RFC 3339)",
            default: "",
        },
        Output { name: "certificate", about: "the certificate's name", default: "" },
        Output {
            name: "provider",
            about: "the provider; empty: chosen per name from the solvers",
            default: "",
        },
        Output {
            name: "credentials-secret",
            about: "the Secret with the provider's credentials",
            default: "",
        },
        Output {
            name: "definitions",
            about: "the ConfigMap that defines the certificate",
            default: "",
        },
        Output {
            name: "due",
            about: "with --all, what is due: a JSON list of certificate, provider, credentials-secret, definitions",
            default: "[]",
        },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let definitions = definitions(&io.common().config).await?;
        let backend = dns01_store::open(&self.journal.address())
            .await
            .attempt(|| "open the journal".into())?;
        let asked = Asked {
            definitions: &definitions,
            backend: &backend,
            domains: self.domains.read()?,
            issuer: &self.issuer,
            key_type: self.key_type,
            renewal: &self.renewal,
            force: self.force,
            pem: self.pem.as_deref(),
            sinks: &self.sinks,
            journal: &self.journal,
            run: io.common().run_id.as_deref().unwrap_or_default(),
        };
        if self.all {
            let (due, later) = due(&asked, self.max_due).await?;
            io.put_json("due", &due)?;
            let rest = if later > 0 { format!(", {later} more next time") } else { String::new() };
            io.say(format_args!("{} certificates are due{rest}", due.len()));
            return Ok(());
        }
        let derived = asked.domains.first().map(certificate_name);
        let name = match (&io.common().certificate, &derived) {
            (Some(name), _) | (None, Some(name)) => name.as_str(),
            (None, None) => io.certificate()?,
        };
        let verdict = check(name, &asked).await?;
        let passed =
            Due::new(name, &asked, self.provider.as_deref(), self.credentials_secret.as_deref())?;
        io.put("reason", &verdict.reason)?;
        io.put("not-after", time(verdict.not_after))?;
        io.put("next-check", time(verdict.next_check))?;
        io.put("certificate", name)?;
        io.put("provider", passed.provider)?;
        io.put("credentials-secret", passed.credentials_secret)?;
        io.put("definitions", passed.definitions)?;
        io.put("action", verdict.action)?;
        io.say(format_args!("{}: {}", verdict.action, verdict.reason));
        Ok(())
    }
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}
