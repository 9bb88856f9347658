//! Says how a wait goes: to Argo's progress file, and on stderr, live where that is a terminal.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use dns01_lookup::{Progress, ServerReport};
use dns01_step::{ProgressMode, StepIo, live};

/// More servers than this are not shown; those that are behind come first.
const HEIGHT: usize = 16;

/// Says how the wait goes.
#[derive(Debug)]
pub struct Telling {
    argo: Option<PathBuf>,
    live: bool,
    plain: bool,
    last: Option<(usize, usize)>,
    told: Option<(usize, usize)>,
    said: Duration,
}

impl Telling {
    /// As the flags and the terminal allow.
    pub fn new(io: &StepIo) -> Self {
        let mode = io.common().progress;
        let quiet = io.common().quiet;
        let live = live::is_wanted(io);
        Self {
            argo: std::env::var_os("ARGO_PROGRESS_FILE").map(PathBuf::from),
            live,
            plain: mode != ProgressMode::None && !quiet && !live,
            last: None,
            told: None,
            said: Duration::ZERO,
        }
    }

    pub(crate) fn tell(&mut self, progress: &Progress<'_>) {
        let now = (progress.agreeing, progress.total);
        let changed = self.last.replace(now) != Some(now);
        if let (Some(path), true) = (&self.argo, changed) {
            // Progress is a courtesy: losing it must not fail the step.
            let _ = fs::write(path, format!("{}/{}", progress.agreeing, progress.total));
        }
        if self.live {
            live::draw(&lines(progress));
            return;
        }
        // A wait that is over at once is told by its result.
        let news = self.told != Some(now) && progress.elapsed >= Duration::from_secs(1);
        if self.plain && (news || progress.elapsed >= self.said + Duration::from_secs(30)) {
            (self.told, self.said) = (Some(now), progress.elapsed);
            let behind = progress.behind().next();
            let behind = behind.map(|it| format!("; {}", it.sentence())).unwrap_or_default();
            let text =
                format!("{} of {} addresses agree{behind}", progress.agreeing, progress.total);
            tracing::info!(elapsed_s = progress.elapsed.as_secs(), "propagation: {text}");
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if self.live {
            live::clear();
        }
    }
}

/// One line for all, and one for each server, those that are behind first.
fn lines(progress: &Progress<'_>) -> Vec<String> {
    let (agreeing, total) = (progress.agreeing, progress.total);
    let elapsed = progress.elapsed.as_secs();
    let head = format!("propagation  {agreeing} of {total} addresses agree, {elapsed} s");
    let agree = progress.servers.iter().filter(|it| it.agrees || it.excused);
    let servers: Vec<_> = progress.behind().chain(agree).map(line).collect();
    let more = servers.len().saturating_sub(HEIGHT);
    let more = (more > 0).then(|| format!("  and {more} more"));
    [head].into_iter().chain(servers.into_iter().take(HEIGHT)).chain(more).collect()
}

fn line(server: &ServerReport) -> String {
    let state = match (server.agrees, server.excused) {
        (true, _) => "agrees ",
        (false, true) => "skipped",
        (false, false) => "waiting",
    };
    format!("  {state}  {} {}", server.place(), server.last_answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_servers_there_is_one_line() {
        let elapsed = Duration::from_millis(2_900);
        let progress = Progress { agreeing: 0, total: 0, elapsed, servers: &[] };
        assert_eq!(lines(&progress), ["propagation  0 of 0 addresses agree, 2 s"]);
    }
}
