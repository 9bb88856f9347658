//! <https://docs.hetzner.cloud/reference/cloud#zone-rrset-actions>

use super::{Account, Api, TOKEN, ZONE, absolute, parameter, parts, unquoted};
use harness::{Reply, Request};
use serde_json::json;

pub(crate) const HETZNER: Api =
    Api { provider: "hetzner", host: "api.hetzner.cloud", settings: &["HETZNER_API_TOKEN"], reply };

fn reply(request: &Request, account: &mut Account) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refusal(401, "unauthorized", "unable to authenticate");
    }
    let parts = parts(request);
    let ["v1", "zones", ZONE, "rrsets", rest @ ..] = parts.as_slice() else {
        return refusal(404, "not_found", "zone not found");
    };
    match (request.method.as_str(), rest) {
        ("GET", []) => list(request, account),
        ("POST", [label, "TXT", "actions", action]) => {
            let name = absolute(label);
            // Changes are jobs: the answer says that one has begun, and the next read still shows what was.
            let before = account.held.clone();
            let body = request.json();
            let values = body["records"].as_array().into_iter().flatten();
            let values: Vec<_> = values
                .map(|record| unquoted(record["value"].as_str().unwrap()).to_owned())
                .collect();
            let is_there = |value: &String| account.values(&name).contains(value);
            match *action {
                "add_records" if values.iter().any(is_there) => {
                    return refusal(422, "invalid_input", "records already exist");
                }
                "add_records" => {
                    for value in &values {
                        account.add(&name, value, 3600);
                    }
                }
                "remove_records" | "change_ttl" if account.values(&name).is_empty() => {
                    return refusal(404, "not_found", "rrset not found");
                }
                "remove_records" if !values.iter().all(is_there) => {
                    return refusal(422, "invalid_input", "records do not exist");
                }
                "remove_records" => values.iter().for_each(|value| account.remove(&name, value)),
                "change_ttl" => assert!(body["ttl"].as_u64().unwrap() >= 60),
                other => panic!("{other}"),
            }
            if *action != "change_ttl" {
                account.stale.push(before);
            }
            let action = json!({"id": 1, "command": action, "status": "running", "progress": 50, "error": null});
            Reply::json(&json!({"action": action})).with_status(201)
        }
        other => panic!("{other:?}"),
    }
}

fn list(request: &Request, account: &mut Account) -> Reply {
    let label = parameter(request, "name").unwrap();
    let shown = account.stale.pop().unwrap_or_else(|| account.held.clone());
    let values = shown.iter().filter(|held| held.name == absolute(label));
    let records: Vec<_> =
        values.map(|held| json!({"value": format!("\"{}\"", held.value), "comment": ""})).collect();
    let rrset = json!({"id": format!("{label}/TXT"), "name": label, "type": "TXT", "ttl": 3600, "records": records});
    let rrsets = if records.is_empty() { json!([]) } else { json!([rrset]) };
    Reply::json(
        &json!({"rrsets": rrsets, "meta": {"pagination": {"page": 1, "per_page": 50, "next_page": null}}}),
    )
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(&json!({"error": {"code": code, "message": message, "details": null}}))
        .with_status(status)
}
