//! A certificate authority: its directory, and what it tells without an account.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use dns01_core::fail_point;
use instant_acme::Account as Voice;
use serde::Deserialize;
use serde_json::json;

use crate::directory::{Directory, check_directory_url};
use crate::http::{Answer, Http, Repeat, Ticket, patiently};
use crate::jws::{Signer, external_binding};
use crate::line::{Line, ours};
use crate::problem::clean;
use crate::{Account, AccountKey, AcmeError, ExternalAccount};

/// How often a renewal window is asked for (RFC 9773 §4.3.1 and §4.3.2), where the CA doesn't say.
const ARI_DEFAULT: Duration = Duration::from_hours(6);
const ARI_SHORTEST: Duration = Duration::from_mins(1);

/// Where a CA is and how patient we are with it.
#[derive(Clone, Debug)]
pub struct CaSettings {
    /// The directory's URL; `https`, or `http` to a loopback address.
    pub directory: String,
    /// PEM certificates trusted besides the system's (or, when set, those of `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    pub roots_pem: Option<String>,
    /// How long one call may wait and repeat: the longest Retry-After, rejected nonces, lost connections.
    pub retry_budget: Duration,
    /// How long one exchange may take.
    pub request_timeout: Duration,
}

impl CaSettings {
    /// The defaults for this directory: one minute of patience, thirty seconds for an exchange.
    pub fn new(directory: impl Into<String>) -> Self {
        Self {
            directory: directory.into(),
            roots_pem: None,
            retry_budget: Duration::from_mins(1),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// When a CA wants a certificate to be renewed (RFC 9773 §4.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RenewalWindow {
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The last; later than `start`.
    pub end: DateTime<Utc>,
    /// A page about it, for people.
    pub explanation_url: Option<String>,
    /// How long to wait before asking again: between a minute and a day (RFC 9773 §4.3.1).
    pub retry_after: Duration,
}

/// A certificate authority, and the one connection to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ca(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Http,
    budget: Duration,
    directory_url: String,
    directory_json: Bytes,
    directory: Directory,
    terms: Option<String>,
    profiles: Vec<(String, String)>,
}

impl Ca {
    /// Fetches the directory (RFC 8555 §7.1.1).
    pub async fn connect(settings: &CaSettings) -> Result<Self, AcmeError> {
        let url = check_directory_url(&settings.directory)?;
        let mut http = Http::new(settings, &url)?;
        let answer =
            patiently(settings.retry_budget, Repeat::Freely, || http.get(url.as_str())).await?;
        let directory: Directory = answer.json()?;
        http.admit(directory.urls())?;
        let profiles =
            directory.meta.profiles.iter().map(|(name, about)| (clean(name), clean(about)));
        Ok(Self(Arc::new(Inner {
            budget: settings.retry_budget,
            directory_url: url.into(),
            terms: directory.meta.terms_of_service.as_deref().map(clean),
            profiles: profiles.collect(),
            directory_json: answer.body,
            directory,
            http,
        })))
    }

    /// The directory's URL.
    pub fn directory_url(&self) -> &str {
        &self.0.directory_url
    }

    /// Where the terms of service can be read.
    pub fn terms_of_service(&self) -> Option<&str> {
        self.0.terms.as_deref()
    }

    /// Whether an account needs [`ExternalAccount`] credentials.
    pub fn external_account_required(&self) -> bool {
        self.0.directory.meta.external_account_required
    }

    /// The certificate profiles on offer: name and description, sorted by name.
    pub fn profiles(&self) -> &[(String, String)] {
        &self.0.profiles
    }

    /// Whether the CA gives renewal information.
    pub fn offers_ari(&self) -> bool {
        self.0.directory.renewal_info.is_some()
    }

    /// When the certificate of this ARI id should be renewed; `None` when the CA has no such information. Needs no
    /// account. A window that doesn't end after its start is an error (RFC 9773 §4.2).
    pub async fn renewal_window(&self, ari_id: &str) -> Result<Option<RenewalWindow>, AcmeError> {
        let Some(base) = &self.0.directory.renewal_info else { return Ok(None) };
        crate::order::certificate_id(ari_id)?;
        let url = format!("{}/{ari_id}", base.trim_end_matches('/'));
        let answer = patiently(self.0.budget, Repeat::Freely, || self.http().get(&url)).await?;
        read_window(&answer).map(Some)
    }

    /// The URL of the account that this key has at the CA, if any; makes none (RFC 8555 §7.3.1).
    pub async fn find_account(&self, key: &AccountKey) -> Result<Option<String>, AcmeError> {
        let found = patiently(self.0.budget, Repeat::Freely, || async {
            let line = Line::new(self.clone());
            let pair = instant_acme::Key::from_pkcs8_der(key.pkcs8()?)
                .map_err(|error| ours(error, &line))?;
            let voice = Voice::builder_with_http(Box::new(line.clone()))
                .from_key((pair, key.pkcs8()?.into()), self.directory_url().to_owned())
                .await
                .map_err(|error| ours(error, &line))?;
            Ok(voice.0.id().to_owned())
        })
        .await;
        match found {
            Ok(url) => self.http().check(&url).map(Some),
            // Some CAs look at the external account first; with it, newAccount gives back the account there is.
            Err(error)
                if error.refused_for("accountDoesNotExist")
                    || error.refused_for("externalAccountRequired") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes an account, agreeing to the terms of service, and gives its URL. With a key that has an account already, that
    /// one's URL comes back. Contacts are e-mail addresses or `mailto:` URLs.
    pub async fn create_account(
        &self,
        key: &AccountKey,
        contact: &[String],
        external: Option<&ExternalAccount>,
    ) -> Result<String, AcmeError> {
        let url = &self.0.directory.new_account;
        let mut payload = json!({ "termsOfServiceAgreed": true });
        if !contact.is_empty() {
            payload["contact"] = contact.iter().map(|address| mailto(address)).collect();
        }
        if let Some(external) = external {
            payload["externalAccountBinding"] = external_binding(external, key, url)?;
        }
        let payload = payload.to_string();
        let answer = patiently(self.0.budget, Repeat::Freely, || {
            self.post(Signer::Key(key), url, payload.as_bytes())
        })
        .await?;
        fail_point::pass("acme::new-account");
        let account =
            answer.location().ok_or_else(|| answer.unintelligible("it names no account"))?;
        self.http().check(account)
    }

    /// The account of `key` at `url`. Asks nobody.
    pub fn account(&self, key: AccountKey, url: String) -> Account {
        Account::new(self.clone(), key, url)
    }

    pub(crate) fn http(&self) -> &Http {
        &self.0.http
    }

    pub(crate) fn budget(&self) -> Duration {
        self.0.budget
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    pub(crate) fn directory_json(&self) -> Bytes {
        self.0.directory_json.clone()
    }

    /// The right to POST. Fetching a nonce may be repeated whatever it is for.
    pub(crate) async fn ticket(&self) -> Result<Ticket, AcmeError> {
        let new_nonce = &self.0.directory.new_nonce;
        patiently(self.0.budget, Repeat::Freely, || self.http().ticket(new_nonce)).await
    }

    /// One signed POST, once.
    pub(crate) async fn post(
        &self,
        signer: Signer<'_>,
        url: &str,
        payload: &[u8],
    ) -> Result<Answer, AcmeError> {
        let ticket = self.ticket().await?;
        let body = signer.sign(ticket.nonce.as_deref(), url, payload)?.to_string();
        self.http().post(url, body.into_bytes(), ticket).await
    }
}

fn mailto(address: &str) -> String {
    let address = address.trim();
    if address.contains(':') { address.to_owned() } else { format!("mailto:{address}") }
}

fn read_window(answer: &Answer) -> Result<RenewalWindow, AcmeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Info {
        suggested_window: Window,
        #[serde(rename = "explanationURL")]
        explanation_url: Option<String>,
    }
    #[derive(Deserialize)]
    struct Window {
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    }
    let info: Info = answer.json()?;
    let Window { start, end } = info.suggested_window;
    if start >= end {
        return Err(answer.unintelligible("the window does not end after its start"));
    }
    Ok(RenewalWindow {
        start,
        end,
        explanation_url: info.explanation_url.map(|url| clean(&url)),
        retry_after: answer.retry_after().unwrap_or(ARI_DEFAULT).max(ARI_SHORTEST),
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn window(
        start: &str,
        end: &str,
        retry_after: Option<&str>,
    ) -> Result<RenewalWindow, AcmeError> {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert("retry-after", text.parse().unwrap());
        }
        read_window(&Answer {
            url: "https://ca.example/ari/x".into(),
            status: StatusCode::OK,
            headers,
            body: json!({ "suggestedWindow": { "start": start, "end": end } }).to_string().into(),
        })
    }

    #[test]
    fn a_window_must_end_after_its_start() {
        let (early, late) = ("2025-01-02T04:00:00Z", "2025-01-03T05:00:00+01:00");
        assert!(window(early, late, None).is_ok());
        assert!(window(late, early, None).is_err() && window(early, early, None).is_err());
        assert!(window("yesterday", late, None).is_err());
    }

    #[test]
    fn ari_is_asked_again_between_a_minute_and_a_day_later() {
        let (early, late) = ("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Z");
        for (header, seconds) in
            [(Some("5"), 60), (Some("21600"), 21600), (Some("999999999"), 86400), (None, 21600)]
        {
            let window = window(early, late, header).unwrap();
            assert_eq!(window.retry_after.as_secs(), seconds, "{header:?}");
        }
    }

    #[test]
    fn a_bare_address_becomes_a_mailto_url() {
        assert_eq!(mailto(" ops@example.org"), "mailto:ops@example.org");
        assert_eq!(mailto("mailto:ops@example.org"), "mailto:ops@example.org");
    }
}
