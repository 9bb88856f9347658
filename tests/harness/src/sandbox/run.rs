//! What a command left behind, and claims about it.

use std::collections::BTreeMap;
use std::fmt;

/// A command that ended. Every claim returns the run again, or panics and shows all of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The command line.
    pub line: String,
    /// The exit code; 128 + the signal when one ended it.
    pub code: i32,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
    /// The files of the outputs folder.
    pub outputs: BTreeMap<String, String>,
    /// The termination message.
    pub termination: String,
}

impl Run {
    /// The exit code is `code`.
    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit {code}\n{self}");
        self
    }

    /// stdout contains `text`.
    #[track_caller]
    pub fn stdout_contains(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "expected `{text}` on stdout\n{self}");
        self
    }

    /// stderr contains `text`.
    #[track_caller]
    pub fn stderr_contains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "expected `{text}` on stderr\n{self}");
        self
    }

    /// The termination message contains `text`.
    #[track_caller]
    pub fn termination_contains(self, text: &str) -> Self {
        assert!(
            self.termination.contains(text),
            "expected `{text}` in the termination message\n{self}"
        );
        self
    }

    /// `text` is nowhere: not in the streams, the outputs, the termination message or the command line.
    #[track_caller]
    pub fn nowhere_contains(self, text: &str) -> Self {
        let places = [&self.line, &self.stdout, &self.stderr, &self.termination];
        let found =
            places.into_iter().chain(self.outputs.values()).any(|place| place.contains(text));
        assert!(!found, "`{text}` must not appear\n{self}");
        self
    }

    /// The output parameter `name`.
    #[track_caller]
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("expected an output `{name}`\n{self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}\nexit {}", self.line, self.code)?;
        for (name, text) in
            [("stdout", &self.stdout), ("stderr", &self.stderr), ("termination", &self.termination)]
        {
            writeln!(f, "---- {name}\n{}", text.trim_end())?;
        }
        self.outputs.iter().try_for_each(|(name, text)| writeln!(f, "---- output {name}\n{text}"))
    }
}
