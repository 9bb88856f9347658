//! `dns01 renew`: renews what is due, from `dns01.yaml` and from earlier `issue` calls.

use std::path::Path;

use clap::{Command, Parser};
use dns01_core::Exit;
use dns01_lookup::{Lookup, LookupArgs};
use dns01_step::config::documents;
use dns01_step::{
    Attempt, Definitions, Failure, HomeArgs, IssuerArgs, JournalArgs, Output, ReachArgs,
    RenewalArgs, SinkArgs, SolverArgs, Step, StepIo,
};
use dns01_store::Backend;
use serde::Serialize;

use crate::flow::{Flow, run_id};
use crate::issue::conclude;
use crate::named;

/// Renew every certificate that is due.
#[derive(Debug, Parser)]
pub(crate) struct Renew {
    /// Certificates to renew; else all that are defined
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Issue although nothing is due; needs names
    #[arg(long, alias = "force-renewal")]
    force: bool,
    #[command(flatten)]
    solver: SolverArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    renewal: RenewalArgs,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

#[derive(Serialize)]
struct Line {
    name: String,
    action: &'static str,
}

impl Step for Renew {
    const NAME: &'static str = "renew";
    const OUTPUTS: &'static [Output] = &[Output {
        name: "certificates",
        about: "what was done for each: a JSON list of name, action (none, deliver, issue or failed)",
        default: "[]",
    }];

    fn shape(command: Command) -> Command {
        named(command).mut_arg("certificate", |arg| arg.hide(true))
    }

    async fn run(mut self, io: &StepIo) -> Result<(), Failure> {
        let definitions = known(&io.common().config, &self.home.root(), None)?;
        self.names.extend(io.common().certificate.clone());
        if self.force && self.names.is_empty() {
            return Err(Failure::new(Exit::Usage, "--force needs the names of certificates")
                .hint("`dns01 renew --force NAME`; `dns01 list` shows them"));
        }
        let journal = JournalArgs { journal: None, home: self.home.clone() };
        let backend =
            dns01_store::open(&journal.address()).await.attempt(|| "open the journal".into())?;
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let all = || definitions.documents().iter().flat_map(|document| &document.certificates);
        let names: Vec<String> = match self.names.as_slice() {
            [] => all()
                .filter(|certificate| !certificate.suspend)
                .map(|certificate| certificate.name.clone())
                .collect(),
            names => names.to_vec(),
        };
        if names.is_empty() {
            io.mention("No certificate is defined here: `dns01 issue` makes one, or define it in dns01.yaml");
        }
        let (count, mut failed, mut done) = (names.len(), Vec::new(), Vec::new());
        for name in names {
            match self.renew(&name, &definitions, &backend, &journal, &lookup, io).await {
                Ok(action) => done.push(Line { name, action }),
                Err(failure) if failure.exit() == Exit::Interrupted || count == 1 => {
                    return Err(failure);
                }
                // One that fails must not keep the others from being renewed.
                Err(failure) => {
                    tracing::error!("certificate {name}: {}", failure.one_line());
                    done.push(Line { name, action: "failed" });
                    failed.push(failure.exit());
                }
            }
        }
        io.put_json("certificates", &done)?;
        let Some(first) = failed.first() else { return Ok(()) };
        let what = format!("{} of {count} certificates could not be renewed", failed.len());
        Err(Failure::new(*first, what)
            .hint("the lines above say why; `dns01 renew NAME` tries one of them again"))
    }
}

impl Renew {
    async fn renew(
        &self,
        name: &str,
        definitions: &Definitions,
        backend: &Backend,
        journal: &JournalArgs,
        lookup: &Lookup,
        io: &StepIo,
    ) -> Result<&'static str, Failure> {
        if definitions.certificate(name).is_none() {
            return Err(Failure::new(Exit::NotFound, format!("no certificate is called `{name}`"))
                .hint("`dns01 list` shows them"));
        }
        let issuer = IssuerArgs { reach: self.reach.clone(), ..IssuerArgs::default() };
        let flow = Flow {
            io,
            name: name.parse().attempt(|| "use the certificate's name".into())?,
            run: run_id(io),
            definitions,
            backend,
            lookup,
            lookup_args: &self.lookup,
            journal,
            issuer: &issuer,
            solver: &self.solver,
            sinks: &SinkArgs::default(),
            renewal: &self.renewal,
            csr: None,
            force: self.force,
            preferred_chain: None,
            propagation_timeout: None,
            gates: &[],
            ephemeral: false,
        };
        let finished = flow.run().await?;
        let action = finished.action();
        conclude(name, definitions, finished, &[], io).await?;
        Ok(action)
    }
}

/// What `dns01.yaml` defines, and what earlier `issue` calls have kept, but for the one of `except`.
pub(crate) fn known(
    places: &[String],
    root: &Path,
    except: Option<&str>,
) -> Result<Definitions, Failure> {
    let mut definitions = Definitions::load(places)?;
    let kept = root.join("certificates");
    if kept.is_dir() {
        for file in documents(&kept).attempt(|| "find the kept definitions".into())? {
            if except.is_none_or(|name| file.file_stem() != Some(name.as_ref())) {
                definitions.add_file(&file)?;
            }
        }
    }
    Ok(definitions)
}
