//! What the values say of schedules, events and networks.

use serde_json::{Value, json};

use super::{everything, find, maps, of_kind, render, text};

/// The default of a parameter of the fleet's template, which is the same in both of its lists.
fn fleet_default(rendered: &[Value], parameter: &str) -> Value {
    let spec = &find(rendered, "WorkflowTemplate", "dns01-renew-fleet")["spec"];
    let lists = [&spec["arguments"]["parameters"], &spec["templates"][0]["inputs"]["parameters"]];
    let [one, other] = lists.map(|list| {
        let mut list = list.as_array().unwrap().iter();
        list.find(|one| one["name"] == parameter).unwrap()["value"].clone()
    });
    assert_eq!(one, other);
    one
}

#[test]
#[ignore = "needs helm"]
fn renewal_is_scheduled_as_the_values_say() {
    let renewal = json!({
        "enabled": true, "schedules": ["5 4 * * *", "5 16 * * *"], "timezone": "Europe/Berlin",
        "mode": "dag", "parallelism": 2, "maxDue": 7, "suspend": true,
    });
    let rendered = render(&json!({"renewal": renewal}));
    let cron = &find(&rendered, "CronWorkflow", "dns01-renew-fleet")["spec"];
    for key in ["schedules", "timezone", "suspend"] {
        assert_eq!(cron[key], renewal[key], "{key}");
    }
    assert_eq!(fleet_default(&rendered, "mode"), "dag");
    assert_eq!(fleet_default(&rendered, "max-due"), "7", "a text, as all parameters are");
    let fleet = &find(&rendered, "WorkflowTemplate", "dns01-renew-fleet")["spec"];
    assert_eq!(fleet["templates"][0]["parallelism"], 2);

    let usual = render(&json!({}));
    assert!(of_kind(&usual, "CronWorkflow").is_empty(), "nothing runs by itself unless asked");
    assert_eq!(fleet_default(&usual, "mode"), "onepod");
}

#[test]
#[ignore = "needs helm"]
fn events_come_from_where_the_values_say() {
    let rendered = render(&json!({"events": {
        "enabled": true, "eventBusName": "bus",
        "webhook": {"secretName": "mine"},
        "httpreq": {"enabled": true, "provider": "rfc2136", "credentialsSecret": "tsig"},
        "calendar": {"enabled": true, "certificate": "shop", "schedule": "1 2 * * *", "timezone": "UTC", "exclusionDates": ["EXDATE:20261224T000000Z"]},
        "resource": {"enabled": true, "namespace": "web"},
    }}));
    for kind in ["EventSource", "Sensor"] {
        let all = of_kind(&rendered, kind);
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|one| one["spec"]["eventBusName"] == "bus"), "{kind}");
    }
    let source = |name: &str| &find(&rendered, "EventSource", name)["spec"];
    let webhook = &source("dns01-webhook")["webhook"]["certificate"];
    assert_eq!(webhook["authSecret"], json!({"name": "mine", "key": "token"}));
    let httpreq = &source("dns01-httpreq")["webhook"];
    assert_eq!(httpreq["present"]["authSecret"]["name"], "dns01-httpreq");
    let calendar = &source("dns01-calendar")["calendar"]["certificate"];
    assert_eq!(calendar["metadata"], json!({"certificate": "shop"}));
    assert_eq!(
        (&calendar["schedule"], &calendar["timezone"]),
        (&json!("1 2 * * *"), &json!("UTC"))
    );
    assert_eq!(calendar["exclusionDates"], json!(["EXDATE:20261224T000000Z"]));
    assert_eq!(source("dns01-resource")["resource"]["certificate"]["namespace"], "web");
    assert_eq!(find(&rendered, "Role", "dns01-watch")["metadata"]["namespace"], "web");

    let sensor = find(&rendered, "Sensor", "dns01-httpreq");
    let given: Vec<_> = maps(sensor).into_iter().filter(|map| map["name"] == "provider").collect();
    assert_eq!(given.len(), 2, "present and cleanup");
    assert!(given.iter().all(|one| one["value"] == "rfc2136"));
    let secrets: Vec<_> =
        maps(sensor).into_iter().filter(|map| map["name"] == "credentials-secret").collect();
    assert!(secrets.len() == 2 && secrets.iter().all(|one| one["value"] == "tsig"));
}

#[test]
#[ignore = "needs helm"]
fn without_events_nothing_of_argo_events_is_there() {
    let rendered = render(&json!({"events": {"resource": {"enabled": true}}}));
    for kind in ["EventSource", "Sensor", "Service"] {
        assert!(of_kind(&rendered, kind).is_empty(), "{kind}");
    }
    let bound: Vec<_> = of_kind(&rendered, "ServiceAccount")
        .into_iter()
        .map(|one| text(&one["metadata"]["name"]))
        .filter(|name| ["dns01-sensor", "dns01-event-source", "dns01-watch"].contains(name))
        .collect();
    assert!(bound.is_empty(), "{bound:?}");
}

#[test]
#[ignore = "needs helm"]
fn nothing_comes_in_but_the_webhook_and_out_go_only_the_listed_ports() {
    let mut values = everything();
    values["networkPolicy"]["ports"] = json!([14000]);
    values["fullnameOverride"] = "acme".into();
    let rendered = render(&values);
    let policy = |name: &str| &find(&rendered, "NetworkPolicy", name)["spec"];
    let ports = |name: &str| -> Vec<u64> {
        let egress = policy(name)["egress"].as_array().unwrap();
        assert_eq!(egress.len(), 1);
        let ports = egress[0]["ports"].as_array().unwrap().iter();
        ports.map(|one| one["port"].as_u64().unwrap()).collect()
    };
    assert_eq!(ports("acme-workflows"), [53, 53, 443, 14000]);
    assert_eq!(ports("acme-events"), [53, 53, 443, 4222, 14000]);
    for name in ["acme-workflows", "acme-events"] {
        assert_eq!(policy(name)["policyTypes"], json!(["Ingress", "Egress"]));
        assert!(policy(name).get("ingress").is_none(), "{name}");
    }
    let webhooks = policy("acme-webhooks");
    assert_eq!(
        webhooks["podSelector"]["matchExpressions"][0]["values"],
        json!(["acme-webhook", "acme-httpreq"])
    );
    let from = json!([{"namespaceSelector": {}}]);
    let ports = json!([{"protocol": "TCP", "port": 12000}]);
    assert_eq!(webhooks["ingress"], json!([{"from": from, "ports": ports}]));
}
