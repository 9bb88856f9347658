//! Death at a chosen system call: list a command's calls once, then kill it at any of them.

use super::invocation::Invocation;
use super::run::Run;
use crate::tools::tool;
use std::collections::BTreeMap;
use std::fs;

/// The `nth` (from 1) time that a thread of the command makes this system call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyscallPoint {
    /// The call's name, `write`.
    pub call: String,
    /// Which one of them.
    pub nth: usize,
}

impl SyscallPoint {
    /// At most `count` of `points`, the same ones for the same seed.
    pub fn choose(points: &[Self], count: usize, seed: u64) -> Vec<Self> {
        let mut points = points.to_vec();
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        for last in (1..points.len()).rev() {
            // Knuth's 64-bit congruential generator; its high bits are the good ones.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            points.swap(last, usize::try_from((state >> 33) % (last as u64 + 1)).unwrap());
        }
        points.truncate(count);
        points.sort();
        points
    }
}

impl Invocation {
    /// Runs the command and lists every point at which it could be killed. A thread counts its own calls.
    pub fn trace(self) -> (Run, Vec<SyscallPoint>) {
        let (run, text) = self.trace_text();
        (run, points(&text))
    }

    /// Runs the command and gives the system calls of all its threads and children, one line each, arguments in full.
    pub fn trace_text(mut self) -> (Run, String) {
        let file = self.record.join("trace");
        self.tracer = vec![
            tool("strace").into(),
            "-f".into(),
            "-qq".into(),
            "-s".into(),
            "4096".into(),
            "-o".into(),
            file.clone().into(),
        ];
        let run = self.run();
        (run, String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned())
    }

    /// The command will be killed by SIGKILL as it makes this call.
    pub fn kill_at(mut self, point: &SyscallPoint) -> Self {
        let inject = format!("inject={}:signal=KILL:when={}", point.call, point.nth);
        let trace = format!("trace={}", point.call);
        self.tracer = [
            tool("strace").to_str().unwrap(),
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &trace,
            "-e",
            &inject,
        ]
        .map(Into::into)
        .to_vec();
        self
    }
}

/// Per call, the count of the thread that makes it most often: `when=N` strikes the first thread to reach N.
fn points(trace: &str) -> Vec<SyscallPoint> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        if name.starts_with(|first: char| first.is_ascii_lowercase()) {
            *counts.entry((name, thread)).or_default() += 1;
        }
    }
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for ((name, _), count) in counts {
        let entry = most.entry(name).or_default();
        *entry = count.max(*entry);
    }
    most.into_iter()
        .flat_map(|(name, count)| {
            (1..=count).map(|nth| SyscallPoint { call: name.to_owned(), nth })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_gives_one_point_per_call_of_the_busiest_thread() {
        let trace = "7 openat(AT_FDCWD, \"x\") = 3\n7 write(3, \"a\", 1) = 1\n8 write(3, \"b\", 1) = 1\n7 write(3, \"c\", 1 <unfinished ...>\n\
            7 <... write resumed>) = 1\n7 --- SIGCHLD {} ---\n8 +++ exited with 0 +++\n";
        let named: Vec<_> = points(trace)
            .into_iter()
            .map(|point| format!("{} {}", point.call, point.nth))
            .collect();
        assert_eq!(named, ["openat 1", "write 1", "write 2"]);
    }

    #[test]
    fn one_seed_chooses_one_set_and_another_seed_another() {
        let all: Vec<_> =
            (1..=500).map(|nth| SyscallPoint { call: "read".to_owned(), nth }).collect();
        assert_eq!(SyscallPoint::choose(&all, 64, 1), SyscallPoint::choose(&all, 64, 1));
        assert_ne!(SyscallPoint::choose(&all, 64, 1), SyscallPoint::choose(&all, 64, 2));
        assert_eq!(SyscallPoint::choose(&all, 64, 1).len(), 64);
    }
}
