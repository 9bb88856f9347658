//! <https://developers.cloudflare.com/api/resources/dns/subresources/records/>

use super::{Account, Api, Held, TOKEN, ZONE, parameter, parts, unquoted};
use harness::{Reply, Request};
use serde_json::{Value, json};

pub(crate) const CLOUDFLARE: Api = Api {
    provider: "cloudflare",
    host: "api.cloudflare.com",
    settings: &["CF_DNS_API_TOKEN"],
    reply,
};

const ZONE_ID: &str = "023e105f4ecef8ad9ca31a8372d0c353";

fn reply(request: &Request, account: &mut Account) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refusal(403, 10000, "Authentication error");
    }
    match (request.method.as_str(), parts(request).as_slice()) {
        ("GET", ["client", "v4", "zones"]) => {
            let found = parameter(request, "name") == Some(ZONE);
            let zone = json!({"id": ZONE_ID, "name": ZONE, "status": "active"});
            success(&if found { json!([zone]) } else { json!([]) })
        }
        ("GET", ["client", "v4", "zones", ZONE_ID, "dns_records"]) => {
            assert_eq!(parameter(request, "type"), Some("TXT"));
            let name = parameter(request, "name").unwrap();
            let here = account.held.iter().filter(|held| held.name == name);
            success(&here.map(record).collect())
        }
        ("POST", ["client", "v4", "zones", ZONE_ID, "dns_records"]) => {
            let body = request.json();
            let (name, value) = (text(&body, "name"), unquoted(text(&body, "content")));
            let ttl = body["ttl"].as_u64().unwrap();
            if ttl != 1 && ttl < 60 {
                return refusal(
                    400,
                    9021,
                    "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
                );
            }
            if account.values(name).iter().any(|held| held == value) {
                return refusal(400, 81058, "An identical record already exists.");
            }
            account.add(name, value, ttl);
            success(&record(account.held.last().unwrap()))
        }
        ("DELETE", ["client", "v4", "zones", ZONE_ID, "dns_records", id]) => {
            let before = account.held.len();
            account.held.retain(|held| record_id(held) != *id);
            if account.held.len() == before {
                return refusal(404, 81044, "Record does not exist.");
            }
            success(&json!({"id": id}))
        }
        other => panic!("{other:?}"),
    }
}

fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body[key].as_str().unwrap()
}

fn record_id(held: &Held) -> String {
    format!("{:032x}", held.id)
}

fn record(held: &Held) -> Value {
    json!({
        "id": record_id(held), "name": held.name, "type": "TXT", "content": format!("\"{}\"", held.value),
        "proxiable": false, "proxied": false, "ttl": held.ttl, "settings": {}, "meta": {}, "comment": null, "tags": [],
    })
}

fn success(result: &Value) -> Reply {
    Reply::json(&json!({"result": result, "success": true, "errors": [], "messages": []}))
}

fn refusal(status: u16, code: u32, message: &str) -> Reply {
    let errors = json!([{"code": code, "message": message}]);
    Reply::json(&json!({"success": false, "errors": errors, "messages": [], "result": null}))
        .with_status(status)
}
