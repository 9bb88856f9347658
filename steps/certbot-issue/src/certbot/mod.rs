//! The certbot engine: a real certbot gets the certificate for the journalled key, with our account and our hooks.
//!
//! certbot is lent the account for the length of the run, in a folder that nobody else can read and that is gone
//! afterwards (after SIGKILL it is left among the temporary files). What certbot says stays in that folder; one line of
//! it leaves. A certificate it brings passes the same checks as one of our own before it is stored.

mod folder;
mod process;
mod refusal;
mod session;
mod surroundings;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use dns01_core::{Chain, Exit, Identifier};
use dns01_lookup::{GateArg, LookupArgs};
use dns01_step::{Attempt, Definitions, Failure, SolverArgs, Solvers, StepIo};
use dns01_store::journal::{Act, State};

use crate::issue::{Issue, Issued, done};
use crate::journal::Generation;
use crate::kept;
use folder::Folder;
use process::Ended;

pub(crate) use session::Session;

/// A certbot, and what its hooks need beside what is in [`Issue`].
#[derive(Clone, Debug)]
pub struct Certbot {
    /// The program, looked for on PATH if it has no slash.
    pub program: PathBuf,
    /// The flags that choose the provider.
    pub solver: SolverArgs,
    /// The flags that choose resolvers.
    pub lookup: LookupArgs,
    /// The journal's address, as `--journal` takes it.
    pub journal: String,
    /// How long the hooks wait for the name servers; else as the solvers say, else as `wait-propagation` does.
    pub propagation: Option<Duration>,
    /// The resolvers that have to show the values too; none: as the solvers say.
    pub gates: Vec<GateArg>,
}

/// What certbot is given beyond the CA's time where its hooks wait as the solvers say.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Gets the certificate. A run that was killed is done again from the start, with the same key.
pub(crate) async fn issue(
    request: &Issue<'_>,
    io: &StepIo,
    generation: &Generation<'_>,
    state: &State,
) -> Result<Issued, Failure> {
    let key = state.key.as_ref().ok_or_else(|| {
        Failure::new(Exit::Conflict, "this generation has no key yet").hint("run `order` first")
    })?;
    // What the hooks would fail at, with certbot's order already placed.
    let definitions = Definitions::load(&io.common().config)?;
    let solvers = Solvers::for_certificate(
        request.certificate.as_str(),
        &request.certbot.solver,
        &definitions,
    );
    present::preflight(state.spec.names.iter().map(Identifier::domain), &solvers)?;
    let (account, url) = kept::account(request.backend, state).await?;
    let url = if let Some(url) = url {
        url
    } else {
        let ca = request.connect(&state.spec.directory).await?;
        kept::account_url(&ca, &account, state.spec.account.as_str()).await?
    };
    let csr = kept::csr(generation, state, key).await?;
    let folder = Folder::new(&state.spec.directory, &account, &url, &csr)?;
    folder.put_roots(request.issuer.roots_pem.as_deref())?;
    let command = surroundings::command(request, io, state, &folder)?;
    if let Some(done) = done(&generation.attempt(Act::Finalize).await?)? {
        return Ok(done);
    }
    dns01_core::fail_point::pass("issue::certbot-starts");
    tracing::info!(certificate = %request.certificate, "certbot runs");
    let limit = request.timeout + request.certbot.propagation.unwrap_or(LONGEST_WAIT);
    let ended = process::run(command, limit, &request.certbot.program, io).await?;
    let failure = match ended {
        Ended::Well => {
            let chain = read(&folder)?;
            let sound = chain.check(&state.spec.names, &key.spki, Utc::now());
            sound.attempt(|| "accept the certificate that certbot brought".into()).map_err(
                |failure| {
                    failure.state("nothing was stored; what was delivered before is untouched")
                },
            )?;
            dns01_core::fail_point::pass("issue::downloaded");
            // What another run has stored meanwhile is as good.
            let state = generation.issued(&chain).await?;
            return Ok(done(&state)?.unwrap_or(Issued { chain, ca: None }));
        }
        Ended::Stopped => {
            return Err(Failure::new(Exit::Interrupted, "stopped by a signal; certbot was ended")
                .hint("run the same command again to go on"));
        }
        Ended::Late => Failure::new(
            Exit::NotYet,
            format!("certbot was not done after {} s and was ended", limit.as_secs()),
        )
        .hint("give --timeout or --propagation-timeout more time"),
        Ended::Badly(status) => match session::told(folder.path()) {
            Some(failure) => failure,
            None => refusal::read(&folder, status),
        },
    };
    // Whatever happened to this certbot: another run may have got the certificate meanwhile.
    if let Ok(Ok(Some(issued))) = generation.read().await.as_ref().map(done) {
        return Ok(issued);
    }
    let failure = match failure.exit() {
        Exit::OrderDead | Exit::CaRejected => failure,
        _ => failure.state("certbot's order is left to expire; run the same command again"),
    };
    Err(generation.refused(failure).await?)
}

fn read(folder: &Folder) -> Result<Chain, Failure> {
    let path = folder.fullchain();
    let pem =
        fs::read_to_string(&path).attempt(|| "read the certificate that certbot wrote".into())?;
    Chain::from_pem(&pem).attempt(|| "read the certificate that certbot brought".into())
}
