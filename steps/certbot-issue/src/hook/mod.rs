//! `certbot-hook`: what certbot's `--manual` plugin calls, for our own certbot runs and for anybody's.
//!
//! Calls the same code as `present`, `wait-propagation` and `cleanup`: all values at once and one wait for all of
//! them. Started by certbot-issue it notes in the journal what it publishes, before it does; otherwise it knows no
//! journal. It never speaks to a CA.

mod auth;
mod call;
mod journalled;
mod tidy;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use dns01_lookup::{GateArg, Lookup, LookupArgs};
use dns01_step::config::GoDuration;
use dns01_step::{
    Attempt, Definitions, Failure, GenerationArgs, JournalArgs, Output, SolverArgs, Solvers, Step,
    StepIo,
};

use wait_propagation::Asked;

use crate::certbot::Session;
use call::{Call, Collected};
use journalled::Record;

/// Answer certbot's DNS-01 challenges: give this as --manual-auth-hook and --manual-cleanup-hook.
#[derive(Debug, Parser)]
pub struct CertbotHook {
    /// What certbot wants: `auth` publishes the values, `cleanup` removes them
    #[arg(value_enum, value_name = "ACT")]
    act: Act,
    #[command(flatten)]
    solver: SolverArgs,
    /// Give up waiting for the name servers after this; else the solvers' longest, else 10m
    #[arg(long, value_name = "DURATION")]
    timeout: Option<GoDuration>,
    /// Recursive resolvers that have to show the values too, after the authorities, as IP, IP:port or https:// URL
    #[arg(long, value_name = "IP[:PORT]|URL")]
    gate_resolver: Vec<GateArg>,
    #[command(flatten)]
    journal: JournalArgs,
    #[command(flatten)]
    lookup: LookupArgs,
    /// Folder of the certbot-issue that started certbot; it sets this itself
    #[arg(long, hide = true, value_name = "DIR", requires = "generation")]
    session: Option<PathBuf>,
    /// Generation that it acts for
    #[arg(long, hide = true, value_name = "NUMBER")]
    generation: Option<String>,
}

/// What certbot wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Act {
    Auth,
    Cleanup,
}

impl Step for CertbotHook {
    const NAME: &'static str = "certbot-hook";
    const OUTPUTS: &'static [Output] = &[];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let (act, session) = (self.act, self.session.clone());
        let done = self.answer(io).await;
        if let (Err(failure), Act::Auth, Some(session)) = (&done, act, session) {
            Session::tell(&session, failure)?;
        }
        done
    }
}

impl CertbotHook {
    async fn answer(self, io: &StepIo) -> Result<(), Failure> {
        let session = self.session.as_deref().map(Session::join).transpose()?;
        let call = Call::from_environment()?;
        let file = match &session {
            Some(session) => session.file("challenges.json"),
            None => call.file(&self.journal.home.root())?,
        };
        let mut collected = Collected::new(file);
        if self.act == Act::Auth {
            collected.add(&call)?;
        }
        if call.remaining > 0 {
            return Ok(());
        }
        let challenges = collected.read()?;
        let solvers = Solvers::new(io, &self.solver, &Definitions::load(&io.common().config)?);
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let record = match &session {
            Some(_) => {
                let generation = GenerationArgs { generation: self.generation };
                Some(Record::open(&self.journal, &generation, io).await?)
            }
            None => None,
        };
        match self.act {
            Act::Auth => {
                let asked = Asked {
                    timeout: self.timeout.map(|timeout| timeout.0),
                    gates: &self.gate_resolver,
                    ..Asked::default()
                };
                auth::answer(&challenges, &solvers, &lookup, &asked, record.as_ref(), io).await
            }
            Act::Cleanup => {
                tidy::clean(&challenges, &solvers, &lookup, record.as_ref(), io).await?;
                collected.forget();
                Ok(())
            }
        }
    }
}
