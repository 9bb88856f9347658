//! Every row of the table of exit codes is reached, and says what it is in each of its four forms.

use crate::stage::{Stage, ZONE};
use dns01_core::Exit;
use harness::{NameServer as _, Named, Pebble, Reply, Run, Signal, Zone};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// A code, what it takes to get it, and a part of what is then said.
type Row = (Exit, fn() -> Run, &'static str);

const TABLE: &[Row] = &[
    (Exit::Done, done, ""),
    (Exit::Usage, usage, "unexpected argument"),
    (Exit::Config, config, "challenges"),
    (Exit::Input, input, "is not a usable name"),
    (Exit::Policy, policy, "redirect"),
    (Exit::AuthRefused, auth_refused, "BADSIG"),
    (Exit::NotFound, not_found, "not authoritative"),
    (Exit::CaRejected, ca_rejected, "rejectedIdentifier"),
    (Exit::OrderDead, order_dead, "the order is invalid"),
    (Exit::RateLimited, rate_limited, "rateLimited"),
    (Exit::Integrity, integrity, "damaged"),
    (Exit::Conflict, conflict, "superseded"),
    (Exit::LocalIo, local_io, "lets others read"),
    (Exit::Bug, bug, "bug in present"),
    (Exit::Transient, transient, "reach the CA"),
    (Exit::NotYet, not_yet, "NXDOMAIN"),
    (Exit::LocalResource, local_resource, "No space left on device"),
    (Exit::Locked, locked, "held the lock"),
    (Exit::Interrupted, interrupted, "stopped by a signal"),
];

#[test]
#[ignore = "needs named, pebble"]
fn every_exit_code_is_reached_and_told_in_each_form() {
    let reached: BTreeSet<_> = TABLE.iter().map(|row| row.0).collect();
    assert_eq!(reached, Exit::ALL.into_iter().collect(), "a row is missing");
    let rows = TABLE
        .iter()
        .map(|(exit, reach, words)| std::thread::spawn(move || check(*exit, &reach(), words)));
    let rows: Vec<_> = rows.collect();
    let failed: Vec<_> = rows.into_iter().filter_map(|row| row.join().err()).collect();
    assert!(failed.is_empty(), "{} rows are wrong", failed.len());
}

fn check(exit: Exit, run: &Run, words: &str) {
    let run = run.clone().exit(exit.code().into());
    if exit == Exit::Done {
        assert!(run.termination.is_empty() && !run.outputs.contains_key("error"), "{run}");
        return;
    }
    // The termination message is one line: step, what, why, what to do, which exit.
    let tail = format!("exit {} ({})", exit.code(), exit.name());
    let run = run.termination_contains(words);
    assert!(!run.termination.trim_end().contains('\n') && run.termination.len() <= 2048, "{run}");
    assert!(run.termination.trim_end().ends_with(&tail), "expected `{tail}` at the end\n{run}");
    if exit == Exit::Usage {
        return; // clap says it in its own form.
    }
    assert!(run.termination.contains("; hint: "), "expected a hint\n{run}");
    if exit == Exit::Bug {
        return; // A panic reaches neither the outputs nor the long form.
    }
    let error: serde_json::Value = serde_json::from_str(run.output("error")).unwrap_or_default();
    assert_eq!(error["code"], exit.code(), "{run}");
    assert_eq!(error["retryable"], exit.is_retryable(), "{run}");
    // The long form for people.
    let run = run.stderr_contains("error: ").stderr_contains("\nhint: ");
    assert!(
        run.stderr.trim_end().ends_with(&tail),
        "expected `{tail}` at the end of stderr\n{run}"
    );
}

fn challenges() -> String {
    let value = "a".repeat(43);
    format!(r#"[{{"domain":"{ZONE}","fqdn":"_acme-challenge.{ZONE}","value":"{value}"}}]"#)
}

fn done() -> Run {
    Stage::start().chain().present(&challenges()).run()
}

fn usage() -> Run {
    Stage::start().chain().present(&challenges()).arg("--nonsense").run()
}

fn config() -> Run {
    Stage::start().chain().present("").run()
}

fn input() -> Run {
    Stage::start().chain_for(&["exa mple..test"]).order().run()
}

fn policy() -> Run {
    let stage = Stage::start();
    let elsewhere = Reply::status(302).with_header("location", "https://192.0.2.1/dir");
    let front = stage.pebble.front(move |_| Some(elsewhere.clone()));
    stage.chain().at(&front.directory()).order().run()
}

fn auth_refused() -> Run {
    let chain = Stage::start();
    let wrong = chain.chain().env("RFC2136_TSIG_SECRET", "YSBjYW5hcnkgdGhhdCBpcyB3cm9uZw==");
    wrong.present(&challenges()).run()
}

fn not_found() -> Run {
    let stage = Stage::start();
    let other = Named::builder(&stage.lab).zone(Zone::new("other.test"));
    let other = other.key(stage.named.key().clone()).start();
    let chain = stage.chain();
    chain.env("RFC2136_NAMESERVER", &other.resolver()).present(&challenges()).run()
}

fn ca_rejected() -> Run {
    let stage = Stage::with(|named| named, |pebble| pebble.blocked(&[ZONE]));
    stage.chain().order().run()
}

fn order_dead() -> Run {
    let mut stage = Stage::start();
    let elsewhere = Named::builder(&stage.lab).start();
    stage.pebble = Pebble::builder(&stage.lab, elsewhere.address()).start();
    stage.chain().go().last().clone()
}

fn rate_limited() -> Run {
    let stage = Stage::start();
    let front = stage.pebble.front(|request| {
        let slow = Reply::problem(429, "rateLimited", "too many orders");
        (request.path == "/order-plz").then(|| slow.with_header("retry-after", "7200"))
    });
    stage.chain().at(&front.directory()).order().run()
}

fn integrity() -> Run {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    chain.edit(|state| state["order"]["url"] = "https://192.0.2.1/order".into());
    chain.again("run-2").order().run()
}

fn conflict() -> Run {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.go().well();
    chain.again("run-2").order().arg("--force").run().exit(0);
    chain.store("1").run()
}

fn local_io() -> Run {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    let key = chain.work.join("journal/shop/keys/1.pem");
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).ok();
    chain.go().last().clone()
}

fn bug() -> Run {
    let chain = Stage::start();
    chain.chain().present(&challenges()).env("DNS01_FAIL_POINT_PANIC", "present::added").run()
}

fn transient() -> Run {
    let mut stage = Stage::start();
    stage.pebble.stop();
    stage.chain().env("DNS01_RETRY_BUDGET", "1s").order().run()
}

fn not_yet() -> Run {
    let stage = Stage::start();
    stage.chain().wait(&challenges(), "").args(["--timeout", "2s"]).run()
}

fn local_resource() -> Run {
    let stage = Stage::start();
    let mut chain = stage.chain();
    chain.work = stage.lab.small_disk(64);
    fs::set_permissions(&chain.work, fs::Permissions::from_mode(0o700)).ok();
    while fs::File::options()
        .create(true)
        .append(true)
        .open(chain.work.join("filler"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, &[0; 4096]))
        .is_ok()
    {}
    chain.order().run()
}

fn locked() -> Run {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    let lock = chain.work.join("journal/shop/.lock");
    assert!(lock.exists());
    let mut holder =
        Command::new("flock").arg("--no-fork").arg(lock).args(["sleep", "50"]).spawn().ok();
    let run = chain.again("run-2").order().run();
    if let Some(holder) = &mut holder {
        holder.kill().and_then(|()| holder.wait()).ok();
    }
    run
}

fn interrupted() -> Run {
    let stage = Stage::start();
    let wait = stage.chain().env("DNS01_LOG", "info").wait(&challenges(), "");
    let mut waiting = wait.spawn();
    waiting.wait_for_stderr("0 of 1 addresses agree");
    waiting.signal(Signal::TERM);
    waiting.wait()
}
