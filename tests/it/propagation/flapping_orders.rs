//! Certificates although one of three name servers, and the CA's own view with it, wavers after the record has appeared.
//!
//! Eight seeds with every test; with `DNS01_SOAK=1` the seeds 1 to 200.

use super::{show, soaks};
use crate::stage::ZONE;
use harness::{FakeDns, Lab, NameServer as _, Named, Pebble, Run, Sandbox, faults};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// So many orders at once.
const AT_ONCE: usize = 20;
/// For so long after the first sight each answer is as likely to lack the record as to show it.
const WAVERS: Duration = Duration::from_secs(6);

/// How `dns01 issue` tells that the first order was lost, behind the reason.
const AGAIN: &str = "a new order is placed";

fn issue(user: &Sandbox, named: &Named, pebble: &Pebble, seed: u64) -> Run {
    let domain = format!("s{seed}.{ZONE}");
    let folder = user.home().join(&domain);
    let issue = user.dns01().args(["issue", "--agree-tos", "--provider", "rfc2136", "-d", &domain]);
    let issue = issue.args(["--server", &pebble.directory(), "--resolver", &named.resolver()]);
    issue.arg("--dir").arg(folder).run()
}

#[test]
#[ignore = "needs named, pebble"]
fn orders_survive_a_server_and_a_ca_that_waver_for_six_seconds() {
    let seeds: Vec<u64> = (1..=if soaks() { 200 } else { 8 }).collect();
    let lab = Lab::new();
    let third = lab.address();
    let named = Named::builder(&lab).secondaries(1).also_served_at(third).start();
    let wavering = faults::flapping(50, WAVERS, 1);
    let _third = FakeDns::start_at(third, named.address(), Arc::clone(&wavering));
    let seen_by_the_ca = FakeDns::start_at(lab.address(), named.address(), wavering);
    let pebble = Pebble::builder(&lab, seen_by_the_ca.address()).start();
    let user = Sandbox::new(&lab).envs(named.rfc2136()).env("SSL_CERT_FILE", pebble.ca_file());
    let (next, failed) = (Mutex::new(seeds.iter()), Mutex::new(Vec::new()));
    let lost = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = next.lock().unwrap().next() else { return };
                    let run = issue(&user, &named, &pebble, *seed);
                    let again = run.stderr.lines().find(|it| it.ends_with(AGAIN));
                    lost.lock().unwrap().extend(again.map(|line| format!("seed {seed}: {line}\n")));
                    if run.code != 0 {
                        failed.lock().unwrap().push(run);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let count = seeds.len();
    let second = pebble.orders() - count;
    show(&format!(
        "{count} seeds: {} certificates, {} by the first order, {second} by a second generation after a 23\n",
        pebble.issued(),
        count - second,
    ));
    show(&lost.into_inner().unwrap().concat());
    assert!(failed.is_empty(), "{}", failed[0]);
    assert_eq!(pebble.issued(), count);
    // A row of nine lucky answers is possible, so one of eight may be lost, and four of two hundred.
    assert!(second <= (count / 50).max(1), "{second} of {count} first orders were lost");
    assert_eq!(pebble.invalid(), second);
    let asked = seen_by_the_ca.asked();
    assert!(asked.len() >= count, "the CA's view was not asked");
}
