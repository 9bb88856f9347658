//! What the library's errors mean. They are strings; here is the one place that reads them.

use dns_update::Error;
use dns01_core::Zone;

use super::refusal::{Refusal, quote};
use crate::{ProviderError, ProviderSpec};

/// What was being done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    Add,
    Remove,
    List,
}

impl Act {
    /// As in "values were …".
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Add => "added",
            Self::Remove => "removed",
            Self::List => "read",
        }
    }
}

/// What an error means for the one who wrote.
#[derive(Debug)]
pub(super) enum Fault {
    /// Somebody else wrote meanwhile: read again and decide anew.
    Raced,
    /// The provider asks for a pause; this is the error if pauses don't help.
    Throttled(ProviderError),
    /// There is no point in going on.
    Final(ProviderError),
}

/// Provider codes that mean "somebody has written meanwhile": Cloudflare (record exists, record gone), Hetzner, Route 53;
/// deSEC has words only.
const RACED: &[&str] =
    &["81044", "81057", "81058", "conflict", "locked", "uniqueness_error", "InvalidChangeBatch"];
const RACED_IN_WORDS: &str = "Another RRset with the same subdomain and type exists";

/// Provider codes for bad credentials that come with the status 400: Cloudflare, Route 53.
const DENIED: &[&str] = &[
    "1000",
    "6003",
    "6111",
    "9103",
    "9106",
    "9109",
    "10000",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "ExpiredToken",
];

/// Provider codes for "slow down" that come with the status 400: Route 53.
const THROTTLED: &[&str] = &["Throttling", "ThrottlingException", "PriorRequestNotComplete"];

/// How the errors of the HTTP client start; the rest is a URL.
const UNANSWERED: &[&str] =
    &["Failed to send request", "Failed to read response", "error sending request"];

/// Says what `error` means.
pub(super) fn sort(
    error: &Error,
    act: Act,
    zone: &Zone,
    spec: &ProviderSpec,
    credentials: &[(String, String)],
) -> Fault {
    let title = spec.title;
    let unavailable = |what| ProviderError::Unavailable { what, hint: None };
    let denied = |said: String| ProviderError::Denied {
        what: format!("{title} refused the credentials: {said}"),
        hint: format!(
            "check that they are current, and give them {} for `{zone}`",
            spec.permission
        ),
        credentials: credentials.to_vec(),
    };
    let no_zone = || ProviderError::NoZone {
        what: format!("{title} has no zone `{zone}` for these credentials"),
        hint: format!("check the account, and that the credentials may read `{zone}`"),
    };
    let text = match error {
        Error::Unauthorized => return Fault::Final(denied("401".into())),
        // Deleting what somebody else has deleted first.
        Error::NotFound if act == Act::Remove => return Fault::Raced,
        Error::NotFound => return Fault::Final(no_zone()),
        Error::Api(text) | Error::Response(text) | Error::Client(text) | Error::Protocol(text) => {
            text
        }
        Error::Serialize(_) | Error::Parse(_) => return Fault::Final(unreadable(title)),
        other => {
            return Fault::Final(ProviderError::Rejected {
                what: format!("{title}: {}", quote(&other.to_string())),
            });
        }
    };
    if text.starts_with("No Cloudflare zone") || text.starts_with("No suitable hosted zone") {
        return Fault::Final(no_zone());
    }
    if UNANSWERED.iter().any(|start| text.starts_with(start)) {
        return Fault::Final(ProviderError::Unavailable {
            what: format!("the API of {title} could not be reached"),
            hint: Some("check the way to it: DNS, firewall, HTTPS_PROXY, CA certificates".into()),
        });
    }
    let refusal = Refusal::read(text);
    let said = refusal.said();
    let is = |codes: &[&str]| codes.contains(&refusal.code.as_str());
    if refusal.status == Some(429) || is(THROTTLED) {
        return Fault::Throttled(unavailable(format!("{title} is limiting requests: {said}")));
    }
    Fault::Final(match refusal.status {
        Some(409) => return Fault::Raced,
        _ if is(RACED) || text.contains(RACED_IN_WORDS) => return Fault::Raced,
        Some(401 | 403) => denied(said),
        _ if is(DENIED) => denied(said),
        Some(404) => no_zone(),
        Some(300..=399) => unreadable(title),
        Some(status) if status < 500 => {
            ProviderError::Rejected { what: format!("{title} rejected the request: {said}") }
        }
        Some(_) => unavailable(format!("{title} has a problem of its own: {said}")),
        None => unavailable(format!("{title} failed: {said}")),
    })
}

/// The answer was not what the provider's API answers.
pub(super) fn unreadable(title: &str) -> ProviderError {
    ProviderError::Unavailable {
        what: format!("the answer of {title} cannot be understood"),
        hint: Some("look for a proxy between here and the provider".into()),
    }
}

#[cfg(test)]
mod tests {
    use dns01_core::{Exit, Explain as _};

    use super::super::rows::CLOUDFLARE;
    use super::*;

    fn sorted(error: &Error, act: Act) -> Fault {
        let zone = Zone { apex: "example.org".parse().unwrap() };
        sort(error, act, &zone, &CLOUDFLARE, &[("token".into(), "X from …".into())])
    }

    fn last(text: &str) -> ProviderError {
        match sorted(&Error::Api(text.into()), Act::Add) {
            Fault::Final(error) | Fault::Throttled(error) => error,
            Fault::Raced => panic!("{text}: raced"),
        }
    }

    #[test]
    fn what_vendors_say_becomes_an_exit_code() {
        for (text, exit) in [
            (
                r#"HTTP 403: {"errors":[{"code":10000,"message":"Authentication error"}]}"#,
                Exit::AuthRefused,
            ),
            (
                r#"BadRequest {"errors":[{"code":6003,"message":"Invalid request headers"}]}"#,
                Exit::AuthRefused,
            ),
            (
                "Route53 API error: 403 Forbidden - <Code>InvalidClientTokenId</Code>",
                Exit::AuthRefused,
            ),
            ("Route53 BadRequest: <Error><Code>ExpiredToken</Code></Error>", Exit::AuthRefused),
            ("No Cloudflare zone found for example.org", Exit::NotFound),
            ("No suitable hosted zone found for name: a.example.org.", Exit::NotFound),
            ("Route53 API error: 404 Not Found - <Code>NoSuchHostedZone</Code>", Exit::NotFound),
            (r#"BadRequest {"errors":[{"code":9021,"message":"Invalid TTL"}]}"#, Exit::Input),
            (
                r#"HTTP 422: {"id":"unprocessable_entity","message":"Data can't be blank"}"#,
                Exit::Input,
            ),
            (r#"HTTP 429: {"detail":"Request was throttled."}"#, Exit::Transient),
            ("Route53 API error: 400 Bad Request - <Code>Throttling</Code>", Exit::Transient),
            ("HTTP 302", Exit::Transient),
            ("HTTP 502: <html>", Exit::Transient),
            ("HTTP 503", Exit::Transient),
            ("Failed to send request to https://x/404: error", Exit::Transient),
            ("error sending request for url (https://route53.amazonaws.com/)", Exit::Transient),
        ] {
            assert_eq!(last(text).exit(), exit, "{text}");
        }
    }

    #[test]
    fn a_refusal_tells_status_code_and_message() {
        let error = last(
            r#"HTTP 403: {"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}"#,
        );
        assert_eq!(
            error.to_string(),
            "Cloudflare refused the credentials: 403, code 10000 \"Authentication error\""
        );
        assert!(
            error.hint().unwrap().ends_with("give them Zone:Read and DNS:Edit for `example.org`")
        );
        assert_eq!(error.facts().len(), 1);
    }

    #[test]
    fn another_writer_in_between_means_read_again() {
        for text in [
            r#"BadRequest {"errors":[{"code":81058,"message":"An identical record already exists."}]}"#,
            r#"HTTP 409: {"error":{"code":"conflict","message":"…"}}"#,
            r#"HTTP 422: {"error":{"code":"uniqueness_error","message":"…"}}"#,
            r#"BadRequest {"non_field_errors":["Another RRset with the same subdomain and type exists for this domain."]}"#,
            "Route53 BadRequest: <InvalidChangeBatch xmlns=\"…\"><Messages><Message>it was not found",
        ] {
            assert!(matches!(sorted(&Error::Api(text.into()), Act::Add), Fault::Raced), "{text}");
        }
        assert!(matches!(sorted(&Error::NotFound, Act::Remove), Fault::Raced));
        assert!(matches!(
            sorted(&Error::NotFound, Act::List),
            Fault::Final(ProviderError::NoZone { .. })
        ));
    }

    #[test]
    fn nothing_that_could_be_a_credential_gets_through() {
        let token = "v1.0-e24fd090153b4ab2a1e9";
        for text in [
            format!(r#"HTTP 403: {{"errors":[{{"code":1,"message":"bad token {token}\u0007"}}]}}"#),
            format!("HTTP 500: {token}"),
            format!("something with {token}"),
            format!(r#"HTTP 400: {{"code":"{token}"}}"#),
        ] {
            let error = last(&text);
            let seen = format!("{error} {error:?} {:?}", error.hint());
            assert!(!seen.contains(token) && !seen.contains('\u{7}'), "{seen}");
        }
    }
}
