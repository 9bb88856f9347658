//! Authorizations: the CA's permission, name by name.

use chrono::{DateTime, Utc};
use dns01_core::{DomainName, Identifier};
use instant_acme::{AuthorizationState, ChallengeType};
pub use instant_acme::{AuthorizationStatus, ChallengeStatus};
use serde::Deserialize;

use crate::http::{Answer, Http};
use crate::{AcmeError, Problem};

const LONGEST_TOKEN: usize = 256;

/// The CA's permission for one name (RFC 8555 §7.1.4).
#[derive(Clone, Debug)]
pub struct Authorization {
    /// Its URL.
    pub url: String,
    /// The name, without `*.`.
    pub domain: DomainName,
    /// Whether it is for `*.domain`.
    pub wildcard: bool,
    /// How it stands.
    pub status: AuthorizationStatus,
    /// Until when it can be used.
    pub expires: Option<DateTime<Utc>>,
    /// The DNS-01 challenge, where the CA offers one.
    pub dns01: Option<Dns01>,
}

/// A DNS-01 challenge as the CA states it (RFC 8555 §8.4).
#[derive(Clone, Debug)]
pub struct Dns01 {
    /// Its URL.
    pub url: String,
    /// The token, base64url.
    pub token: String,
    /// How it stands.
    pub status: ChallengeStatus,
    /// Why the CA was not satisfied.
    pub error: Option<Problem>,
}

/// What instant-acme leaves out of an authorization.
#[derive(Deserialize)]
struct Rest {
    expires: Option<String>,
}

impl Authorization {
    pub(crate) fn read(answer: &Answer, http: &Http) -> Result<Self, AcmeError> {
        let state: AuthorizationState = answer.json()?;
        let rest: Rest = answer.json()?;
        let name = state.identifier();
        let wildcard = name.wildcard;
        let name: Identifier = match name.identifier {
            instant_acme::Identifier::Dns(name) => {
                name.parse().map_err(|error| answer.unintelligible(error))?
            }
            _ => return Err(answer.unintelligible("it is for no DNS name")),
        };
        let dns01 =
            state.challenges.iter().find(|challenge| challenge.r#type == ChallengeType::Dns01);
        let dns01 = dns01.map(|challenge| {
            let token = challenge.token.clone();
            let is_base64url =
                |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
            if !(1..=LONGEST_TOKEN).contains(&token.len()) || !token.bytes().all(is_base64url) {
                return Err(answer.unintelligible("its token is not base64url"));
            }
            let error = challenge.error.as_ref().map(Problem::clean);
            Ok(Dns01 { url: http.check(&challenge.url)?, token, status: challenge.status, error })
        });
        Ok(Self {
            url: answer.url.clone(),
            domain: name.domain().clone(),
            wildcard: wildcard || name.is_wildcard(),
            status: state.status,
            expires: rest.expires.and_then(|text| text.parse().ok()),
            dns01: dns01.transpose()?,
        })
    }

    /// What it is for.
    pub fn identifier(&self) -> Identifier {
        let name = Identifier::from(self.domain.clone());
        if self.wildcard { name.counterpart() } else { name }
    }

    /// Why no certificate can come of it; `None` while one can.
    pub(crate) fn failure(&self) -> Option<String> {
        let why = match self.status {
            AuthorizationStatus::Pending | AuthorizationStatus::Valid => return None,
            AuthorizationStatus::Invalid => "refused",
            AuthorizationStatus::Revoked => "revoked",
            AuthorizationStatus::Expired => "expired",
            AuthorizationStatus::Deactivated => "deactivated",
        };
        let error = self.dns01.as_ref().and_then(|challenge| challenge.error.as_ref());
        let why = error.map_or_else(|| why.to_owned(), ToString::to_string);
        Some(format!("`{}`: {why}", self.identifier()))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::CaSettings;

    fn read(body: &Value) -> Result<Authorization, AcmeError> {
        let settings = CaSettings::new("https://ca.example/dir");
        let http = Http::new(&settings, &settings.directory.parse().unwrap()).unwrap();
        let answer = Answer {
            url: "https://ca.example/authz/1".into(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.to_string().into(),
        };
        Authorization::read(&answer, &http)
    }

    fn authorization(token: &str, url: &str) -> Value {
        json!({ "status": "pending", "expires": "2030-01-01T00:00:00Z", "wildcard": true,
            "identifier": { "type": "dns", "value": "example.org" },
            "challenges": [
                { "type": "http-01", "status": "pending", "url": "https://ca.example/h", "token": "x" },
                { "type": "dns-01", "status": "pending", "url": url, "token": token } ] })
    }

    #[test]
    fn the_dns_01_challenge_is_picked_and_the_wildcard_kept() {
        let read = read(&authorization("abc-_1", "https://ca.example/c/1")).unwrap();
        assert_eq!(read.identifier().to_string(), "*.example.org");
        assert_eq!(read.dns01.unwrap().url, "https://ca.example/c/1");
        assert!(read.expires.is_some());
    }

    #[test]
    fn hostile_tokens_and_urls_are_refused() {
        for token in ["", "../x", "a.b", "$(id)", "a\nb", "a=", &"a".repeat(LONGEST_TOKEN + 1)] {
            assert!(read(&authorization(token, "https://ca.example/c/1")).is_err(), "{token:?}");
        }
        let elsewhere = read(&authorization("abc", "https://evil.example/c/1"));
        assert!(matches!(elsewhere, Err(AcmeError::Elsewhere { .. })));
    }

    #[test]
    fn a_failure_names_the_name_and_the_cas_words() {
        let mut body = authorization("abc", "https://ca.example/c/1");
        body["status"] = "invalid".into();
        body["challenges"][1]["error"] = json!({ "type": "urn:ietf:params:acme:error:unauthorized", "detail": "No TXT record found." });
        assert_eq!(
            read(&body).unwrap().failure().unwrap(),
            "`*.example.org`: No TXT record found (unauthorized)"
        );
    }
}
