//! `order`: decides whether a certificate is to be issued, and places or resumes its ACME order.
//!
//! The only step that starts a generation. It stores the key before the order, the order's URL before its challenges,
//! and gives the challenges out as public data. It writes no DNS and finalizes nothing.

mod account;
mod authorize;
mod csr;
mod place;
mod places;
mod refusal;
mod request;
mod writes;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use dns01_core::KeyType;
use dns01_lookup::{Lookup, LookupArgs};
use dns01_step::{
    Attempt, ChosenIssuer, Definitions, DomainArgs, Failure, IssuerArgs, JournalArgs, Output,
    RenewalArgs, Step, StepIo,
};
use dns01_store::journal::Engine;

pub use csr::OwnCsr;
pub use place::place;
pub use request::{Action, Placed, Request};

/// Decide whether a certificate is to be issued, and place or resume its order.
#[derive(Debug, Parser)]
pub struct Order {
    #[command(flatten)]
    domains: DomainArgs,
    #[command(flatten)]
    issuer: IssuerArgs,
    /// Kind of key: ec256, ec384, rsa2048, rsa3072 or rsa4096
    #[arg(long, short = 'k', alias = "keylength", value_name = "TYPE")]
    key_type: Option<KeyType>,
    /// Certify the key of this CSR (PEM or DER); the names are its own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "domains_file", "key_type"])]
    csr: Option<PathBuf>,
    /// Issue although the certificate is not due
    #[arg(long, alias = "force-renewal")]
    force: bool,
    #[command(flatten)]
    renewal: RenewalArgs,
    /// Who talks to the CA in certbot-issue
    #[arg(long, value_enum, default_value_t)]
    engine: EngineArg,
    /// What renew-check saw: `deliver` fills a sink again that this step may not read
    #[arg(long, value_name = "ACTION", value_parser = ["none", "deliver", "issue"])]
    checked: Option<String>,
    #[command(flatten)]
    journal: JournalArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

/// Who talks to the CA.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum EngineArg {
    /// We do.
    #[default]
    Native,
    /// A real certbot does.
    Certbot,
}

impl From<EngineArg> for Engine {
    fn from(arg: EngineArg) -> Self {
        match arg {
            EngineArg::Native => Self::Native,
            EngineArg::Certbot => Self::Certbot,
        }
    }
}

impl Step for Order {
    const NAME: &'static str = "order";
    const OUTPUTS: &'static [Output] = &[
        Output { name: "action", about: "what is to be done: none, deliver or issue", default: "" },
        Output {
            name: "generation",
            about: "the generation that later steps act for",
            default: "",
        },
        Output {
            name: "challenges",
            about: "challenges to answer: a JSON list of domain, fqdn, value",
            default: "",
        },
        Output {
            name: "needed",
            about: "whether present and wait-propagation are needed: true or false",
            default: "",
        },
        Output { name: "expires", about: "when the order expires (RFC 3339)", default: "" },
    ];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let definitions = Definitions::load(&io.common().config)?;
        let name = io.certificate()?;
        let definition = definitions.certificate(name);
        let csr = self.csr.as_deref().map(OwnCsr::read).transpose()?;
        let names = match &csr {
            Some(csr) => csr.names.clone(),
            None => definitions.names(name, self.domains.read()?)?,
        };
        // After renew-check it is known, and known better: present may be told another provider.
        if self.checked.is_none() {
            definitions.check_providers(name, &names)?;
        }
        let backend = dns01_store::open(&self.journal.address())
            .await
            .attempt(|| "open the journal".into())?;
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let request = Request {
            backend: &backend,
            certificate: name.parse().attempt(|| "use the certificate's name".into())?,
            run: io.run_id()?.to_owned(),
            names,
            issuer: ChosenIssuer::new(&self.issuer, definition)?,
            engine: self.engine.into(),
            key_type: self.key_type.or(definitions.key_type(name)).unwrap_or_default(),
            keep_key: definitions.keeps_key(name),
            csr,
            rule: self.renewal.rule(&definitions, name),
            force: self.force,
            sink_is_behind: self.checked.as_deref() == Some("deliver"),
            one_more: false,
        };
        let placed = place(&request, &lookup).await?;
        write_outputs(&placed, io)?;
        io.say(format_args!("{}: {}", placed.action.word(), placed.reason));
        Ok(())
    }
}

fn write_outputs(placed: &Placed, io: &StepIo) -> Result<(), Failure> {
    io.put_json("challenges", &placed.challenges)?;
    io.put("generation", placed.state.generation)?;
    io.put("needed", placed.action == Action::Issue && !placed.challenges.is_empty())?;
    let expires = placed.state.order.as_ref().and_then(|order| order.expires);
    io.put("expires", expires.map(|at| at.to_rfc3339()).unwrap_or_default())?;
    // Last, because it is what the other steps are gated by.
    io.put("action", placed.action.word())
}
