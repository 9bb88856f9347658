//! One log stream on stderr: text for people, JSON lines for clusters.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How the stream looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    /// `DNS01_LOG_FORMAT=json`, as the templates set it; else text.
    pub(crate) fn from_environment() -> Self {
        match std::env::var("DNS01_LOG_FORMAT").as_deref() {
            Ok("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// The targets of our own crates: the steps are called what they do.
const OURS: [&str; 8] = [
    "dns01",
    "certbot_issue",
    "cleanup",
    "order",
    "present",
    "renew_check",
    "store_secret",
    "wait_propagation",
];

/// Starts the stream. `DNS01_LOG` filters it (`debug`, `dns01_lookup=trace`); libraries below us speak from `warn` up.
pub(crate) fn start(format: Format) {
    let filter = std::env::var("DNS01_LOG").unwrap_or_default();
    let ours = OURS.map(|target| format!("{target}=info")).join(",");
    let filter = EnvFilter::builder().parse_lossy(format!("warn,{ours},{filter}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_span_events(FmtSpan::NONE);
    // A second start (tests, `dns01 issue` running steps) keeps the first.
    let _ = match format {
        Format::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
        Format::Text => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colour).without_time().with_target(false).try_init()
        }
    };
}
