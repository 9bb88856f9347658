//! A line per phase, as people read the flow.

use std::fmt::Display;
use std::io::IsTerminal as _;

use dns01_step::{ProgressMode, StepIo};

/// Says on stderr how far the flow is: live on a terminal, else a line at each end, and on request at each start.
#[derive(Debug)]
pub(crate) struct Phases {
    live: bool,
    starts: bool,
    plain: bool,
}

impl Phases {
    /// As the flags and the terminal allow.
    pub(crate) fn new(io: &StepIo) -> Self {
        let dumb = std::env::var_os("CI").is_some()
            || std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let common = io.common();
        let (mode, loud) = (common.progress, !common.quiet);
        let live = mode == ProgressMode::Auto && loud && !dumb && std::io::stderr().is_terminal();
        let starts = mode == ProgressMode::Plain && loud;
        Self { live, starts, plain: mode != ProgressMode::None && loud && !live }
    }

    /// A phase begins.
    pub(crate) fn start(&self, phase: &str) {
        self.meanwhile(phase);
        if self.starts {
            print(&format!("{phase:<13}started"));
        }
    }

    /// What may take a while without an end to be told.
    pub(crate) fn meanwhile(&self, phase: &str) {
        if self.live {
            rewrite(&format!("{phase:<13}…"), "");
        }
    }

    /// It is over.
    pub(crate) fn over(&self) {
        if self.live {
            rewrite("", "");
        }
    }

    /// A phase has ended well.
    pub(crate) fn done(&self, phase: &str, text: impl Display) {
        let line = format!("{phase:<13}done  {text}");
        match (self.live, self.plain) {
            (true, _) => rewrite(&line, "\n"),
            (_, true) => print(&line),
            _ => (),
        }
    }

    /// A phase has failed; the failure itself is said elsewhere.
    pub(crate) fn failed(&self, phase: &str) {
        let line = format!("{phase:<13}failed");
        match (self.live, self.plain) {
            (true, _) => rewrite(&line, "\n"),
            (_, true) => print(&line),
            _ => (),
        }
    }
}

#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal")]
fn rewrite(line: &str, end: &str) {
    eprint!("\r\u{1b}[2K{line}{end}");
}

#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal")]
fn print(line: &str) {
    eprintln!("{line}");
}
