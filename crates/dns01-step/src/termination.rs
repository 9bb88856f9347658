//! The message that Argo shows on a node: Kubernetes reads it from `/dev/termination-log`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

/// Writes `line` for Kubernetes to read; outside a pod there is no such file, and none is made.
///
/// `DNS01_TERMINATION_LOG` names another file (a template's `terminationMessagePath`).
pub(crate) fn write(line: &str) {
    let (path, create) = match std::env::var_os("DNS01_TERMINATION_LOG") {
        Some(path) => (PathBuf::from(path), true),
        None => (PathBuf::from("/dev/termination-log"), false),
    };
    let file = OpenOptions::new().write(true).truncate(true).create(create).open(path);
    if let Ok(mut file) = file {
        // Losing this message must not change how the step ends.
        let _ = file.write_all(line.as_bytes());
    }
}
