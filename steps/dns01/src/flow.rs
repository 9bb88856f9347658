//! The whole flow for one certificate in one process: the very steps of the workflow, in its order.

mod delivery;

use std::time::Duration;

use certbot_issue::{Certbot, Confirmed, Issue};
use chrono::{DateTime, Utc};
use cleanup::Remover;
use dns01_core::{Chain, Exit, Identifier, RenewalRule};
use dns01_lookup::{GateArg, Lookup, LookupArgs};
use dns01_step::{
    Attempt, ChosenIssuer, Definitions, Failure, IssuerArgs, JournalArgs, PlannedSink, RenewalArgs,
    SinkArgs, SolverArgs, Solvers, StepIo, planned_sinks,
};
use dns01_store::journal::{Phase, State};
use dns01_store::{Backend, Name};
use order::{Action, OwnCsr, Placed, Request};
use renew_check::Asked;
use store_secret::Delivery;

use crate::progress::Phases;
use crate::report;

/// How long cleanup may take after Ctrl-C.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// One certificate and how it is got.
#[derive(Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) io: &'a StepIo,
    pub(crate) name: Name,
    pub(crate) run: String,
    pub(crate) definitions: &'a Definitions,
    pub(crate) backend: &'a Backend,
    pub(crate) lookup: &'a Lookup,
    pub(crate) lookup_args: &'a LookupArgs,
    pub(crate) journal: &'a JournalArgs,
    pub(crate) issuer: &'a IssuerArgs,
    pub(crate) solver: &'a SolverArgs,
    pub(crate) sinks: &'a SinkArgs,
    pub(crate) renewal: &'a RenewalArgs,
    pub(crate) csr: Option<OwnCsr>,
    pub(crate) force: bool,
    pub(crate) preferred_chain: Option<String>,
    pub(crate) propagation_timeout: Option<Duration>,
    pub(crate) gates: &'a [GateArg],
    /// Whether the journal goes when the process ends.
    pub(crate) ephemeral: bool,
}

/// How the flow ended.
#[derive(Debug)]
pub(crate) enum Finished {
    /// There was nothing to do.
    Nothing { reason: String, not_after: Option<DateTime<Utc>>, next_check: Option<DateTime<Utc>> },
    /// A certificate was issued or at least delivered.
    Done {
        chain: Chain,
        delivery: Delivery,
        sinks: Vec<PlannedSink>,
        renews: DateTime<Utc>,
        suggested: Option<bool>,
        /// Whether the key is ours to deliver, not that of the user's own CSR.
        with_key: bool,
        /// Why what was published may be left.
        uncleaned: Option<Failure>,
    },
}

impl Finished {
    /// The word for it: none, deliver or issue.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => "none",
            Self::Done { suggested: None, .. } => "deliver",
            Self::Done { .. } => "issue",
        }
    }
}

impl Flow<'_> {
    /// Runs it. After a signal what was published is removed, and the next run goes on.
    pub(crate) async fn run(&self) -> Result<Finished, Failure> {
        let phases = Phases::new(self.io);
        let rescue = async || {
            let io = self.io.after_a_signal();
            let left = match tokio::time::timeout(LAST_WORDS, self.clean(&io, &phases, false)).await
            {
                Ok(Ok(())) if self.ephemeral => {
                    "what was published is removed, and nothing is kept"
                }
                Ok(Ok(())) => "what was published is removed",
                _ if self.ephemeral => "TXT records may be left",
                _ => "TXT records may be left; the next run removes them",
            };
            let again = "run the same command again to go on";
            let stopped = Failure::new(Exit::Interrupted, "stopped by a signal").state(left);
            Err(if self.ephemeral { stopped } else { stopped.hint(again) })
        };
        let work = Box::pin(self.run_to_end(&phases));
        Box::pin(self.io.interrupt().or_rescue(work, rescue)).await
    }

    async fn run_to_end(&self, phases: &Phases) -> Result<Finished, Failure> {
        let verdict = self.check().await?;
        // Only `order` knows the key of a user's own CSR.
        if verdict.action == "none" && self.csr.is_none() {
            let renew_check::Verdict { reason, not_after, next_check, .. } = verdict;
            return Ok(Finished::Nothing { reason, not_after, next_check });
        }
        self.preflight(verdict.action == "issue")?;
        let behind = verdict.action == "deliver";
        match Box::pin(self.attempt(phases, behind, false)).await {
            // One more, because a dead order says nothing about the next one.
            Err(failure) if failure.exit() == Exit::OrderDead => {
                tracing::warn!("{}; a new order is placed", failure.reason());
                Box::pin(self.attempt(phases, behind, true)).await
            }
            ended => ended,
        }
    }

    async fn attempt(
        &self,
        phases: &Phases,
        behind: bool,
        one_more: bool,
    ) -> Result<Finished, Failure> {
        phases.start("order");
        let placed = match self.place(behind, one_more).await {
            Ok(placed) => placed,
            Err(failure) => return Err(self.give_up("order", failure, phases).await),
        };
        let issued = match placed.action {
            Action::None => {
                let Placed { reason, state, .. } = placed;
                let not_after = state.delivered.as_ref().map(|delivered| delivered.not_after);
                return Ok(Finished::Nothing { reason, not_after, next_check: None });
            }
            Action::Deliver => None,
            Action::Issue => match self.issue(&placed, phases).await {
                Ok(issued) => Some(issued),
                Err((phase, failure)) => return Err(self.give_up(phase, failure, phases).await),
            },
        };
        // What was published is of no use any more, whatever the delivery comes to.
        let (finished, removed) =
            tokio::join!(self.deliver(&placed.state, issued, phases), self.removal(self.io, true));
        match finished {
            Ok(mut finished) => {
                // The certificate is delivered whatever cleanup comes to: hook and outputs must not be lost with it.
                if let Finished::Done { uncleaned, .. } = &mut finished {
                    *uncleaned = Self::cleaned(removed, phases).err();
                }
                Ok(finished)
            }
            Err(failure) => {
                phases.failed("store");
                Err(self.left(failure, "store", Self::cleaned(removed, phases), phases).await)
            }
        }
    }

    async fn check(&self) -> Result<renew_check::Verdict, Failure> {
        let asked = Asked {
            definitions: self.definitions,
            backend: self.backend,
            domains: self.csr.as_ref().map(|csr| csr.names.clone()).unwrap_or_default(),
            provider: self.solver.provider.as_deref(),
            issuer: self.issuer,
            key_type: None,
            renewal: self.renewal,
            force: self.force,
            pem: None,
            sinks: self.sinks,
            journal: self.journal,
            run: &self.run,
        };
        renew_check::check(self.name.as_str(), &asked).await
    }

    async fn place(&self, sink_is_behind: bool, one_more: bool) -> Result<Placed, Failure> {
        let definition = self.definitions.certificate(self.name.as_str());
        let names = match (&self.csr, definition) {
            (Some(csr), _) => csr.names.clone(),
            (None, Some((_, certificate))) => certificate.dns_names.clone(),
            (None, None) => Vec::new(),
        };
        let request = Request {
            backend: self.backend,
            certificate: self.name.clone(),
            run: self.run.clone(),
            names,
            issuer: ChosenIssuer::new(self.issuer, definition)?,
            engine: dns01_store::journal::Engine::Native,
            key_type: self.definitions.key_type(self.name.as_str()).unwrap_or_default(),
            keep_key: self.definitions.keeps_key(self.name.as_str()),
            csr: self.csr.clone(),
            rule: self.rule(),
            force: self.force,
            sink_is_behind,
            one_more,
        };
        order::place(&request, self.lookup).await
    }

    fn rule(&self) -> RenewalRule {
        self.renewal.rule(self.definitions, self.name.as_str())
    }

    /// Gets the certificate; a failure comes with the phase it is of.
    async fn issue(
        &self,
        placed: &Placed,
        phases: &Phases,
    ) -> Result<certbot_issue::Issued, (&'static str, Failure)> {
        let state = &placed.state;
        let count = state.spec.names.len();
        phases.done(
            "order",
            format_args!(
                "{}, {count} {}",
                report::ca_name(state),
                if count == 1 { "name" } else { "names" }
            ),
        );
        let challenges = &placed.challenges;
        let mut confirmed = None;
        if !challenges.is_empty() {
            let solvers = self.solvers();
            phases.start("present");
            let presented =
                present::present(challenges, &solvers, self.lookup, None, None, self.io).await;
            let presented = presented.map_err(|failure| ("present", failure))?;
            phases.done("present", presented.summary());
            phases.start("propagation");
            let report = self.propagate(challenges, &presented, &solvers).await;
            let report = report.map_err(|failure| ("propagation", failure))?;
            phases.done("propagation", wait_propagation::summary(&report));
            confirmed = report.confirmed.map(|at| Confirmed::new(at, challenges));
        }
        phases.start("issue");
        let issued = self.certify(placed, confirmed).await;
        let issued = issued.map_err(|failure| ("issue", failure))?;
        phases.done("issue", issued.summary());
        Ok(issued)
    }

    fn solvers(&self) -> Solvers {
        Solvers::for_certificate(self.name.as_str(), self.solver, self.definitions)
    }

    async fn propagate(
        &self,
        challenges: &[dns01_core::Challenge],
        presented: &present::Presented,
        solvers: &Solvers,
    ) -> Result<dns01_lookup::Report, Failure> {
        let solvers = challenges.iter().filter_map(|one| solvers.choose(&one.domain).ok());
        let configured: Vec<_> = solvers.map(|solver| solver.propagation).collect();
        let asked = wait_propagation::Asked {
            timeout: self.propagation_timeout,
            gates: self.gates,
            ..wait_propagation::Asked::default()
        };
        let patience = wait_propagation::patience(&asked, &configured)?;
        let expected =
            wait_propagation::expectations(challenges, &presented.published, self.lookup, None)
                .await?;
        let mut telling = wait_propagation::Telling::new(self.io);
        wait_propagation::wait(&expected, self.lookup, &patience, &mut telling, self.io).await
    }

    async fn certify(
        &self,
        placed: &Placed,
        confirmed: Option<Confirmed>,
    ) -> Result<certbot_issue::Issued, Failure> {
        let definition = self.definitions.certificate(self.name.as_str());
        let mut issuer = ChosenIssuer::for_reach(&self.issuer.reach, definition)?;
        issuer.preferred_chain = self.preferred_chain.clone().or(issuer.preferred_chain);
        let request = Issue {
            backend: self.backend,
            certificate: self.name.clone(),
            run: self.run.clone(),
            generation: placed.state.generation,
            issuer,
            timeout: certbot_issue::TIMEOUT,
            seen: placed.seen.clone(),
            confirmed,
            engine: None,
            certbot: Certbot {
                program: "certbot".into(),
                solver: self.solver.clone(),
                lookup: self.lookup_args.clone(),
                journal: self.journal.address(),
                propagation: self.propagation_timeout,
                gates: self.gates.to_vec(),
            },
        };
        certbot_issue::issue(&request, self.lookup, self.io).await
    }

    /// What would fail later anyway, before anything is asked of the CA: a missing setting must not cost an order.
    fn preflight(&self, issues: bool) -> Result<(), Failure> {
        let sinks = planned_sinks(self.definitions, self.name.as_str(), self.sinks, self.journal)?;
        PlannedSink::check_stdout(&sinks, self.io)?;
        if sinks.iter().any(PlannedSink::is_stdout) {
            let what = || format!("deliver certificate `{}` to stdout:", self.name);
            dns01_store::sink::stdout_is_allowed().attempt(what)?;
        }
        if !issues {
            return Ok(());
        }
        let definition = self.definitions.certificate(self.name.as_str());
        let names = definition.iter().flat_map(|(_, certificate)| &certificate.dns_names);
        present::preflight(names.map(Identifier::domain), &self.solvers())
    }

    /// Removes what this run has published; says nothing where that is nothing.
    async fn clean(&self, io: &StepIo, phases: &Phases, settle: bool) -> Result<(), Failure> {
        Self::cleaned(self.removal(io, settle).await, phases)
    }

    fn cleaned(removal: Result<cleanup::Removal, Failure>, phases: &Phases) -> Result<(), Failure> {
        let removal = removal?;
        if removal.left.is_empty() && !removal.gone.is_empty() {
            phases.done("cleanup", removal.summary());
        }
        removal.verdict(false)
    }

    async fn removal(&self, io: &StepIo, settle: bool) -> Result<cleanup::Removal, Failure> {
        let solvers = self.solvers();
        let remover = Remover::new(&solvers, self.lookup, None, io);
        let request = cleanup::Request { run: &self.run, exit_hook: false, settle };
        cleanup::clean(&self.backend.journal(&self.name), &request, &remover).await
    }

    /// The failure with what is left behind, after cleanup has done what it could.
    async fn give_up(&self, phase: &str, failure: Failure, phases: &Phases) -> Failure {
        phases.failed(phase);
        phases.meanwhile("cleanup");
        let cleaned = self.clean(self.io, phases, true).await;
        self.left(failure, phase, cleaned, phases).await
    }

    async fn left(
        &self,
        failure: Failure,
        phase: &str,
        cleaned: Result<(), Failure>,
        phases: &Phases,
    ) -> Failure {
        phases.over();
        if let Err(left) = &cleaned {
            phases.failed("cleanup");
            if left.reason() != failure.reason() {
                tracing::debug!("cleanup: {}", left.reason());
            }
        }
        if self.ephemeral {
            let left = if cleaned.is_ok() { "no TXT is left" } else { "TXT records may be left" };
            return failure
                .restate(format!("{left}; nothing is kept, so the same command starts anew"));
        }
        let state = self.backend.journal(&self.name).read().await.ok().flatten();
        let failure = match (failure.has_state(), cleaned.is_ok()) {
            (true, _) if phase != "present" => return failure,
            (true, _) => failure,
            (false, true) => failure.state("no TXT is left"),
            (false, false) => {
                failure.state("TXT records may be left, and the next run removes them")
            }
        };
        failure.and_state(&what_now(state.as_ref()))
    }
}

/// What the next call finds after a failure.
fn what_now(state: Option<&State>) -> String {
    let open = state.filter(|state| matches!(state.phase, Phase::Ordered | Phase::Finalizing));
    match open.and_then(|state| state.order.as_ref()?.expires) {
        Some(at) => format!(
            "the order is open until {}, run the same command again",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
        None => "run the same command again".to_owned(),
    }
}

/// A run id that no other run has.
pub(crate) fn run_id(io: &StepIo) -> String {
    io.common().run_id.clone().unwrap_or_else(|| format!("run-{:016x}", rand::random::<u64>()))
}
