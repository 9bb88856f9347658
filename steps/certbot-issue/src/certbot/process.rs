//! certbot as a process: it and all that it starts end together.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use dns01_core::Exit;
use dns01_step::{Attempt, Failure, StepIo};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::time::{sleep, timeout};

/// How long certbot may take to tidy up once it is told to end; a signal leaves us 20 s.
const TIDYING: Duration = Duration::from_secs(12);

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// certbot succeeded.
    Well,
    /// It failed, or a hook has ended it.
    Badly(ExitStatus),
    /// We were told to stop.
    Stopped,
    /// It was not done in time.
    Late,
}

/// Runs certbot to its end, or ends it with everything that it has started.
pub(crate) async fn run(
    mut command: Command,
    limit: Duration,
    program: &Path,
    io: &StepIo,
) -> Result<Ended, Failure> {
    use std::os::unix::process::CommandExt as _;

    command.process_group(0);
    let mut command = tokio::process::Command::from(command);
    let signalled = io.interrupt().signalled();
    let work = async {
        let started = command.kill_on_drop(true).spawn();
        let mut child = started.map_err(|error| not_started(program, error))?;
        let group = child.id().and_then(Group::of);
        let ended = tokio::select! {
            status = child.wait() => {
                let status = status.attempt(|| "wait for certbot".into())?;
                return Ok(if status.success() { Ended::Well } else { Ended::Badly(status) });
            }
            () = signalled => Ended::Stopped,
            () = sleep(limit) => Ended::Late,
        };
        if let Some(group) = &group {
            group.signal(Signal::TERM);
        }
        // What is left of it after that ends with `group`.
        let _ = timeout(TIDYING, child.wait()).await;
        Ok(ended)
    };
    io.interrupt().protect(work).await
}

fn not_started(program: &Path, error: std::io::Error) -> Failure {
    let is_absent = error.kind() == ErrorKind::NotFound;
    let failure = Failure::of(error, &format!("start `{}`", program.display()));
    if is_absent {
        let hint = "install certbot 5, or say where it is with --certbot PATH";
        return failure.with_exit(Exit::Config).hint(hint);
    }
    failure
}

/// certbot's process group; its members die with this value.
#[derive(Debug)]
struct Group(Pid);

impl Group {
    fn of(leader: u32) -> Option<Self> {
        Pid::from_raw(i32::try_from(leader).ok()?).map(Self)
    }

    fn signal(&self, signal: Signal) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(self.0, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
