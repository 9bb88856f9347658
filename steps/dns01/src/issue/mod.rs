//! `dns01 issue`: the whole flow in one process, for a host, a laptop, or one pod.

mod definition;

use std::path::PathBuf;

use clap::{Command, Parser};
use dns01_core::{Exit, Identifier, KeyType, Origin};
use dns01_lookup::{GateArg, Lookup, LookupArgs};
use dns01_step::config::GoDuration;
use dns01_step::{
    Attempt, ChosenIssuer, CredentialArgs, Definitions, DomainArgs, Failure, HomeArgs, IssuerArgs,
    JournalArgs, Output, PlannedSink, RenewalArgs, SinkArgs, SolverArgs, Solvers, Step, StepIo,
};
use order::OwnCsr;

use crate::flow::{Finished, Flow, run_id};
use crate::{deploy_hook, named, report, timer};

pub(crate) use definition::absolute;

/// Get a certificate: all steps in one process.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  dns01 issue -d example.org -d '*.example.org' --provider cloudflare --env-file cf.env --agree-tos"
)]
pub(crate) struct IssueCommand {
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
    /// For every name also certify its wildcard, and for every wildcard its name
    #[arg(long)]
    pub(crate) combo: bool,
    #[command(flatten)]
    pub(crate) issuer: IssuerArgs,
    #[command(flatten)]
    pub(crate) solver: SolverArgs,
    /// Kind of key: ec256, ec384, rsa2048, rsa3072 or rsa4096
    #[arg(long, short = 'k', alias = "keylength", value_name = "TYPE")]
    pub(crate) key_type: Option<KeyType>,
    /// Certify the key of this CSR (PEM or DER); the names are its own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "domains_file", "key_type", "combo"])]
    csr: Option<PathBuf>,
    /// Issue although the certificate is not due
    #[arg(long, alias = "force-renewal")]
    force: bool,
    /// Issuer name of the chain to prefer, where the CA offers several
    #[arg(long, value_name = "NAME")]
    pub(crate) preferred_chain: Option<String>,
    /// Give up waiting for the name servers after this
    #[arg(long, value_name = "DURATION")]
    pub(crate) propagation_timeout: Option<GoDuration>,
    /// Recursive resolvers that have to show the records too, after the authorities, as IP, IP:port or https:// URL
    #[arg(long, value_name = "IP[:PORT]|URL")]
    pub(crate) gate_resolver: Vec<GateArg>,
    /// Program with arguments to run after a delivery that changed something; no shell is involved
    #[arg(long, alias = "reloadcmd", value_name = "COMMAND")]
    pub(crate) deploy_hook: Option<String>,
    /// Print key and chain, and leave nothing behind: no journal, no account, no files
    #[arg(long, conflicts_with_all = ["journal", "dir"])]
    ephemeral: bool,
    #[command(flatten)]
    renewal: RenewalArgs,
    #[command(flatten)]
    pub(crate) sinks: SinkArgs,
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

impl Step for IssueCommand {
    const NAME: &'static str = "issue";
    const OUTPUTS: &'static [Output] = &[
        Output { name: "action", about: "what was done: none, deliver or issue", default: "" },
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
        Output {
            name: "changed",
            about: "whether any sink holds something new: true or false",
            default: "",
        },
        Output {
            name: "sinks",
            about: "how each sink fared: a JSON list of id, state, error",
            default: "[]",
        },
    ];

    fn shape(command: Command) -> Command {
        // One pod of a workflow is a call of this command too, so what a workflow passes stays.
        named(command)
    }

    async fn run(mut self, io: &StepIo) -> Result<(), Failure> {
        let folder = self
            .ephemeral
            .then(tempfile::tempdir)
            .transpose()
            .attempt(|| "make a temporary folder".into())?;
        if let Some(folder) = &folder {
            self.journal.home.dir = Some(folder.path().to_owned());
            if self.sinks.sink.is_empty() {
                self.sinks.sink = vec!["stdout:".to_owned()];
            }
        }
        let csr = self.csr.as_deref().map(OwnCsr::read).transpose()?;
        let given = Definitions::load(&io.common().config)?;
        let wanted = definition::wanted(&self, &given, csr.as_ref(), io)?;
        let (name, definitions) = (wanted.name.clone(), &wanted.definitions);
        let backend = dns01_store::open(&self.journal.address())
            .await
            .attempt(|| "open the journal".into())?;
        let lookup = Lookup::new(&self.lookup).attempt(|| "set up DNS look-ups".into())?;
        let flow = Flow {
            io,
            name: name.parse().attempt(|| "use the certificate's name".into())?,
            run: run_id(io),
            definitions,
            backend: &backend,
            lookup: &lookup,
            lookup_args: &self.lookup,
            journal: &self.journal,
            issuer: &self.issuer,
            solver: &self.solver,
            sinks: &self.sinks,
            renewal: &self.renewal,
            csr,
            force: self.force,
            preferred_chain: self.preferred_chain.clone(),
            propagation_timeout: self.propagation_timeout.map(|timeout| timeout.0),
            gates: &self.gate_resolver,
            ephemeral: self.ephemeral,
        };
        let is_host = !self.ephemeral && !self.journal.is_on_kubernetes();
        if is_host && wanted.is_ours {
            definition::check_beside_others(&self.journal.root(), &wanted, io)?;
        }
        let finished = flow.run().await?;
        let mut advice = Vec::new();
        // Only what has been issued is renewed: a failed call with a typo leaves nothing for `renew` to fail at.
        if is_host && wanted.is_ours {
            advice = definition::save(&self.journal.root(), &wanted, io)?;
        }
        if is_host {
            let home = HomeArgs { dir: Some(self.journal.root()) };
            // The definition of a call with flags holds where its credentials are.
            let credentials = if wanted.is_ours {
                CredentialArgs::default()
            } else {
                self.solver.credentials.clone()
            };
            let places = &io.common().config;
            let renewal = timer::renewal(places, &credentials, &home, &self.lookup);
            advice.extend(timer::advice(&renewal));
        }
        // A key on stdout must stay the only thing there.
        let is_piped = self.sinks.sink.iter().any(|sink| sink == "stdout:");
        if is_piped || matches!(finished, Finished::Nothing { .. }) {
            advice.clear();
        }
        conclude(&name, definitions, finished, &advice, io).await
    }

    fn explain(&self, io: &StepIo) -> Result<Vec<(String, String, Origin)>, Failure> {
        let csr = self.csr.as_deref().map(OwnCsr::read).transpose()?;
        let wanted =
            definition::wanted(self, &Definitions::load(&io.common().config)?, csr.as_ref(), io)?;
        let solvers = Solvers::for_certificate(&wanted.name, &self.solver, &wanted.definitions);
        let definition = wanted.definitions.certificate(&wanted.name);
        let issuer = ChosenIssuer::new(&self.issuer, definition)?;
        let origin = definition
            .map_or(Origin::Default, |(document, _)| Origin::Config(document.origin.clone()));
        let mut lines = vec![
            ("certificate".to_owned(), wanted.name.clone(), origin.clone()),
            ("CA".to_owned(), issuer.server, origin.clone()),
        ];
        let names =
            definition.map(|(_, certificate)| certificate.dns_names.as_slice()).unwrap_or_default();
        lines.extend(names.iter().map(|name| ("name".to_owned(), name.unicode(), origin.clone())));
        lines.extend(solvers.explain(names.iter().map(Identifier::domain), |solver| {
            dns01_providers::explain(&solver.provider, &solver.source)
                .attempt(|| format!("explain the provider `{}`", solver.provider))
        })?);
        lines.dedup();
        Ok(lines)
    }
}

/// Says and writes how a flow ended, and runs the deploy hook of its definition.
pub(crate) async fn conclude(
    name: &str,
    definitions: &Definitions,
    finished: Finished,
    advice: &[String],
    io: &StepIo,
) -> Result<(), Failure> {
    let action = finished.action();
    match finished {
        Finished::Nothing { reason, not_after, next_check } => {
            io.mention(report::nothing(name, &reason, not_after, next_check));
            if io.step() == IssueCommand::NAME {
                io.put("action", action)?;
            }
        }
        Finished::Done { chain, delivery, sinks, renews, suggested, with_key, uncleaned } => {
            if io.step() == IssueCommand::NAME {
                certbot_issue::write_outputs(&chain, renews, io)?;
                io.put("changed", delivery.changed())?;
                io.put_json("sinks", &delivery.outcomes)?;
                io.put("action", action)?;
            }
            // A key on stdout must stay the only thing there.
            if !sinks.iter().any(PlannedSink::is_stdout) {
                io.say(report::delivered(name, &chain, &sinks, (renews, suggested), with_key));
            }
            for line in advice {
                io.say(line);
            }
            // Last, so that its failure is read below what has been achieved all the same.
            let hook = definitions
                .certificate(name)
                .map(|(_, certificate)| certificate.deploy_hook.clone());
            if let (Some(hook), true) = (hook, delivery.changed()) {
                deploy_hook::run(&hook, name, &sinks).await?;
            }
            if let Some(failure) = uncleaned {
                return Err(failure.and_state("the certificate is delivered"));
            }
        }
    }
    Ok(())
}

/// The argv of a command line as people type it: words and quotes, no shell.
pub(crate) fn words(command: &str) -> Result<Vec<String>, Failure> {
    shell_words::split(command).map_err(|_| {
        Failure::new(Exit::Config, "the deploy hook has an open quote")
            .hint("close it, or give a script's path")
    })
}
