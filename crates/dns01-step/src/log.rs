//! One log stream on stderr: text for people, JSON lines for clusters.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::live;

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
    let asked = std::env::var("DNS01_LOG")
        .ok()
        .and_then(|text| text.parse::<Targets>().ok())
        .unwrap_or_default();
    let level = asked.default_level();
    let ours = OURS.map(|target| (target, level.unwrap_or(LevelFilter::INFO)));
    let filter = Targets::new().with_default(level.unwrap_or(LevelFilter::WARN)).with_targets(ours);
    let filter = filter.with_targets(asked);
    // A second start (tests, `dns01 issue` running steps) keeps the first.
    let _ = match format {
        Format::Json => {
            let lines =
                layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            registry().with(lines.with_writer(live::lasting_stderr).with_filter(filter)).try_init()
        }
        Format::Text => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let lines = layer().with_ansi(colour).without_time().with_target(false);
            registry().with(lines.with_writer(live::lasting_stderr).with_filter(filter)).try_init()
        }
    };
}
