//! A CA's no: with a problem document, or with whatever a proxy in front of it says.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use dns01_core::{Exit, Explain};
use http::{HeaderMap, StatusCode};

use crate::Problem;
use crate::http::retry_after;
use crate::link::linked;
use crate::problem::clean;

/// A request that the CA answered with an error.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the CA refused: {problem} (status {})", status.as_u16())]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the CA said; without a problem document, the first words of what was there.
    pub problem: Problem,
    /// How long the CA asks us to wait.
    pub retry_after: Option<Duration>,
    is_of_ca: bool,
    terms: Option<String>,
    received: SystemTime,
}

impl Refusal {
    /// Reads the answer to a request that was just made.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let document: Option<instant_acme::Problem> = serde_json::from_slice(body).ok();
        let received = SystemTime::now();
        Self {
            status,
            // A proxy knows neither ACME's problems nor nonces.
            is_of_ca: headers.contains_key("replay-nonce")
                || document.as_ref().is_some_and(|document| document.r#type.is_some()),
            problem: document
                .map_or_else(|| Self::words(headers, body), |document| Problem::clean(&document)),
            retry_after: retry_after(headers, received),
            terms: linked(headers, "terms-of-service").first().map(|url| clean(url)),
            received,
        }
    }

    /// The refusal that instant-acme made of a problem document inside an order.
    pub(crate) fn in_order(problem: Problem) -> Self {
        Self {
            status: StatusCode::OK,
            problem,
            is_of_ca: true,
            retry_after: None,
            terms: None,
            received: SystemTime::now(),
        }
    }

    /// No problem document: an HTML page's tags say nothing, its words may.
    fn words(headers: &HeaderMap, body: &[u8]) -> Problem {
        let start = String::from_utf8_lossy(&body[..body.len().min(4096)]);
        let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
        let is_html =
            kind.is_some_and(|kind| kind.contains("html")) || start.trim_start().starts_with('<');
        let detail = if is_html { clean(&without_tags(&start)) } else { clean(&start) };
        Problem { detail, ..Problem::default() }
    }

    /// Whether the CA itself, and no proxy in front of it, says: not there, or not yours.
    pub(crate) fn is_denial(&self) -> bool {
        let denied = self.status == StatusCode::NOT_FOUND || self.exit() == Exit::AuthRefused;
        self.is_of_ca && denied
    }

    /// Whether the CA would do it later, and has done nothing now.
    pub(crate) fn is_overload(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
            || self.problem.kind == "rateLimited"
            || self.status == StatusCode::SERVICE_UNAVAILABLE
    }
}

impl Explain for Refusal {
    fn exit(&self) -> Exit {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            return Exit::RateLimited;
        }
        match self.problem.kind.as_str() {
            "rateLimited" => Exit::RateLimited,
            _ if self.status.is_server_error() => Exit::Transient,
            "badNonce" | "malformed" | "serverInternal" => Exit::Transient,
            "orderNotReady" => Exit::NotYet,
            "unauthorized" | "accountDoesNotExist" => Exit::AuthRefused,
            "" => match self.status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::AuthRefused,
                StatusCode::NOT_FOUND => Exit::NotFound,
                StatusCode::REQUEST_TIMEOUT => Exit::Transient,
                StatusCode::CONFLICT => Exit::Conflict,
                // Not the CA's own word, which alone ends an order.
                _ if !self.is_of_ca => Exit::Transient,
                _ => Exit::CaRejected,
            },
            _ => Exit::CaRejected,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.problem.kind.as_str() {
            "userActionRequired" => {
                let terms = self.terms.as_deref().map(|url| format!(" at {url}"));
                return Some(format!(
                    "read the terms of service{}, then run again with `--agree-tos`",
                    terms.unwrap_or_default()
                ));
            }
            "externalAccountRequired" => {
                "get a key id and HMAC key from the CA, and give them as `--eab-kid` and `--eab-hmac-key-file` (`externalAccountBinding` in dns01.yaml)"
            }
            "caa" => "allow this CA in the domain's CAA records",
            "rejectedIdentifier" | "unsupportedIdentifier" => {
                "leave the name out, or choose another CA with `--server`"
            }
            "invalidContact" | "unsupportedContact" => "correct `--email`, or leave it out",
            "badPublicKey" | "badCSR" => "choose another `--key-type`",
            "accountDoesNotExist" => {
                "check that `--server` is the CA that knows this account, or remove the stored account"
            }
            "rateLimited" => "wait; `--staging` has higher limits for trying things out",
            _ => return None,
        };
        Some(hint.into())
    }

    fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.retry_after.map(|wait| (self.received + wait).into())
    }
}

fn without_tags(html: &str) -> String {
    let mut depth = false;
    html.chars()
        .map(|c| {
            let tag = depth || c == '<';
            depth = tag && c != '>';
            if tag { ' ' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::header::LINK;

    use super::*;

    fn refusal(status: u16, kind: &str) -> Refusal {
        let body = format!(r#"{{"type":"urn:ietf:params:acme:error:{kind}","detail":"d"}}"#);
        Refusal::read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_problem_type_has_the_exit_code_of_the_table() {
        for (status, kind, exit) in [
            (403, "rejectedIdentifier", Exit::CaRejected),
            (403, "caa", Exit::CaRejected),
            (400, "badCSR", Exit::CaRejected),
            (400, "compound", Exit::CaRejected),
            (400, "invalidContact", Exit::CaRejected),
            (400, "somethingNew", Exit::CaRejected),
            (403, "userActionRequired", Exit::CaRejected),
            (401, "unauthorized", Exit::AuthRefused),
            (400, "accountDoesNotExist", Exit::AuthRefused),
            (429, "rateLimited", Exit::RateLimited),
            (403, "rateLimited", Exit::RateLimited),
            (503, "rateLimited", Exit::RateLimited),
            (403, "orderNotReady", Exit::NotYet),
            (500, "serverInternal", Exit::Transient),
            (500, "caa", Exit::Transient),
            (400, "badNonce", Exit::Transient),
            (400, "malformed", Exit::Transient),
        ] {
            assert_eq!(refusal(status, kind).exit(), exit, "{status} {kind}");
        }
    }

    #[test]
    fn an_html_page_leaves_its_status_and_its_words() {
        let page =
            b"<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>";
        let refusal = Refusal::read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), page);
        assert_eq!(refusal.exit(), Exit::Transient);
        assert_eq!(refusal.to_string(), "the CA refused: 502 Bad Gateway nginx (status 502)");
        let empty = Refusal::read(StatusCode::FORBIDDEN, &HeaderMap::new(), b"");
        assert_eq!(empty.to_string(), "the CA refused: no reason given (status 403)");
        assert_eq!(empty.exit(), Exit::AuthRefused);
    }

    #[test]
    fn only_the_ca_itself_can_deny_an_order() {
        let page = b"<html>403 Forbidden</html>";
        for status in [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE] {
            let refusal = Refusal::read(status, &HeaderMap::new(), page);
            assert_eq!(refusal.exit(), Exit::Transient, "{status}");
        }
        for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
            assert!(!Refusal::read(status, &HeaderMap::new(), page).is_denial());
            assert!(!Refusal::read(status, &HeaderMap::new(), b"{}").is_denial());
        }
        let mut headers = HeaderMap::new();
        headers.insert("replay-nonce", "abc".parse().unwrap());
        assert!(Refusal::read(StatusCode::NOT_FOUND, &headers, b"").is_denial());
        assert!(refusal(404, "malformed").is_denial() && refusal(401, "unauthorized").is_denial());
        assert!(!refusal(403, "caa").is_denial() && !refusal(500, "unauthorized").is_denial());
    }

    #[test]
    fn terms_to_agree_to_are_named() {
        let mut headers = HeaderMap::new();
        let link = r#"<https://ca.example/terms>; rel="terms-of-service""#;
        headers.insert(LINK, link.parse().unwrap());
        let body = br#"{"type":"urn:ietf:params:acme:error:userActionRequired"}"#;
        let hint = Refusal::read(StatusCode::FORBIDDEN, &headers, body).hint().unwrap();
        assert!(
            hint.contains("https://ca.example/terms") && hint.contains("--agree-tos"),
            "{hint}"
        );
    }

    #[test]
    fn a_time_to_come_back_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3600".parse().unwrap());
        let refusal = Refusal::read(StatusCode::TOO_MANY_REQUESTS, &headers, b"slow down");
        let wait = refusal.retry_at().unwrap() - Utc::now();
        assert!((3590..=3600).contains(&wait.num_seconds()), "{wait}");
    }
}
