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
    let exception = "acme.messages.Error: urn:ietf:params:acme:error:caa :: … :: CAA forbids it";
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
        ("requests.exceptions.ConnectionError: HTTPSConnectionPool(host='ca')", Exit::Transient),
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
    let log = log("200\n\n{}", "certbot.errors.AuthorizationError: Some challenges have failed.");
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
