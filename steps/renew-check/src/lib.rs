//! `renew-check`: says what is to be done with a certificate, or which of many are due.
//!
//! It only reads: the journal's state, the sinks by name, the CA's renewal information. It opens no key and no account,
//! and starts nothing; `order` decides again. At the end of a fleet's run it reads the same again, to report.

mod check;
mod fate;
mod fleet;
mod report;
mod source;
mod suggest;

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Parser;
use dns01_core::{Exit, KeyType};
use dns01_step::{
    Attempt, DomainArgs, Failure, IssuerArgs, JournalArgs, Output, RenewalArgs, SinkArgs, Step,
    StepIo, certificate_name,
};

use fleet::Fleet;
use report::Report;
use source::Refused;

pub use check::{Asked, Verdict, check};
pub use fleet::Due;

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
    /// Say how each certificate of this list fared, the `due` output of the same run; fails if one is still due
    #[arg(long, value_name = "JSON", conflicts_with_all = ["all", "domain", "domains_file", "pem", "force"])]
    report: Option<String>,
    /// With --report: so many more are due, and follow next time
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    later: usize,
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
        Output {
            name: "later",
            about: "with --all, how many more are due and follow next time",
            default: "",
        },
        Output {
            name: "report",
            about: "with --report, how they fared: a JSON object of certificates (certificate, result delivered, current or failed, not-after, why), refused (definitions, why) and later",
            default: "",
        },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let (definitions, mut refused) = source::usable(&io.common().config).await?;
        let backend = dns01_store::open(&self.journal.address())
            .await
            .attempt(|| "open the journal".into())?;
        let asked = Asked {
            definitions: &definitions,
            backend: &backend,
            domains: self.domains.read()?,
            // Of many certificates each has its own.
            provider: self.provider.as_deref().filter(|_| !self.all && self.report.is_none()),
            issuer: &self.issuer,
            key_type: self.key_type,
            renewal: &self.renewal,
            force: self.force,
            pem: self.pem.as_deref(),
            sinks: &self.sinks,
            journal: &self.journal,
            run: io.common().run_id.as_deref().unwrap_or_default(),
        };
        if let Some(list) = &self.report {
            return self.tell(list, &refused, &asked, io).await;
        }
        if self.all {
            return self.find_due(&refused, &asked, io).await;
        }
        // Who asks for one certificate wants to hear what is wrong, not what is not.
        match refused.pop() {
            Some(one) => Err(one.failure),
            None => self.look_at_one(&asked, io).await,
        }
    }
}

impl RenewCheck {
    async fn look_at_one(&self, asked: &Asked<'_>, io: &StepIo) -> Result<(), Failure> {
        let derived = asked.domains.first().map(certificate_name);
        let name = match (&io.common().certificate, &derived) {
            (Some(name), _) | (None, Some(name)) => name.as_str(),
            (None, None) => io.certificate()?,
        };
        let verdict = check(name, asked).await?;
        let passed =
            Due::new(name, asked, self.provider.as_deref(), self.credentials_secret.as_deref())?;
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

    /// Succeeds also where definitions were refused: on Argo a failure would keep the others from being renewed. The
    /// report fails the run for them.
    async fn find_due(
        &self,
        refused: &[Refused],
        asked: &Asked<'_>,
        io: &StepIo,
    ) -> Result<(), Failure> {
        for one in refused {
            tracing::error!(definitions = one.definitions, "not used: {}", one.failure.one_line());
            io.say(format_args!("not used: {}", one.failure.one_line()));
        }
        let Fleet { due, later, defined } = fleet::fleet(asked, self.max_due).await?;
        io.put("later", later)?;
        io.put_json("due", &due)?;
        let rest =
            if later > 0 { format!(", {later} more are due next time") } else { String::new() };
        io.say(format_args!("{} of {defined} certificates are due now{rest}", due.len()));
        Ok(())
    }

    async fn tell(
        &self,
        list: &str,
        refused: &[Refused],
        asked: &Asked<'_>,
        io: &StepIo,
    ) -> Result<(), Failure> {
        let due: Vec<Due> = serde_json::from_str(list).map_err(|error| {
            Failure::new(Exit::Input, format!("--report is not the `due` output of --all: {error}"))
                .hint("pass it as it is")
        })?;
        io.run_id()?;
        let report = Report::on(&due, refused, self.later, asked).await?;
        io.put_json("report", &report)?;
        io.say(report.text());
        report.verdict()
    }
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}
