//! An account at a CA, and what it may ask for.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use dns01_core::{Challenge, Identifier, NameError, SecretText, fail_point};
use futures_util::future::{join_all, try_join_all};
use instant_acme::{Account as Voice, NewOrder};
use serde_json::json;
use tracing::debug;

use crate::http::{Answer, Repeat, patiently};
use crate::jws::Signer;
use crate::line::{Line, ours};
use crate::order::{Talk, certificate_id};
use crate::{AccountKey, AcmeError, Authorization, Ca, Order};

/// The credentials with which a CA ties an ACME account to a customer (RFC 8555 §7.3.4).
#[derive(Clone, Debug)]
pub struct ExternalAccount {
    /// The key identifier.
    pub kid: String,
    /// The HMAC key as the CA shows it: base64url, with or without padding (plain base64 is understood too).
    pub hmac: SecretText,
}

/// An account: a key and the URL under which the CA knows it.
#[derive(Clone, Debug)]
pub struct Account {
    ca: Ca,
    key: AccountKey,
    url: String,
}

impl ExternalAccount {
    pub(crate) fn decoded(&self) -> Result<Vec<u8>, AcmeError> {
        let plain: String = self.hmac.expose().trim().trim_end_matches('=').to_owned();
        let url_safe = SecretText::from(plain.replace('+', "-").replace('/', "_"));
        BASE64_URL_SAFE_NO_PAD
            .decode(url_safe.expose())
            .ok()
            .filter(|key| !key.is_empty())
            .ok_or(AcmeError::ExternalAccountKey)
    }
}

impl Account {
    pub(crate) fn new(ca: Ca, key: AccountKey, url: String) -> Self {
        Self { ca, key, url }
    }

    /// The account's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The account's key.
    pub fn key(&self) -> &AccountKey {
        &self.key
    }

    /// The CA.
    pub fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Places an order (RFC 8555 §7.4). `replaces` is the ARI id of the certificate that it renews; it is left out when
    /// the CA has no ARI, and given up when the CA refuses the order: CAs word their reasons against it (replaced already,
    /// another CA's certificate, forgotten) in many ways (RFC 9773 §5).
    pub async fn place(
        &self,
        names: &[Identifier],
        profile: Option<&str>,
        replaces: Option<&str>,
    ) -> Result<Order, AcmeError> {
        if let Some(profile) = profile {
            self.check_profile(profile)?;
        }
        let replaces = replaces.filter(|_| self.ca.offers_ari());
        let placed = match self.place_once(names, profile, replaces).await {
            Err(AcmeError::Refused(refusal)) if replaces.is_some() && !refusal.is_overload() => {
                debug!(%refusal, "placing the order without `replaces`");
                self.place_once(names, profile, None).await
            }
            other => other,
        };
        let order = placed?;
        let mut asked = names.to_vec();
        asked.sort();
        asked.dedup();
        if order.identifiers != asked {
            let why = "it is for other names than were ordered".into();
            return Err(AcmeError::Unintelligible { url: order.url, source: why });
        }
        Ok(order)
    }

    fn check_profile(&self, profile: &str) -> Result<(), AcmeError> {
        let offered = self.ca.profiles();
        if offered.iter().any(|(name, _)| name == profile) {
            return Ok(());
        }
        let offered = offered.iter().map(|(name, _)| name.clone()).collect();
        Err(AcmeError::NoProfile { profile: profile.to_owned(), offered })
    }

    async fn place_once(
        &self,
        names: &[Identifier],
        profile: Option<&str>,
        replaces: Option<&str>,
    ) -> Result<Order, AcmeError> {
        let names: Vec<_> =
            names.iter().map(|name| instant_acme::Identifier::Dns(name.to_string())).collect();
        let replaces = replaces.map(certificate_id).transpose()?;
        patiently(self.ca.budget(), Repeat::IfUnheard, || async {
            let mut order = NewOrder::new(&names);
            if let Some(profile) = profile {
                order = order.profile(profile);
            }
            if let Some(replaces) = &replaces {
                order = order.replaces(replaces.clone());
            }
            let (voice, line) = self.voice().await?;
            let placed = voice.new_order(&order).await;
            fail_point::pass("acme::new-order");
            match placed {
                Ok(placed) => Talk::new(placed, line).tell(self.ca.http()).await,
                // The order exists, but instant-acme refuses one that does not confirm `replaces`.
                Err(error) => match line.last().as_ref().and_then(Answer::location) {
                    Some(url) => self.order(url).await,
                    None => Err(ours(error, &line)),
                },
            }
        })
        .await
    }

    /// Asks for an order as the CA has it now. One that is not there, or not this account's, is [`AcmeError::Gone`].
    pub async fn order(&self, url: &str) -> Result<Order, AcmeError> {
        patiently(self.ca.budget(), Repeat::Freely, || self.look(url)).await
    }

    /// Asks once.
    pub(crate) async fn look(&self, url: &str) -> Result<Order, AcmeError> {
        let (voice, line) = self.voice().await?;
        let order = voice.order(url.to_owned()).await;
        let order = order.map_err(|error| gone(ours(error, &line), url))?;
        Talk::new(order, line).tell(self.ca.http()).await
    }

    /// Asks for all authorizations of an order, at once.
    pub async fn authorizations(&self, order: &Order) -> Result<Vec<Authorization>, AcmeError> {
        try_join_all(order.authorizations.iter().map(async |url| {
            let answer = self.ask(Repeat::Freely, url, b"").await?;
            let authorization = Authorization::read(&answer, self.ca.http())?;
            if !order.identifiers.contains(&authorization.identifier()) {
                return Err(answer.unintelligible("it is for a name that was not ordered"));
            }
            Ok(authorization)
        }))
        .await
    }

    /// The challenge that an authorization asks this account to meet.
    pub fn challenge(&self, authorization: &Authorization) -> Result<Challenge, AcmeError> {
        let domain = authorization.domain.clone();
        let Some(dns01) = &authorization.dns01 else { return Err(AcmeError::NoDns01 { domain }) };
        let key_authorization = format!("{}.{}", dns01.token, self.key.thumbprint());
        let challenge = Challenge::from_key_authorization(domain, &key_authorization);
        challenge.map_err(|error: NameError| AcmeError::Unintelligible {
            url: authorization.url.clone(),
            source: error.into(),
        })
    }

    /// Tells the CA to look at these challenges now, all at once. Answers come back before the CA has looked. All are
    /// posted even when one is refused; a challenge that the CA is looking at already may be.
    pub async fn validate(&self, challenge_urls: &[String]) -> Result<(), AcmeError> {
        let posted = join_all(challenge_urls.iter().map(async |url| {
            let answer = self.ask(Repeat::IfUnheard, url, b"{}").await;
            fail_point::pass("acme::challenge-post");
            answer
        }))
        .await;
        posted.into_iter().try_for_each(|answer| answer.map(drop))
    }

    /// Replaces the account's key (RFC 8555 §7.3.5). After a lost answer ask [`Ca::find_account`] which one is live.
    pub async fn change_key(&self, new: &AccountKey) -> Result<(), AcmeError> {
        let url = self.ca.directory().key_change.as_deref();
        let url = url.ok_or(AcmeError::Unsupported { what: "a change of the account key" })?;
        let old: serde_json::Value =
            serde_json::from_str(self.key.public_jwk()).unwrap_or_default();
        let payload = json!({ "account": self.url, "oldKey": old }).to_string();
        let inner = Signer::Key(new).sign(None, url, payload.as_bytes())?.to_string();
        let answer = self.ask(Repeat::IfUnheard, url, inner.as_bytes()).await;
        fail_point::pass("acme::key-change");
        answer.map(drop)
    }

    /// A signed POST in this account's name; with an empty payload a POST-as-GET.
    pub(crate) async fn ask(
        &self,
        repeat: Repeat,
        url: &str,
        payload: &[u8],
    ) -> Result<Answer, AcmeError> {
        let signer = Signer::Account(&self.key, &self.url);
        patiently(self.ca.budget(), repeat, || self.ca.post(signer, url, payload)).await
    }

    /// This account in instant-acme's hands, and the line that it speaks over.
    async fn voice(&self) -> Result<(Voice, Line), AcmeError> {
        let line = Line::new(self.ca.clone());
        let voice = Voice::builder_with_http(Box::new(line.clone()))
            .from_parts(self.url.clone(), self.key.pkcs8()?, self.ca.directory_url().to_owned())
            .await
            .map_err(|error| ours(error, &line))?;
        Ok((voice, line))
    }
}

/// What a refusal means when it was an order that we asked for.
pub(crate) fn gone(error: AcmeError, url: &str) -> AcmeError {
    match error {
        AcmeError::Refused(refusal) if refusal.is_denial() => {
            AcmeError::Gone { url: url.to_owned(), source: refusal }
        }
        other => other,
    }
}
