//! <https://desec.readthedocs.io/en/latest/dns/rrsets.html>

use super::{Account, Api, TOKEN, ZONE, absolute, parts, relative, unquoted};
use harness::{Reply, Request};
use serde_json::{Value, json};

pub(crate) const DESEC: Api =
    Api { provider: "desec", host: "desec.io", settings: &["DESEC_TOKEN"], reply };

fn reply(request: &Request, account: &mut Account) -> Reply {
    if request.header("authorization") != Some(&format!("Token {TOKEN}")) {
        return refusal(401, &json!({"detail": "Invalid token."}));
    }
    let parts = parts(request);
    let ["api", "v1", "domains", ZONE, rest @ ..] = parts.as_slice() else {
        return refusal(404, &json!({"detail": "Not found."}));
    };
    match (request.method.as_str(), rest) {
        ("GET", []) => Reply::json(&json!({"name": ZONE, "minimum_ttl": 3600})),
        ("GET", ["rrsets", subname, "TXT"]) => rrset(account, &absolute(subname)),
        ("POST", ["rrsets"]) => {
            let body = request.json();
            let name = absolute(body["subname"].as_str().unwrap());
            if !account.values(&name).is_empty() {
                let why = "Another RRset with the same subdomain and type exists for this domain.";
                return refusal(400, &json!({"non_field_errors": [why]}));
            }
            write(account, &name, &body, 201)
        }
        ("PUT", ["rrsets", subname, "TXT"]) => {
            write(account, &absolute(subname), &request.json(), 200)
        }
        ("DELETE", ["rrsets", subname, "TXT"]) => {
            account.held.retain(|held| held.name != absolute(subname));
            Reply::status(204)
        }
        other => panic!("{other:?}"),
    }
}

/// Replaces the RRset.
fn write(account: &mut Account, name: &str, body: &Value, status: u16) -> Reply {
    let ttl = body["ttl"].as_u64().unwrap();
    if ttl < 3600 {
        let why = "Ensure this value is greater than or equal to 3600.";
        return refusal(400, &json!({"ttl": [why]}));
    }
    account.held.retain(|held| held.name != name);
    for value in body["records"].as_array().unwrap() {
        account.add(name, unquoted(value.as_str().unwrap()), ttl);
    }
    rrset(account, name).with_status(status)
}

fn rrset(account: &Account, name: &str) -> Reply {
    let values = account.values(name);
    if values.is_empty() {
        return refusal(404, &json!({"detail": "Not found."}));
    }
    let records: Vec<_> = values.iter().map(|value| format!("\"{value}\"")).collect();
    Reply::json(&json!({
        "created": "2026-11-21T09:00:00Z", "domain": ZONE, "subname": relative(name), "name": format!("{name}."),
        "records": records, "ttl": 3600, "type": "TXT", "touched": "2026-11-21T09:00:00Z",
    }))
}

fn refusal(status: u16, body: &Value) -> Reply {
    Reply::json(body).with_status(status)
}
