//! A line per phase, as people read the flow.

use std::fmt::Display;

use dns01_step::{ProgressMode, StepIo, live};

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
        let common = io.common();
        let (mode, loud) = (common.progress, !common.quiet);
        let live = live::is_wanted(io);
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
            live::draw(&[format!("{phase:<13}…")]);
        }
    }

    /// It is over.
    pub(crate) fn over(&self) {
        if self.live {
            live::clear();
        }
    }

    /// A phase has ended well.
    pub(crate) fn done(&self, phase: &str, text: impl Display) {
        let line = format!("{phase:<13}done  {text}");
        if self.live || self.plain {
            print(&line);
        }
    }

    /// A phase has failed; the failure itself is said elsewhere.
    pub(crate) fn failed(&self, phase: &str) {
        let line = format!("{phase:<13}failed");
        if self.live || self.plain {
            print(&line);
        }
    }
}

#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal")]
fn print(line: &str) {
    live::clear();
    eprintln!("{line}");
}
