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
        "TimeoutError" => return said(Exit::NotYet, words),
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
        _ if exception.starts_with("requests.") || words.contains("Requesting ") => {
            said(Exit::Transient, words)
        }
        "OSError" if words.contains("No space left") => said(Exit::LocalResource, words),
        _ => said(Exit::Config, words),
    }
}

/// No exception is on record: certbot did not understand its command line, or was killed.
fn unexplained(output: &str, status: ExitStatus) -> Failure {
    match status.signal() {
        Some(signal) => said(Exit::Transient, &format!("it was ended by signal {signal}")),
        None => {
            let last = output.lines().rev().find(|line| !line.trim().is_empty());
            said(Exit::Config, last.unwrap_or("it said nothing"))
                .hint("check that certbot is version 5 or later")
        }
    }
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
    line.split_once(',').is_some_and(|(at, rest)| {
        at.len() == 19 && at.starts_with("20") && rest.contains(":DEBUG:")
            || rest.contains(":INFO:")
            || rest.contains(":ERROR:")
    })
}

/// `Identifier: …, Type: …, Detail: …` of each challenge that failed, as the native engine words it.
fn failed_challenges(output: &str) -> String {
    let after = |line: &str, label: &str| {
        line.trim().strip_prefix(label).map(|rest| rest.trim().to_owned())
    };
    let (mut all, mut name, mut kind) = (Vec::new(), String::new(), String::new());
    for line in output.lines() {
        if let Some(found) = after(line, "Identifier:").or_else(|| after(line, "Domain:")) {
            name = found;
        } else if let Some(found) = after(line, "Type:") {
            kind = found;
        } else if let Some(detail) = after(line, "Detail:") {
            all.push(format!("`{name}`: {} ({kind})", detail.trim_end_matches('.')));
        }
    }
    if all.is_empty() { "some challenges have failed".to_owned() } else { all.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exit code 1.
    const FAILED: i32 = 1 << 8;

    /// A log as certbot 5.8 writes it: an answer of the CA, more records, and the end.
    fn log(answer: &str, exception: &str) -> String {
        format!(
            "2026-11-21 10:00:00,000:DEBUG:acme.client:Received response:\nHTTP 200\nServer: x\n\n{{}}\n\
             2026-11-21 10:00:01,000:DEBUG:acme.client:Received response:\nHTTP {answer}\n\
             2026-11-21 10:00:01,100:DEBUG:certbot._internal.log:Exiting abnormally:\n\
             Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    b()\n{exception}\n\
             2026-11-21 10:00:01,101:ERROR:certbot._internal.log:An unexpected error occurred:\n"
        )
    }

    #[test]
    fn the_cas_answer_gives_the_exit_code_and_the_words() {
        let body =
            r#"{"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids it","status":403}"#;
        let exception =
            "acme.messages.Error: urn:ietf:params:acme:error:caa :: … :: CAA forbids it";
        let answer = format!("403\nContent-Type: application/problem+json\n\n{body}");
        let told = failure(&log(&answer, exception), "", ExitStatus::from_raw(FAILED));
        assert_eq!(told.exit(), Exit::CaRejected);
        assert_eq!(
            told.reason(),
            "could not get the certificate through certbot: the CA refused: CAA forbids it (caa) (status 403)"
        );
        let answer = "503\nRetry-After: 120\n\n<html>\nbusy\n</html>";
        let told = failure(
            &log(answer, "acme.errors.ClientError: <Response [503]>"),
            "",
            ExitStatus::from_raw(FAILED),
        );
        assert_eq!(told.exit(), Exit::Transient);
        assert!(told.retry_at().is_some() && told.reason().ends_with("busy (status 503)"));
    }

    #[test]
    fn failures_that_are_no_answer_have_codes_of_their_own() {
        let fine = "200\n\n{}";
        for (exception, exit) in [
            (
                "acme.errors.IssuanceError: urn:ietf:params:acme:error:badCSR :: x :: no",
                Exit::OrderDead,
            ),
            ("acme.errors.TimeoutError", Exit::NotYet),
            (
                "certbot.errors.AuthorizationError: All authorizations were not finalized by the CA.",
                Exit::NotYet,
            ),
            ("requests.exceptions.SSLError: HTTPSConnectionPool(host='ca')", Exit::Config),
            (
                "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='ca')",
                Exit::Transient,
            ),
            ("requests.exceptions.ReadTimeout: read timeout=45", Exit::Transient),
            ("OSError: [Errno 28] No space left on device", Exit::LocalResource),
            ("certbot.errors.Error: The manual plugin is not working", Exit::Config),
        ] {
            assert_eq!(
                failure(&log(fine, exception), "", ExitStatus::from_raw(FAILED)).exit(),
                exit,
                "{exception}"
            );
        }
    }

    #[test]
    fn of_an_exception_with_a_cause_the_last_one_counts() {
        let exception = "OSError: [Errno 111] Connection refused\n\n\
            During handling of the above exception, another exception occurred:\n\n\
            Traceback (most recent call last):\n  File \"c.py\"\nrequests.exceptions.ConnectionError: down";
        let told = failure(&log("200\n\n{}", exception), "", ExitStatus::from_raw(FAILED));
        assert_eq!(told.reason(), "could not get the certificate through certbot: down");
    }

    #[test]
    fn failed_challenges_are_listed_name_by_name() {
        let output = "The CA reported these problems:\n  Identifier: a.test\n  Type:   unauthorized\n  \
            Detail: No TXT record.\n\n  Identifier: b.test\n  Type:   dns\n  Detail: SERVFAIL\n\nHint: …\n";
        let log =
            log("200\n\n{}", "certbot.errors.AuthorizationError: Some challenges have failed.");
        let told = failure(&log, output, ExitStatus::from_raw(FAILED));
        assert_eq!(told.exit(), Exit::OrderDead);
        assert_eq!(
            told.reason(),
            "could not get the certificate through certbot: the order is invalid: \
             `a.test`: No TXT record (unauthorized); `b.test`: SERVFAIL (dns)"
        );
    }

    #[test]
    fn without_a_log_the_last_line_or_the_signal_is_told() {
        let told = failure(
            "",
            "usage: …\ncertbot: error: unrecognized arguments: --x\n\n",
            ExitStatus::from_raw(FAILED),
        );
        assert_eq!(told.exit(), Exit::Config);
        assert!(told.reason().ends_with("certbot: error: unrecognized arguments: --x"));
        let killed = failure("", "", ExitStatus::from_raw(9));
        assert_eq!(killed.exit(), Exit::Transient);
        assert!(killed.reason().ends_with("it was ended by signal 9"));
    }
}
