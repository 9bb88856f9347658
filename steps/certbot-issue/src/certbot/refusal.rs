//! What a certbot that failed has said, as one failure: the CA's own answer where that is the cause.
//!
//! certbot's exit code is 1 for everything. Its log ends with the exception that ended it, and holds each answer of
//! the CA as it came; what it prints names the challenges that failed.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use dns01_acme::{AcmeError, Refusal};
use dns01_core::Exit;
use dns01_step::Failure;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Folder;

/// What was attempted.
const WHAT: &str = "get the certificate through certbot";

/// So much of the end of a file is looked at.
const END: usize = 256 * 1024;

/// The failure that certbot's log and output tell of.
pub(super) fn read(folder: &Folder, status: ExitStatus) -> Failure {
    failure(&end_of(&folder.log()), &end_of(&folder.output()), status)
}

fn end_of(path: &std::path::Path) -> String {
    let octets = fs::read(path).unwrap_or_default();
    let from = octets.len().saturating_sub(END);
    String::from_utf8_lossy(octets.get(from..).unwrap_or_default()).into_owned()
}

fn failure(log: &str, output: &str, status: ExitStatus) -> Failure {
    let Some((exception, words)) = exception(log) else { return unexplained(output, status) };
    let kind = exception.rsplit('.').next().unwrap_or_default();
    match kind {
        // The order has failed after it was finalized, which is no answer to a request.
        "IssuanceError" => return Failure::of(AcmeError::Invalid { why: last_part(words) }, WHAT),
        "TimeoutError" => return said(Exit::NotYet, "the CA was not done in time"),
        _ => (),
    }
    if let (true, Some(refusal)) = (exception.starts_with("acme."), last_refusal(log)) {
        return Failure::of(AcmeError::from(refusal), WHAT);
    }
    match kind {
        "AuthorizationError" if words.starts_with("Some challenges have failed") => {
            Failure::of(AcmeError::Invalid { why: failed_challenges(output) }, WHAT)
                .hint("look at what the CA says about each name, and run again")
        }
        "AuthorizationError" => said(Exit::NotYet, words),
        "SSLError" => said(Exit::Config, "the CA's TLS certificate is not trusted")
            .hint("for a private CA give its root with --ca-bundle (caBundleFile in dns01.yaml)"),
        _ if ["acme.", "requests."].iter().any(|room| exception.starts_with(room)) => {
            said(Exit::Transient, words)
        }
        "ValueError" if words.starts_with("Requesting ") => said(Exit::Transient, words),
        "OSError" if words.contains("No space left") => said(Exit::LocalResource, words),
        _ => said(Exit::Config, words),
    }
}

/// No exception is on record: certbot did not understand its command line, or was killed.
fn unexplained(output: &str, status: ExitStatus) -> Failure {
    if let Some(signal) = status.signal() {
        return said(Exit::Transient, &format!("it was ended by signal {signal}"));
    }
    let last = output.lines().rev().find(|line| !line.trim().is_empty());
    said(Exit::Config, last.unwrap_or("it said nothing"))
        .hint("check that certbot is version 5 or later")
}

fn said(exit: Exit, words: &str) -> Failure {
    let words: String = words.chars().take(300).collect();
    Failure::new(exit, format!("could not {WHAT}: {}", words.trim().trim_end_matches('.')))
}

/// The exception that ended certbot: the first line below the last traceback that is not indented, split at its colon.
fn exception(log: &str) -> Option<(&str, &str)> {
    let (_, after) = log.rsplit_once(":Exiting abnormally:\n")?;
    // With a cause, a second traceback follows the first one.
    let last = after.rsplit("Traceback (most recent call last):\n").next()?;
    let line = last.lines().find(|line| !line.starts_with(' ') && !line.is_empty())?;
    Some(line.split_once(": ").unwrap_or((line, line)))
}

/// `urn:… :: description :: detail`: the last part is the CA's own.
fn last_part(words: &str) -> String {
    words.rsplit(" :: ").next().unwrap_or(words).trim_end_matches('.').to_owned()
}

/// The CA's last answer, as it came, where it was an error.
fn last_refusal(log: &str) -> Option<Refusal> {
    let (_, text) = log.rsplit_once(":Received response:\nHTTP ")?;
    let (head, rest) = text.split_once("\n\n")?;
    let mut lines = head.lines();
    let status = StatusCode::from_bytes(lines.next()?.trim().as_bytes()).ok()?;
    if status.as_u16() < 400 {
        return None;
    }
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        })
        .collect();
    // The next record of the log begins with a date.
    let body = rest.lines().take_while(|line| !is_record(line)).collect::<Vec<_>>().join("\n");
    Some(Refusal::read(status, &headers, body.as_bytes()))
}

fn is_record(line: &str) -> bool {
    line.split_once(',').is_some_and(|(at, _)| at.len() == 19 && at.starts_with("20"))
}

/// `Identifier: …, Type: …, Detail: …` of each challenge that failed, as the native engine words it.
fn failed_challenges(output: &str) -> String {
    let (mut all, mut name, mut kind) = (Vec::new(), "", "");
    for (label, text) in output.lines().filter_map(|line| line.trim().split_once(':')) {
        match label {
            "Identifier" => name = text.trim(),
            "Type" => kind = text.trim(),
            "Detail" => {
                let detail: String = text.trim().chars().take(256).collect();
                all.push(format!("`{name}`: {} ({kind})", detail.trim_end_matches('.')));
            }
            _ => (),
        }
    }
    if all.is_empty() { "some challenges have failed".to_owned() } else { all.join("; ") }
}

#[cfg(test)]
mod tests;
