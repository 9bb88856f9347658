//! <https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records>

use super::{Account, Api, Held, TOKEN, ZONE, absolute, parameter, parts, relative};
use harness::{Reply, Request};
use serde_json::{Value, json};

pub(crate) const DIGITALOCEAN: Api = Api {
    provider: "digitalocean",
    host: "api.digitalocean.com",
    settings: &["DO_AUTH_TOKEN"],
    reply,
};

fn reply(request: &Request, account: &mut Account) -> Reply {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refusal(401, "Unauthorized", "Unable to authenticate you");
    }
    let parts = parts(request);
    let ["v2", "domains", ZONE, "records", rest @ ..] = parts.as_slice() else {
        return refusal(404, "not_found", "The resource you were accessing could not be found.");
    };
    match (request.method.as_str(), rest) {
        ("GET", []) => page(request, account),
        ("POST", []) => {
            let body = request.json();
            let text = |key: &str| body[key].as_str().unwrap();
            let ttl = body["ttl"].as_u64().unwrap();
            if ttl < 30 {
                return refusal(
                    422,
                    "unprocessable_entity",
                    "Ttl must be greater than or equal to 30",
                );
            }
            // Two equal records may stand side by side here.
            account.add(&absolute(text("name")), text("data"), ttl);
            let record = record(account.held.last().unwrap());
            Reply::json(&json!({"domain_record": record})).with_status(201)
        }
        ("DELETE", [id]) => {
            let before = account.held.len();
            account.held.retain(|held| held.id.to_string() != *id);
            if account.held.len() == before {
                return refusal(
                    404,
                    "not_found",
                    "The resource you were accessing could not be found.",
                );
            }
            Reply::status(204)
        }
        other => panic!("{other:?}"),
    }
}

fn page(request: &Request, account: &Account) -> Reply {
    let name = parameter(request, "name").unwrap();
    let number = |parameter_name: &str| {
        parameter(request, parameter_name).unwrap().parse::<usize>().unwrap()
    };
    let (size, page) = (number("per_page"), number("page"));
    let all: Vec<_> = account.held.iter().filter(|held| held.name == name).map(record).collect();
    let shown: Vec<_> = all.iter().skip(size * (page - 1)).take(size).collect();
    let next = format!("https://api.digitalocean.com/v2/domains/{ZONE}/records?page={}", page + 1);
    let links = if all.len() > size * page { json!({"pages": {"next": next}}) } else { json!({}) };
    Reply::json(&json!({"domain_records": shown, "links": links, "meta": {"total": all.len()}}))
}

fn record(held: &Held) -> Value {
    json!({
        "id": held.id, "type": "TXT", "name": relative(&held.name), "data": held.value, "priority": null, "port": null,
        "ttl": held.ttl, "weight": null, "flags": null, "tag": null,
    })
}

fn refusal(status: u16, id: &str, message: &str) -> Reply {
    Reply::json(&json!({"id": id, "message": message})).with_status(status)
}
