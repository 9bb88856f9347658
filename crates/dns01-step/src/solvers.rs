//! Which provider writes for which name: the one named by a flag, else the solver that the configuration selects.

use std::collections::BTreeSet;

use clap::Args;
use dns01_core::{DomainName, Exit, Origin};

use crate::config::{CnameStrategy, Config, Propagation, Solver};
use crate::{CredentialArgs, Definitions, Failure, ProcessSource, StepIo};

/// Flags of every step that writes DNS.
#[derive(Args, Clone, Debug, Default)]
pub struct SolverArgs {
    /// Provider that holds the zone (`dns01 providers` lists them); else per name from the configuration's solvers
    #[arg(long, alias = "dns", value_name = "ID")]
    pub provider: Option<String>,
    /// Where its credentials are.
    #[command(flatten)]
    pub credentials: CredentialArgs,
}

/// The solvers of a run.
#[derive(Debug)]
pub struct Solvers {
    flags: SolverArgs,
    document: Option<Config>,
}

/// A provider with the place its settings come from.
#[derive(Debug)]
pub struct ChosenSolver {
    /// The solver's name in the configuration; the provider's id where a flag names it.
    pub name: String,
    /// The provider's id or alias.
    pub provider: String,
    /// What chose it.
    pub origin: Origin,
    /// Its settings.
    pub source: ProcessSource,
    /// The Secret that the configuration names for its credentials.
    pub secret: Option<String>,
    /// Whether a CNAME at the challenge's name is followed.
    pub follow_cname: bool,
    /// The TTL that the configuration asks for, in seconds.
    pub ttl: Option<u32>,
    /// How long to wait, and for what.
    pub propagation: Propagation,
}

impl Solvers {
    /// The solvers for the certificate that `io` names.
    pub fn new(io: &StepIo, flags: &SolverArgs, definitions: &Definitions) -> Self {
        let document = definitions.document_for(io.common().certificate.as_deref());
        Self { flags: flags.clone(), document: document.cloned() }
    }

    /// The same for a certificate by name.
    pub fn for_certificate(name: &str, flags: &SolverArgs, definitions: &Definitions) -> Self {
        Self { flags: flags.clone(), document: definitions.document_for(Some(name)).cloned() }
    }

    /// What `--explain-config` shows: the provider of each of `names`, and what `settings` says of it.
    pub fn explain<'a>(
        &self,
        names: impl IntoIterator<Item = &'a DomainName>,
        settings: impl Fn(&ChosenSolver) -> Result<Vec<(String, String, Origin)>, Failure>,
    ) -> Result<Vec<(String, String, Origin)>, Failure> {
        let mut lines = Vec::new();
        // A name and its wildcard are the same question.
        for name in names.into_iter().collect::<BTreeSet<_>>() {
            let solver = self.choose(name)?;
            lines.push((
                format!("provider for {}", name.unicode()),
                solver.provider.clone(),
                solver.origin.clone(),
            ));
            lines.extend(settings(&solver)?);
        }
        Ok(lines)
    }

    /// The solver for `name`; exit 11 if none is.
    pub fn choose(&self, name: &DomainName) -> Result<ChosenSolver, Failure> {
        let source = ProcessSource::new(&self.flags.credentials)?;
        if let Some(provider) = &self.flags.provider {
            let name = provider.clone();
            let propagation = Propagation::default();
            return Ok(ChosenSolver {
                provider: name.clone(),
                origin: Origin::Flag,
                name,
                source,
                secret: None,
                follow_cname: true,
                ttl: None,
                propagation,
            });
        }
        let Some(document) = &self.document else {
            return Err(Failure::new(Exit::Config, "no provider is named, and there is no configuration to choose one from")
                .hint("give --provider ID (`dns01 providers` lists them), or --config FILE with `solvers`"));
        };
        let solver = document.solver_for(name).ok_or_else(|| {
            Failure::new(
                Exit::Config,
                format!("no solver in `{}` is for `{}`", document.origin, name.unicode()),
            )
            .hint("add a solver without a selector, or one whose dnsZones hold this name")
        })?;
        chosen(solver, source, &self.flags.credentials)
    }
}

impl ChosenSolver {
    /// Refuses (11) a Secret that is named, mounted and not there: without it the provider would miss settings, or write
    /// unsigned, and neither says which Secret is wrong. A volume has to be optional for this to be said at all.
    pub fn check_secret(&self) -> Result<(), Failure> {
        let (Some(secret), Some(folder)) = (&self.secret, self.source.empty_folder()) else {
            return Ok(());
        };
        let (name, folder) = (&self.name, folder.display());
        Err(Failure::new(
            Exit::Config,
            format!(
                "the Secret `{secret}` with the credentials of solver `{name}` does not exist here, or is empty: \
                 nothing is in `{folder}`"
            ),
        )
        .hint(format!(
            "kubectl create secret generic {secret} --from-env-file=FILE, with a line VARIABLE=value for each variable \
             of `{}`",
            self.provider
        )))
    }
}

fn chosen(
    solver: &Solver,
    mut source: ProcessSource,
    flags: &CredentialArgs,
) -> Result<ChosenSolver, Failure> {
    let credentials = solver.credentials.clone().unwrap_or_default();
    if let (Some(path), None) = (&credentials.env_file, &flags.env_file) {
        source = source.with_env_file(path)?;
    }
    if let (Some(folder), None) = (credentials.directory, &flags.credentials_dir) {
        source = source.with_folder(folder);
    }
    Ok(ChosenSolver {
        source: source.with_solver(&solver.name, &solver.settings, &credentials.keys),
        secret: credentials.secret_name,
        name: solver.name.clone(),
        provider: solver.provider.clone(),
        origin: Origin::Config(format!("solver {}", solver.name)),
        follow_cname: solver.cname_strategy == CnameStrategy::Follow,
        ttl: solver.ttl,
        propagation: solver.propagation.clone(),
    })
}
