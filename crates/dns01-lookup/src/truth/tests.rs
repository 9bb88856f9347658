//! Reasons, from what was seen.

use super::*;

fn zone() -> Zone {
    Zone { apex: "a.test".parse().unwrap() }
}

fn server(agrees: bool, serial: u32, first_seen_ms: Option<u64>) -> ServerReport {
    ServerReport {
        agrees,
        answered: Answered::Yes,
        first_seen_ms,
        serial: Some(serial),
        ..ServerReport::unasked(zone(), "ns.a.test".to_owned(), "192.0.2.1".to_owned())
    }
}

fn reason(servers: Vec<ServerReport>, primary: Option<(bool, u32)>, held: bool) -> Option<Reason> {
    let primary = primary.map(|(shows, serial)| Primary {
        server: "hidden.a.test".to_owned(),
        address: "192.0.2.9".to_owned(),
        serial: Some(serial),
        shows,
    });
    let mut report = Report { servers, primary, ..Report::default() };
    conclude(&mut report, &zone(), held);
    report.reason
}

#[test]
fn who_has_not_done_his_part_is_named() {
    let behind = || vec![server(false, 1, None)];
    assert_eq!(reason(behind(), Some((false, 1)), true), Some(Reason::ProviderHasNotPublished));
    assert_eq!(reason(behind(), None, true), Some(Reason::ProviderHasNotPublished));
    assert_eq!(reason(behind(), Some((false, 1)), false), Some(Reason::NotOnThePrimary));
    assert_eq!(reason(behind(), Some((true, 2)), true), Some(Reason::SecondaryLags));
    let split = |serial| vec![server(true, 2, Some(5)), server(false, serial, None)];
    assert_eq!(reason(split(1), None, false), Some(Reason::SecondaryLags));
    assert_eq!(reason(split(2), None, false), Some(Reason::SameSerialDiffers));
    let gone = || vec![server(false, 3, Some(5))];
    assert_eq!(reason(gone(), Some((false, 3)), true), Some(Reason::Removed));
    assert_eq!(reason(gone(), None, true), None);
}

#[test]
fn nobody_who_gave_no_answer_is_blamed() {
    let silent = ServerReport { answered: Answered::No, serial: None, ..server(false, 0, None) };
    assert_eq!(reason(vec![silent], None, true), None);
}

#[test]
fn serials_wrap_around() {
    assert!(is_older(1, 2) && is_older(u32::MAX, 0) && is_older(4_294_967_290, 5));
    assert!(!is_older(2, 1) && !is_older(7, 7) && !is_older(0, u32::MAX));
}
