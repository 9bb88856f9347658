//! What `dns01 issue` says when it is done.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use dns01_core::{Chain, FolderLayout, SinkAddress};
use dns01_step::PlannedSink;
use dns01_store::journal::State;

/// The closing text after a certificate was delivered.
pub(crate) fn delivered(
    name: &str,
    chain: &Chain,
    sinks: &[PlannedSink],
    (renews, suggested): (DateTime<Utc>, Option<bool>),
    with_key: bool,
) -> String {
    let now = Utc::now();
    let leaf = chain.leaf();
    let names: Vec<String> = leaf.names.iter().map(dns01_core::Identifier::unicode).collect();
    let mut text = format!("\nCertificate {name}: {}\n", names.join(", "));
    for sink in sinks {
        place(&mut text, name, sink, with_key);
    }
    // Rounded: a certificate that was made a minute ago has its 90 days.
    let hours = ((leaf.not_after - now).num_minutes() + 30) / 60;
    let left =
        if hours > 48 { format!("{} days", (hours + 12) / 24) } else { format!("{hours} hours") };
    let why = match suggested {
        Some(true) => " (the CA's ARI window)",
        Some(false) => " (by its lifetime)",
        None => "",
    };
    let _ = writeln!(text, "  expires    {} UTC ({left})", leaf.not_after.format("%Y-%m-%d %H:%M"));
    let _ = write!(text, "  renews     about {}{why}", renews.format("%Y-%m-%d"));
    text
}

fn place(text: &mut String, name: &str, sink: &PlannedSink, with_key: bool) {
    match &sink.address {
        SinkAddress::Dir(path) => {
            let files = &sink.options.files;
            let folder = match sink.options.layout {
                FolderLayout::Plain => path.clone(),
                FolderLayout::Certbot => path.join("live").join(name),
            };
            let mode = sink.options.key_mode();
            let _ = writeln!(text, "  fullchain  {}", folder.join(&files.fullchain).display());
            if !with_key {
                return;
            }
            let _ = writeln!(
                text,
                "  key        {}  ({mode:04o} {})",
                folder.join(&files.key).display(),
                user()
            );
        }
        SinkAddress::Secret { .. } => {
            let _ = writeln!(
                text,
                "  secret     {}",
                sink.address.to_string().trim_start_matches("secret:")
            );
        }
        SinkAddress::Stdout => (),
    }
}

fn user() -> String {
    if rustix::process::geteuid().is_root() {
        return "root".to_owned();
    }
    std::env::var("USER").unwrap_or_else(|_| rustix::process::geteuid().as_raw().to_string())
}

/// The one line of a call that found nothing to do.
pub(crate) fn nothing(
    name: &str,
    reason: &str,
    not_after: Option<DateTime<Utc>>,
    next_check: Option<DateTime<Utc>>,
) -> String {
    let mut text = format!("Certificate {name}: nothing to do, it is {reason}");
    if let Some(at) = not_after {
        let _ = write!(text, "; expires {}", at.format("%Y-%m-%d"));
    }
    if let Some(at) = next_check {
        let _ = write!(text, ", renews about {}", at.format("%Y-%m-%d"));
    }
    text + " (--force issues now)"
}

/// How people call the CA: by our name for it, or by its host.
pub(crate) fn ca_name(state: &State) -> String {
    let account = state.spec.account.as_str();
    let host = || state.spec.directory.split('/').nth(2).unwrap_or(account).to_owned();
    if account.starts_with("ca-") { host() } else { account.to_owned() }
}
