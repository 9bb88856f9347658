//! `certbot-issue`: gets the certificate of a generation, natively or through a real certbot.
//!
//! Answers the challenges, finalizes with the journalled key, downloads, and checks key, names, links and validity
//! before anything is stored. It starts no generation, and writes only to the one it was given. `dns01 finalize` is
//! another name for it.

mod certbot;
mod confirmed;
mod hook;
mod issue;
mod journal;
mod kept;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Parser;
use dns01_core::Chain;
use dns01_lookup::{Lookup, LookupArgs};
use dns01_step::config::GoDuration;
use dns01_step::{
    Attempt, ChosenIssuer, Definitions, Failure, GenerationArgs, JournalArgs, Output, ReachArgs,
    RenewalArgs, SolverArgs, Step, StepIo,
};

use dns01_store::journal::Engine;

pub use certbot::Certbot;
pub use confirmed::Confirmed;
pub use hook::CertbotHook;
pub use issue::{Issue, Issued, issue};

/// Get the certificate of an order.
#[derive(Debug, Parser)]
pub struct CertbotIssue {
    #[command(flatten)]
    generation: GenerationArgs,
    /// Issuer name of the chain to prefer, where the CA offers several
    #[arg(long, value_name = "NAME")]
    preferred_chain: Option<String>,
    /// Give up after this; the CA's work goes on, and the next run finds it
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    timeout: GoDuration,
    /// Who talks to the CA; what `order` was given wins
    #[arg(long, value_name = "ENGINE", value_parser = ["native", "certbot"])]
    engine: Option<String>,
    /// The certbot to run, 5 or later
    #[arg(long, value_name = "PATH", default_value = "certbot", help_heading = "certbot")]
    certbot: PathBuf,
    /// Give up waiting for the name servers after this; else the solvers' longest, else 10m
    #[arg(long, value_name = "DURATION", help_heading = "certbot")]
    propagation_timeout: Option<GoDuration>,
    #[command(flatten)]
    solver: SolverArgs,
    #[command(flatten)]
    renewal: RenewalArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    journal: JournalArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

impl Step for CertbotIssue {
    const NAME: &'static str = "certbot-issue";
    const OUTPUTS: &'static [Output] = &[
        Output {
            name: "serial",
            about: "serial number of the certificate, hexadecimal with colons",
            default: "",
        },
        Output { name: "names", about: "the names it is for, separated by commas", default: "" },
        Output { name: "issuer", about: "common name of its issuer", default: "" },
        Output { name: "not-before", about: "start of its validity (RFC 3339)", default: "" },
        Output { name: "not-after", about: "end of its validity (RFC 3339)", default: "" },
        Output { name: "fingerprint", about: "sha256: and the SHA-256 of its DER", default: "" },
        Output {
            name: "ari-id",
            about: "its identifier for renewal information (RFC 9773)",
            default: "",
        },
        Output {
            name: "next-check",
            about: "when it is about to be renewed (RFC 3339)",
            default: "",
        },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let generation = self.generation.read()?;
        let definitions = Definitions::load(&io.common().config)?;
        let name = io.certificate()?;
        let backend = dns01_store::open(&self.journal.address())
            .await
            .attempt(|| "open the journal".into())?;
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let mut issuer = ChosenIssuer::for_reach(&self.reach, definitions.certificate(name))?;
        issuer.preferred_chain = self.preferred_chain.clone().or(issuer.preferred_chain);
        let request = Issue {
            backend: &backend,
            certificate: name.parse().attempt(|| "use the certificate's name".into())?,
            run: io.common().run_id.clone().unwrap_or_default(),
            generation,
            issuer,
            timeout: self.timeout.0,
            seen: None,
            confirmed: None,
            engine: self.engine.as_deref().map(engine),
            certbot: Certbot {
                program: self.certbot,
                solver: self.solver,
                lookup: self.lookup,
                journal: self.journal.address(),
                propagation: self.propagation_timeout.map(|timeout| timeout.0),
                gates: Vec::new(),
            },
        };
        let issued = issue(&request, &lookup, io).await?;
        let rule = self.renewal.rule(&definitions, name);
        let renews = rule.due_at(issued.chain.leaf(), issued.window().await, 0.5);
        write_outputs(&issued.chain, renews, io)?;
        io.say(issued.summary());
        Ok(())
    }
}

fn engine(word: &str) -> Engine {
    if word == "certbot" { Engine::Certbot } else { Engine::Native }
}

/// Writes what a certificate says as output parameters.
pub fn write_outputs(chain: &Chain, renews: DateTime<Utc>, io: &StepIo) -> Result<(), Failure> {
    let leaf = chain.leaf();
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    io.put("serial", &leaf.serial)?;
    io.put("names", leaf.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))?;
    io.put("issuer", &leaf.issuer)?;
    io.put("not-before", time(leaf.not_before))?;
    io.put("not-after", time(leaf.not_after))?;
    io.put("fingerprint", &leaf.fingerprint)?;
    io.put("ari-id", leaf.ari_id.as_deref().unwrap_or_default())?;
    io.put("next-check", time(renews))
}

impl Issued {
    /// One line for people.
    pub fn summary(&self) -> String {
        let leaf = self.chain.leaf();
        format!("serial {}, issuer {}", shortened(&leaf.serial), leaf.issuer)
    }
}

fn shortened(serial: &str) -> String {
    match (serial.get(..5), serial.len().checked_sub(2).and_then(|from| serial.get(from..))) {
        (Some(head), Some(tail)) if serial.len() > 12 => format!("{head}:…:{tail}"),
        _ => serial.to_owned(),
    }
}

/// How long the CA is given by `dns01 issue`, like the flag's default.
pub const TIMEOUT: Duration = Duration::from_mins(5);
