//! The composites from end to end.

use super::platform::{CERTIFICATE, Platform};

fn issues(template: &str) {
    let platform = Platform::start("whole");
    let run = platform.submit(template, &[("certificate", CERTIFICATE)]).ended().succeeded();
    eprintln!("{}", run.table());
    assert_eq!((run.output("result"), platform.pebble.issued()), (Some("issue"), 1));
    assert!(platform.delivered().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    platform.assert_zone_is_clean();
    // Not due: nothing runs but the check.
    let again = platform.submit(template, &[("certificate", CERTIFICATE)]).ended().succeeded();
    assert_eq!((again.output("result"), again.node("run").0.as_str()), (Some("none"), "Skipped"));
    assert_eq!((again.pods(), platform.pebble.issued()), (1, 1));
}

#[test]
#[ignore = "needs the cluster"]
fn a_dag_issues_and_a_second_run_skips_it() {
    issues("dns01-certificate");
}

#[test]
#[ignore = "needs the cluster"]
fn one_pod_issues_and_a_second_run_skips_it() {
    issues("dns01-certificate-onepod");
}
