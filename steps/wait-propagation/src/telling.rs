//! Says how a wait goes: to Argo's progress file, and on stderr, live where that is a terminal.

use std::fs;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use dns01_lookup::{Progress, ServerReport};
use dns01_step::{ProgressMode, StepIo};

/// A line that wraps could not be rewritten; this is the narrowest terminal in use.
const WIDTH: usize = 79;
/// More lines than this are not shown; those that are behind come first.
const HEIGHT: usize = 16;

/// Says how the wait goes.
#[derive(Debug)]
pub struct Telling {
    argo: Option<PathBuf>,
    live: bool,
    plain: bool,
    /// How many lines are on the terminal now.
    drawn: usize,
    last: Option<(usize, usize)>,
    told: Option<(usize, usize)>,
    said: Duration,
}

impl Telling {
    /// As the flags and the terminal allow.
    pub fn new(io: &StepIo) -> Self {
        let dumb = std::env::var_os("CI").is_some()
            || std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let mode = io.common().progress;
        let quiet = io.common().quiet;
        let live = mode == ProgressMode::Auto && !dumb && !quiet && std::io::stderr().is_terminal();
        Self {
            argo: std::env::var_os("ARGO_PROGRESS_FILE").map(PathBuf::from),
            live,
            plain: mode != ProgressMode::None && !quiet && !live,
            drawn: 0,
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
            self.draw(&lines(progress));
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

    #[expect(clippy::print_stderr, reason = "live progress on a terminal")]
    fn draw(&mut self, lines: &[String]) {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        eprint!("{}{text}", erase(self.drawn));
        self.drawn = lines.len();
    }
}

impl Drop for Telling {
    #[expect(clippy::print_stderr, reason = "clears the lines of the live progress")]
    fn drop(&mut self) {
        eprint!("{}", erase(self.drawn));
    }
}

/// Goes back to the first of so many lines and clears everything from there.
fn erase(drawn: usize) -> String {
    if drawn == 0 { String::new() } else { format!("\u{1b}[{drawn}A\r\u{1b}[J") }
}

/// One line for all, and one for each server, those that are behind first.
fn lines(progress: &Progress<'_>) -> Vec<String> {
    let (agreeing, total) = (progress.agreeing, progress.total);
    let head = format!("{agreeing} of {total} addresses agree, {} s", progress.elapsed.as_secs());
    let agree = progress.servers.iter().filter(|it| it.agrees || it.excused);
    let servers: Vec<_> = progress.behind().chain(agree).map(line).collect();
    let more = servers.len().saturating_sub(HEIGHT);
    let more = (more > 0).then(|| format!("  and {more} more"));
    let all = [head].into_iter().chain(servers.into_iter().take(HEIGHT)).chain(more);
    all.map(|line| line.chars().take(WIDTH).collect()).collect()
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
    fn what_is_drawn_is_erased_to_its_first_line() {
        assert_eq!((erase(0), erase(3)), (String::new(), "\u{1b}[3A\r\u{1b}[J".to_owned()));
    }

    #[test]
    fn without_servers_there_is_one_line() {
        let elapsed = Duration::from_millis(2_900);
        let progress = Progress { agreeing: 0, total: 0, elapsed, servers: &[] };
        assert_eq!(lines(&progress), ["0 of 0 addresses agree, 2 s"]);
    }
}
