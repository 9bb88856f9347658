//! The program that a host runs after a delivery that changed something.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use dns01_core::{Exit, SinkAddress};
use dns01_step::{Failure, PlannedSink};
use tokio::process::Command;
use tokio::time::timeout;

/// A hook that takes longer hangs.
const DEADLINE: Duration = Duration::from_mins(2);

/// Runs `argv` without a shell, told by the environment what was delivered where. Its failure is one.
pub(crate) async fn run(argv: &[String], name: &str, sinks: &[PlannedSink]) -> Result<(), Failure> {
    let Some((program, args)) = argv.split_first() else { return Ok(()) };
    let failed = |why: String| {
        Failure::new(Exit::LocalIo, format!("the deploy hook `{program}` {why}"))
            .hint("run it by hand, mend it, then deliver again with --force")
            .state("the certificate is delivered; only the hook failed")
    };
    let folder = sinks.iter().find_map(|sink| match &sink.address {
        SinkAddress::Dir(path) => Some(OsString::from(path)),
        _ => None,
    });
    let mut command = Command::new(program);
    command
        .args(args)
        .env("DNS01_HOOK_CERTIFICATE", name)
        .env("DNS01_HOOK_FOLDER", folder.unwrap_or_default());
    // What it says belongs to the log, never to a key on stdout.
    command.stdin(Stdio::null()).stdout(Stdio::from(std::io::stderr())).kill_on_drop(true);
    match timeout(DEADLINE, command.status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("ended with {status}"))),
        Ok(Err(error)) => Err(failed(format!("could not be started: {error}"))),
        Err(_) => Err(failed(format!("did not end within {} s", DEADLINE.as_secs()))),
    }
}
