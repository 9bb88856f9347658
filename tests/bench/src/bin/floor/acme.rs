//! As much of RFC 8555 as one order takes.

use crate::POLL;
use crate::http::{Connection, Reply};
use anyhow::{Context as _, Result, bail};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest that an order may take to get on.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Client {
    connection: Connection,
    directory: Value,
    key: EcdsaKeyPair,
    account: String,
    nonce: Option<String>,
}

impl Client {
    /// Connects, and reads the account from its file or makes both.
    pub(crate) fn open(directory: &str, ca_file: &Path, account: &Path) -> Result<Self> {
        let mut connection = Connection::open(directory, ca_file)?;
        let directory = serde_json::from_slice(&connection.ask("GET", directory, None)?.body)?;
        let kept: Option<Value> = match fs::read(account) {
            Ok(kept) => Some(serde_json::from_slice(&kept)?),
            Err(_) => None,
        };
        let pkcs8 = match &kept {
            Some(kept) => {
                BASE64_URL_SAFE_NO_PAD.decode(kept["key"].as_str().unwrap_or_default())?
            }
            None => EcdsaKeyPair::generate_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &SystemRandom::new(),
            )?
            .as_ref()
            .to_vec(),
        };
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)?;
        let mut client = Self { connection, directory, key, account: String::new(), nonce: None };
        if let Some(kept) = kept {
            kept["url"].as_str().unwrap_or_default().clone_into(&mut client.account);
            return Ok(client);
        }
        let url = client.url("newAccount")?;
        let made = client.post(&url, &json!({"termsOfServiceAgreed": true}))?;
        client.account = made.location.context("the CA gave the account no URL")?;
        let keep = json!({"key": BASE64_URL_SAFE_NO_PAD.encode(pkcs8), "url": client.account});
        fs::write(account, keep.to_string())?;
        Ok(client)
    }

    /// The new order and its URL.
    pub(crate) fn order(&mut self, wanted: &Value) -> Result<(Value, String)> {
        let url = self.url("newOrder")?;
        let made = self.post(&url, wanted)?;
        Ok((
            serde_json::from_slice(&made.body)?,
            made.location.context("the CA gave the order no URL")?,
        ))
    }

    /// A resource of the CA.
    pub(crate) fn read(&mut self, url: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.download(url)?)?)
    }

    /// The octets behind a URL.
    pub(crate) fn download(&mut self, url: &str) -> Result<Vec<u8>> {
        Ok(self.signed(url, "")?.body)
    }

    /// Asks for the order until it has come to `status`.
    pub(crate) fn poll(&mut self, order: &str, status: &str) -> Result<Value> {
        let start = Instant::now();
        loop {
            let now = self.read(order)?;
            if now["status"] == status {
                return Ok(now);
            }
            if now["status"] == "invalid" || start.elapsed() > PATIENCE {
                bail!("the order did not become {status}: {now}");
            }
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn post(&mut self, url: &str, payload: &Value) -> Result<Reply> {
        self.signed(url, &BASE64_URL_SAFE_NO_PAD.encode(payload.to_string()))
    }

    /// What the values of TXT records are made with (RFC 7638).
    pub(crate) fn thumbprint(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, self.jwk().as_bytes()))
    }

    /// The public key, its members in the order that RFC 7638 hashes.
    fn jwk(&self) -> String {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
        format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
    }

    fn signed(&mut self, url: &str, payload: &str) -> Result<Reply> {
        let nonce = if let Some(nonce) = self.nonce.take() {
            nonce
        } else {
            let from = self.url("newNonce")?;
            self.connection.ask("HEAD", &from, None)?.nonce.context("no nonce")?
        };
        let signer = if self.account.is_empty() {
            format!(r#""jwk":{}"#, self.jwk())
        } else {
            format!(r#""kid":"{}""#, self.account)
        };
        let head = format!(r#"{{"alg":"ES256","nonce":"{nonce}","url":"{url}",{signer}}}"#);
        let head = BASE64_URL_SAFE_NO_PAD.encode(head);
        let signature =
            self.key.sign(&SystemRandom::new(), format!("{head}.{payload}").as_bytes())?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        let body = json!({"protected": head, "payload": payload, "signature": signature});
        let reply = self.connection.ask("POST", url, Some(&body.to_string()))?;
        self.nonce.clone_from(&reply.nonce);
        Ok(reply)
    }

    fn url(&self, name: &str) -> Result<String> {
        let url = self.directory[name].as_str();
        Ok(url.with_context(|| format!("the directory has no {name}"))?.to_owned())
    }
}
