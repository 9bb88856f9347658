//! <https://docs.aws.amazon.com/Route53/latest/APIReference/>

use super::{Account, Api, TOKEN, ZONE, parameter, parts, unquoted};
use harness::{Reply, Request};
use std::fmt::Write as _;

pub(crate) const ROUTE53: Api = Api {
    provider: "route53",
    host: "route53.amazonaws.com",
    settings: &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    reply,
};

const ZONE_ID: &str = "Z1D633PJN98FT9";

fn reply(request: &Request, account: &mut Account) -> Reply {
    let signature = request.header("authorization").unwrap_or_default();
    if !signature.starts_with(&format!("AWS4-HMAC-SHA256 Credential={TOKEN}/")) {
        return refusal(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        );
    }
    match (request.method.as_str(), parts(request).as_slice()) {
        ("GET", ["2013-04-01", "hostedzonesbyname"]) => zones(request),
        ("GET", ["2013-04-01", "hostedzone", ZONE_ID, "rrset"]) => {
            list(account, parameter(request, "name").unwrap().trim_end_matches('.'))
        }
        ("POST", ["2013-04-01", "hostedzone", ZONE_ID, "rrset"]) => change(request, account),
        _ => refusal(404, "NoSuchHostedZone", "No hosted zone found with that ID."),
    }
}

/// Two pages: the zone that is looked for is on the second.
fn zones(request: &Request) -> Reply {
    let zone = |id: &str, name: &str| {
        format!(
            "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}.</Name><CallerReference>c</CallerReference>\
             <Config><PrivateZone>false</PrivateZone></Config><ResourceRecordSetCount>4</ResourceRecordSetCount></HostedZone>"
        )
    };
    let (zone, more) = if parameter(request, "dnsname").is_some() {
        (zone(ZONE_ID, ZONE), "<IsTruncated>false</IsTruncated>".to_owned())
    } else {
        let next = format!(
            "<NextDNSName>{ZONE}.</NextDNSName><NextHostedZoneId>{ZONE_ID}</NextHostedZoneId>"
        );
        (zone("Z0", "another.test"), format!("<IsTruncated>true</IsTruncated>{next}"))
    };
    xml(
        200,
        &format!(
            "<ListHostedZonesByNameResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <HostedZones>{zone}</HostedZones>{more}<MaxItems>1</MaxItems></ListHostedZonesByNameResponse>"
        ),
    )
}

/// What is there from `start` on, in the order of names: first our RRset, then something else's.
fn list(account: &Account, start: &str) -> Reply {
    let mut sets = String::new();
    let values = account.values(start);
    if !values.is_empty() {
        let mut records = String::new();
        for value in values {
            write!(records, "<ResourceRecord><Value>\"{value}\"</Value></ResourceRecord>").unwrap();
        }
        write!(sets, "<ResourceRecordSet><Name>{start}.</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords>{records}</ResourceRecords></ResourceRecordSet>").unwrap();
    }
    write!(sets, "<ResourceRecordSet><Name>zzz.{ZONE}.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>").unwrap();
    xml(
        200,
        &format!(
            "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
        ),
    )
}

/// UPSERT replaces the RRset; DELETE must name it as it is.
fn change(request: &Request, account: &mut Account) -> Reply {
    let body = request.text();
    let name = between(&body, "<Name>", "</Name>").trim_end_matches('.').to_owned();
    let values: Vec<_> =
        body.split("<Value>").skip(1).map(|rest| rest.split("</Value>").next().unwrap()).collect();
    let values: Vec<_> =
        values.iter().map(|value| unquoted(&value.replace("&quot;", "\"")).to_owned()).collect();
    match between(&body, "<Action>", "</Action>") {
        "UPSERT" if account.undone > 0 => account.undone -= 1,
        "UPSERT" => {
            account.held.retain(|held| held.name != name);
            for value in &values {
                account.add(&name, value, 60);
            }
        }
        "DELETE" if account.values(&name) == values => {
            account.held.retain(|held| held.name != name);
        }
        "DELETE" => {
            let why = "Tried to delete resource record set but the values provided do not match the current values";
            return xml(
                400,
                &format!(
                    "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>[{why}]</Message></Messages></InvalidChangeBatch>"
                ),
            );
        }
        other => panic!("{other}"),
    }
    xml(
        200,
        "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-11-21T09:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>",
    )
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    text.split_once(open).unwrap().1.split_once(close).unwrap().0
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    xml(
        status,
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

fn xml(status: u16, body: &str) -> Reply {
    Reply::status(status).with_body("text/xml", format!("<?xml version=\"1.0\"?>\n{body}"))
}
