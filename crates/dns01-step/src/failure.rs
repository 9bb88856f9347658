//! A failure that has been told what it was doing; steps return nothing else.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use dns01_core::{Exit, Explain};
use serde_json::{Value, json};

/// What failed, why, and what to do; with the exit code.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
    facts: Vec<(String, String)>,
    retry_at: Option<DateTime<Utc>>,
    state: Option<String>,
}

/// Turns an error into a [`Failure`] by saying what was being attempted.
pub trait Attempt<T> {
    /// `what` completes the sentence "could not …".
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Explain> Attempt<T> for Result<T, E> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::of(error, &what()))
    }
}

impl Failure {
    /// The failure that `error` is: `what` was being attempted, and completes the sentence "could not …".
    pub fn of(error: impl Explain, what: &str) -> Self {
        Self {
            exit: error.exit(),
            hint: error.hint(),
            facts: error.facts(),
            retry_at: error.retry_at(),
            error: anyhow::Error::new(error).context(format!("could not {what}")),
            state: None,
        }
    }

    /// A failure that no library reported: `what` is the whole sentence.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        let error = anyhow::Error::msg(what.into());
        Self { exit, error, hint: None, facts: Vec::new(), retry_at: None, state: None }
    }

    /// The same with something to do: an imperative sentence without a full stop.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a labelled line for the long form.
    pub fn fact(mut self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.facts.push((label.into(), text.into()));
        self
    }

    /// The same with what is left behind, the last line of the long form.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state.get_or_insert(state.into());
        self
    }

    /// The same with more about what is left behind.
    pub fn and_state(mut self, more: &str) -> Self {
        self.state =
            Some(self.state.map_or_else(|| more.to_owned(), |state| format!("{state}; {more}")));
        self
    }

    /// The same where nothing is left behind of what was said so far.
    pub fn restate(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Whether something was said about what is left behind.
    pub fn has_state(&self) -> bool {
        self.state.is_some()
    }

    /// The same with the time from which another attempt makes sense.
    pub fn until(mut self, retry_at: Option<DateTime<Utc>>) -> Self {
        self.retry_at = self.retry_at.or(retry_at);
        self
    }

    /// The same with another exit code.
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// When another attempt makes sense, if known.
    pub fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.retry_at
    }

    /// What failed and why, without the hint: each level of the cause chain once.
    pub fn reason(&self) -> String {
        self.levels().join(": ")
    }

    fn levels(&self) -> Vec<String> {
        let mut levels: Vec<String> = Vec::new();
        for cause in self.error.chain() {
            let text = clean(&cause.to_string());
            // Some libraries repeat their source in their own text.
            if !levels.iter().any(|above| above.contains(&text)) {
                levels.push(text);
            }
        }
        levels
    }

    /// The one line for a node and a log: what failed, why, what to do, which exit; at most 2,000 octets.
    pub fn one_line(&self) -> String {
        let mut reason = self.reason();
        let mut tail = String::new();
        if let Some(hint) = &self.hint {
            let _ = write!(tail, "; hint: {hint}");
        }
        let _ = write!(tail, "; exit {} ({})", self.exit.code(), self.exit.name());
        truncate(&mut reason, 2_000_usize.saturating_sub(tail.len()));
        reason + &tail
    }

    /// The form for a terminal, several lines.
    pub fn long(&self) -> String {
        let levels = self.levels();
        let mut text = format!("error: {}\n", levels.first().map_or("", String::as_str));
        if levels.len() > 1 {
            let _ = writeln!(text, "  cause: {}", levels[1..].join(": "));
        }
        for (label, fact) in &self.facts {
            let _ = writeln!(text, "  {label}: {}", clean(fact));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {hint}");
        }
        if let Some(state) = &self.state {
            let _ = writeln!(text, "state: {state}");
        }
        let exit = format!("exit {} ({})", self.exit.code(), self.exit.name());
        let _ = write!(text, "{exit:>84}");
        text
    }

    /// The `error` output of every step.
    pub fn json(&self, step: &str) -> Value {
        json!({
            "v": 1,
            "step": step,
            "code": self.exit.code(),
            "name": self.exit.name(),
            "retryable": self.exit.is_retryable(),
            "message": self.reason(),
            "hint": self.hint,
            "retry_at": self.retry_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            "state": self.state,
        })
    }
}

/// Remote text may hold control characters; a log line and a terminal must not.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn truncate(text: &mut String, most: usize) {
    if text.len() > most {
        let mut end = most.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Failure {
        let cause: Result<(), _> = Err(std::io::Error::from_raw_os_error(28));
        cause
            .attempt(|| "write output `/outputs/serial`".into())
            .unwrap_err()
            .hint("free some space")
    }

    #[test]
    fn one_line_says_what_why_and_what_to_do() {
        assert_eq!(
            refused().one_line(),
            "could not write output `/outputs/serial`: No space left on device (os error 28); \
             hint: free some space; exit 82 (local resource)"
        );
    }

    #[test]
    fn one_line_is_one_line_and_at_most_2000_octets() {
        let line =
            Failure::new(Exit::Transient, format!("ä\u{1b}[31m\n{}", "é".repeat(4_000))).one_line();
        assert!(line.len() <= 2_000 && !line.contains(['\n', '\u{1b}']));
        assert!(line.ends_with("; exit 75 (transient)"));
    }

    #[test]
    fn the_long_form_ends_with_state_and_exit() {
        let text = refused().fact("disk", "/var").state("nothing written").long();
        let expected = "error: could not write output `/outputs/serial`
  cause: No space left on device (os error 28)
  disk: /var
hint: free some space
state: nothing written
";
        assert_eq!(
            text.strip_suffix("exit 82 (local resource)").unwrap().trim_end_matches(' '),
            expected
        );
    }
}
