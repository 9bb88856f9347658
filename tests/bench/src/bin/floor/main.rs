//! The least that any ACME client must do for one order: what no client can be faster than on the same servers.
//!
//! It speaks to one CA over one connection, sends one UPDATE each way, asks the given name servers every 2 ms, and keeps
//! nothing but its account. It retries nothing, resumes nothing and explains nothing: it is a measure, not a client.

mod acme;
mod dns;
mod http;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use clap::Parser as _;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How often servers are asked again.
const POLL: Duration = Duration::from_millis(2);

#[derive(Debug, clap::Parser)]
struct Arguments {
    #[arg(long)]
    directory: String,
    #[arg(long)]
    ca_file: PathBuf,
    /// Holds the account; made by the first call
    #[arg(long)]
    account: PathBuf,
    #[arg(long)]
    zone: String,
    /// All name servers of the zone, the primary first
    #[arg(long, required = true)]
    server: Vec<SocketAddr>,
    #[arg(long)]
    tsig_key: String,
    /// File with its hmac-sha256 secret, base64
    #[arg(long)]
    tsig_secret_file: PathBuf,
    /// Where key and chain go
    #[arg(long)]
    out: PathBuf,
    #[arg(short = 'd', required = true)]
    domains: Vec<String>,
}

fn main() -> Result<()> {
    let own = Arguments::parse();
    let mut ca = acme::Client::open(&own.directory, &own.ca_file, &own.account)?;
    let identifiers: Vec<_> =
        own.domains.iter().map(|name| json!({"type": "dns", "value": name})).collect();
    let (order, url) = ca.order(&json!({"identifiers": identifiers}))?;
    let mut records = Vec::new();
    let mut challenges = Vec::new();
    for authorization in order["authorizations"].as_array().context("no authorizations")? {
        let authorization = ca.read(text(authorization)?)?;
        // A CA may hold one valid already.
        if authorization["status"] == "valid" {
            continue;
        }
        let offered = authorization["challenges"].as_array().context("no challenges")?;
        let challenge = offered.iter().find(|one| one["type"] == "dns-01").context("no dns-01")?;
        let answer = format!("{}.{}", text(&challenge["token"])?, ca.thumbprint());
        let value = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, answer.as_bytes()));
        let name = text(&authorization["identifier"]["value"])?;
        records.push((format!("_acme-challenge.{name}"), value));
        challenges.push(text(&challenge["url"])?.to_owned());
    }
    let secret = std::fs::read_to_string(&own.tsig_secret_file)?;
    let key = dns::Key { name: own.tsig_key, secret: BASE64_STANDARD.decode(secret.trim())? };
    if !records.is_empty() {
        dns::update(own.server[0], &own.zone, &records, dns::Change::Add, &key)?;
        dns::wait(&own.server, &records)?;
    }
    for challenge in &challenges {
        ca.post(challenge, &json!({}))?;
    }
    let order = ca.poll(&url, "ready")?;
    let certificate_key = KeyPair::generate()?;
    let request = CertificateParams::new(own.domains)?.serialize_request(&certificate_key)?;
    let request = json!({"csr": BASE64_URL_SAFE_NO_PAD.encode(request.der())});
    ca.post(text(&order["finalize"])?, &request)?;
    let order = ca.poll(&url, "valid")?;
    let chain = ca.download(text(&order["certificate"])?)?;
    std::fs::create_dir_all(&own.out)?;
    std::fs::write(own.out.join("key.pem"), certificate_key.serialize_pem())?;
    std::fs::write(own.out.join("chain.pem"), chain)?;
    if !records.is_empty() {
        dns::update(own.server[0], &own.zone, &records, dns::Change::Delete, &key)?;
    }
    Ok(())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("no text where one belongs: {value}"))
}
