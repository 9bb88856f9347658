//! What people see: `--check`, `--watch`, and a wait at a terminal.

use super::{OWNER, VALUE, step};
use crate::faults::says;
use harness::{FakeDns, Lab, NameServer as _, Named, Sandbox, Zone, faults};

#[test]
#[ignore = "needs named"]
fn a_look_at_a_broken_zone_says_for_each_server_what_it_answers_and_what_to_do() {
    let lab = Lab::new();
    let lame = lab.address();
    let zone = Zone::new("example.test")
        .record("@ CAA 0 issue \"ca.example\"")
        .record("@ NS ns.nowhere.test.");
    let named = Named::builder(&lab).zone(zone).also_served_at(lame).start();
    let _lame = FakeDns::start_at(lame, named.address(), faults::lame());
    named.add_txt(OWNER, VALUE);
    let run = step(&lab, named.address()).args([OWNER, "--check"]).run();
    for line in [
        &format!("ns1.example.test ({}) shows \"{VALUE}\", serial", named.address()),
        &format!("ns2.example.test ({lame}) is not authoritative for the zone"),
        "ns.nowhere.test has no address (NXDOMAIN)",
        "CAA of `example.test`: issue ca.example",
    ] {
        assert!(run.stderr.contains(line), "`{line}` is missing\n{run}");
    }
    says(
        &run,
        80,
        &["hint: repair ns2.example.test or take it out of the NS records of `example.test`"],
    );
}

#[test]
#[ignore = "needs named"]
fn a_watch_tells_what_changes_and_ends_as_a_look_does() {
    let lab = Lab::new();
    let named = Named::builder(&lab).start();
    let mut watching = step(&lab, named.address()).args([OWNER, "--watch", "--timeout=8s"]).spawn();
    watching.wait_for_stdout("write it at the provider that serves this zone");
    named.add_txt(OWNER, VALUE);
    watching.wait_for_stdout("the only address shows these TXT records");
    watching.wait().exit(0);
}

#[test]
#[ignore = "needs named, script"]
fn at_a_terminal_there_is_a_live_line_for_each_server() {
    let lab = Lab::new();
    let named = Named::builder(&lab).secondaries(1).held().start();
    named.add_txt(OWNER, VALUE);
    let waited = |progress: &str| {
        let program = Sandbox::binaries().join("wait-propagation");
        let command = format!(
            "{} --fqdn {OWNER} --value={VALUE} --timeout=2s --progress={progress} --outputs={}",
            program.display(),
            lab.folder("outputs").display()
        );
        let user = Sandbox::new(&lab).resolv_conf(named.address()).env("TERM", "xterm");
        let run = user.program("/usr/bin/script").args(["-qec", &command, "/dev/null"]).run();
        run.exit(80).stdout
    };
    let live = waited("auto");
    for line in [
        "1 of 2 addresses agree, ".to_owned(),
        format!("  agrees   ns1.example.test ({}) shows the value", named.address()),
        format!(
            "  waiting  ns2.example.test ({}) answers NXDOMAIN",
            named.secondary_addresses()[0]
        ),
        // The lines are gone when the result is told.
        "\u{1b}[3A\r\u{1b}[J".to_owned(),
    ] {
        assert!(live.contains(&line), "{line:?} is missing in {live:?}");
    }
    let plain = waited("plain");
    assert!(
        !plain.contains("\u{1b}[3A") && plain.contains("propagation: 1 of 2 addresses agree"),
        "{plain:?}"
    );
}
