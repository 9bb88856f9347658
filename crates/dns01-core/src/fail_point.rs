//! Named places where the kill sweep ends the process, to prove that any step may die anywhere.
//!
//! Compiled to nothing unless the feature `fail-points` is on; shipped binaries never have it.

/// Ends the process with SIGKILL if `DNS01_FAIL_POINT` is `name`, or `name#n` at the n-th passing; with
/// `DNS01_FAIL_POINT_LOG` set, first appends `name` to that file so that a sweep can learn all the points there are.
///
/// # Panics
/// Where `DNS01_FAIL_POINT_PANIC` is `name`, to show what a bug looks like.
#[cfg(feature = "fail-points")]
pub fn pass(name: &str) {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    static PASSED: AtomicU32 = AtomicU32::new(0);
    if let Some(log) = std::env::var_os("DNS01_FAIL_POINT_LOG")
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(log)
    {
        let _ = writeln!(file, "{name}");
    }
    assert!(std::env::var("DNS01_FAIL_POINT_PANIC").as_deref() != Ok(name), "asked to panic");
    let Ok(wanted) = std::env::var("DNS01_FAIL_POINT") else { return };
    let (point, nth) = wanted.split_once('#').unwrap_or((&wanted, "1"));
    if point == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == nth.parse().unwrap_or(1) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Does nothing: this build has no fail points.
#[cfg(not(feature = "fail-points"))]
pub fn pass(_name: &str) {}
