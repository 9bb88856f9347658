//! A child process that serves: started with a log, awaited by probing, gone on drop.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to become ready, or any awaited event to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many lines of a log a failed test shows.
const LOG_LINES: usize = 60;

/// Waits until `ready` says true, asking every 5 ms; panics with `what` after 30 s.
pub fn wait_until(what: &str, ready: impl FnMut() -> bool) {
    wait_long(what, PATIENCE, Duration::from_millis(5), ready);
}

/// Waits for `patience` until `ready` says true, asking every `pause`; panics with `what` after that.
pub(crate) fn wait_long(
    what: &str,
    patience: Duration,
    pause: Duration,
    mut ready: impl FnMut() -> bool,
) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < patience, "waited {patience:?} in vain: {what}");
        thread::sleep(pause);
    }
}

/// One server process, with the command that starts it again after a stop.
#[derive(Debug)]
pub(crate) struct Server {
    name: String,
    command: Command,
    child: Option<Child>,
    logs: Vec<PathBuf>,
}

impl Server {
    /// Starts `command`; its two streams are appended to `log`. `more` are files it logs to itself.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path, more: &[PathBuf]) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let logs = [&[log.to_path_buf()], more].concat();
        let mut server = Self { name: name.to_owned(), command, child: None, logs };
        server.restart();
        server
    }

    /// Starts the same command again.
    pub(crate) fn restart(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        self.child = Some(
            self.command
                .spawn()
                .unwrap_or_else(|error| panic!("could not start {}: {error}", self.name)),
        );
    }

    /// Waits until `ready` says true; panics at once when the process ends instead.
    pub(crate) fn wait_ready(&mut self, mut ready: impl FnMut() -> bool) {
        let what = format!("{} becomes ready", self.name);
        wait_until(&what, || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "{} ended: {}", self.name, ended.unwrap());
            ready()
        });
    }

    /// Ends the process with SIGTERM, with SIGKILL when that takes more than five seconds.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        kill_process(pid(&child), Signal::TERM).ok();
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().ok();
        child.wait().unwrap();
    }

    /// Ends the process at once, without a chance to say good-bye.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Sends a signal: STOP makes a server that accepts connections and never answers, CONT lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(self.child.as_ref().expect("the server runs")), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            for log in &self.logs {
                show_log(&self.name, log);
            }
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn show_log(name: &str, path: &Path) {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let lines: Vec<_> = text.lines().collect();
    eprintln!("---- {name}: {}", path.display());
    for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
        eprintln!("{line}");
    }
}
