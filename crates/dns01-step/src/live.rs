//! The lines at the end of a terminal that are rewritten while something is waited for.
//!
//! There is one such place per process: whoever draws there replaces what was there, and whoever says something else on
//! stderr removes it first. Every change is one write, so that nothing flickers.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use rustix::termios::tcgetwinsize;

use crate::{ProgressMode, StepIo};

/// How many lines are there now.
static DRAWN: Mutex<usize> = Mutex::new(0);
/// What the later rows of a wrapped line begin with.
const INDENT: &str = "    ";
/// Columns and rows where the terminal doesn't tell.
const USUAL: (usize, usize) = (80, 24);

/// Whether progress is drawn: stderr is a terminal that can, and nobody asked for something else.
pub fn is_wanted(io: &StepIo) -> bool {
    let dumb =
        std::env::var_os("CI").is_some() || std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let common = io.common();
    common.progress == ProgressMode::Auto && !common.quiet && !dumb && io::stderr().is_terminal()
}

/// Puts these lines in place of the last ones; long ones are wrapped, and what has no room is counted.
pub fn draw(lines: &[String]) {
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = fitting(lines, size());
    write(&replace(*drawn, &lines));
    *drawn = lines.len();
}

/// Removes them.
pub fn clear() {
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    if *drawn > 0 {
        write(&replace(*drawn, &[]));
        *drawn = 0;
    }
}

/// Stderr for what stays: what is drawn goes before it is written to.
pub(crate) fn lasting_stderr() -> io::Stderr {
    clear();
    io::stderr()
}

/// Progress is a courtesy: a terminal that is gone must not fail the step.
fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn size() -> (usize, usize) {
    let told = tcgetwinsize(io::stderr()).ok().map(|it| (it.ws_col.into(), it.ws_row.into()));
    told.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or(USUAL)
}

/// A row that the terminal itself wraps, or one above its upper edge, could not be replaced: longer lines are wrapped at
/// words, and lines for which there is no room are counted.
fn fitting(lines: &[String], (columns, rows): (usize, usize)) -> Vec<String> {
    let most = rows.saturating_sub(1).max(1);
    let wrapped: Vec<_> = lines.iter().map(|line| wrap(line, columns.saturating_sub(1))).collect();
    if wrapped.iter().map(Vec::len).sum::<usize>() <= most {
        return wrapped.concat();
    }
    let mut shown: Vec<String> = Vec::new();
    let mut left = lines.len();
    for line in wrapped {
        if shown.len() + line.len() >= most {
            break;
        }
        shown.extend(line);
        left -= 1;
    }
    shown.push(format!("  and {left} more"));
    shown
}

fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let used = rows.last().map_or(0, |row| row.chars().count());
        if used > INDENT.len() && used + word.trim_end().chars().count() > width {
            rows.push(INDENT.to_owned());
        }
        rows.last_mut().unwrap_or(&mut String::new()).push_str(word);
    }
    rows.iter().map(|row| row.trim_end().chars().take(width.max(1)).collect()).collect()
}

/// Goes back to the first of `drawn` lines, writes over each, and clears what is left of them.
fn replace(drawn: usize, lines: &[String]) -> String {
    let up = if drawn > 0 { format!("\u{1b}[{drawn}A") } else { String::new() };
    let over: String = lines.iter().flat_map(|line| [line.as_str(), "\u{1b}[K\n"]).collect();
    format!("{up}\r{over}\u{1b}[J")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn each_line_is_written_over_the_one_that_was_there() {
        assert_eq!(replace(0, &lines(&["one"])), "\rone\u{1b}[K\n\u{1b}[J");
        assert_eq!(replace(3, &lines(&["a", "b"])), "\u{1b}[3A\ra\u{1b}[K\nb\u{1b}[K\n\u{1b}[J");
        assert_eq!(replace(2, &[]), "\u{1b}[2A\r\u{1b}[J");
    }

    #[test]
    fn nothing_is_wider_or_higher_than_the_terminal() {
        let all = lines(&["short", "longer than this", "third", "fourth"]);
        let narrow = fitting(&all, (12, 24));
        assert_eq!(narrow, lines(&["short", "longer than", "    this", "third", "fourth"]));
        assert_eq!(fitting(&all, (80, 4)), lines(&["short", "longer than this", "  and 2 more"]));
        assert_eq!(fitting(&all, (1, 1)), lines(&["  and 4 more"]));
        assert_eq!(wrap("incomprehensibilities", 9), lines(&["incompreh"]));
    }
}
