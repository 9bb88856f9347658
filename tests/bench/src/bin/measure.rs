//! `measure FILE COMMAND…`: runs a command and writes what it took to FILE, one JSON object.
//!
//! It is small itself, because a process starts with the peak memory of the one that started it.

use anyhow::{Context as _, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use std::process::{Command, ExitCode};
use std::time::Instant;

fn main() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let (file, program) = words.next().zip(words.next()).context("usage: measure FILE COMMAND…")?;
    let start = Instant::now();
    let mut child = Command::new(&program)
        .args(words)
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))?;
    let status = child.wait()?;
    let wall = start.elapsed();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    let (wall, memory) = (wall.as_micros(), used.max_rss());
    std::fs::write(file, format!("{{\"wall_us\":{wall},\"cpu_us\":{cpu},\"peak_kib\":{memory}}}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, Into::into))
}
