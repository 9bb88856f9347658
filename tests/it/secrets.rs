//! No secret leaves its place: not in streams, outputs, termination messages or arguments, whatever happens.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows what it looked for"
)]

use crate::stage::{Chain, Chained, Stage};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use harness::{Invocation, NameServer as _, Reply, Run};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

const EAB: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeQ";

/// A secret in every form that it could be seen in.
pub(crate) fn forms(octets: &[u8]) -> Vec<String> {
    let mut hex = String::new();
    for octet in octets {
        write!(hex, "{octet:02x}").unwrap();
    }
    let upper = hex.to_uppercase();
    vec![BASE64_STANDARD.encode(octets), BASE64_URL_SAFE_NO_PAD.encode(octets), hex, upper]
}

/// The lines of a PEM file between its marks, and its octets in every form: each must be nowhere.
pub(crate) fn of_pem(pem: &str) -> Vec<String> {
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let octets = BASE64_STANDARD.decode(lines.concat()).unwrap();
    // The private number of a P-256 key alone is a secret too: 32 octets after their tag in the SEC 1 structure.
    let at = octets.windows(2).position(|two| two == [0x04, 0x20]).unwrap() + 2;
    let mut all = forms(&octets[at..at + 32]);
    all.extend(lines.iter().filter(|line| line.len() > 20).map(ToString::to_string));
    all
}

/// Every secret that these runs can have held.
fn canaries(stage: &Stage, work: &Path) -> Vec<String> {
    let tsig = &stage.named.key().secret;
    let mut all = vec![tsig.clone(), EAB.to_owned()];
    all.extend(forms(&BASE64_STANDARD.decode(tsig).unwrap()));
    all.extend(forms(&BASE64_URL_SAFE_NO_PAD.decode(EAB).unwrap()));
    pems(work, &mut all);
    all
}

fn pems(folder: &Path, all: &mut Vec<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            pems(&path, all);
        } else if let Ok(text) = fs::read_to_string(&path)
            && text.contains("PRIVATE KEY")
        {
            all.extend(of_pem(&text));
        }
    }
}

/// Everything that a step has said to anybody, and the arguments of it and its children.
fn traced(runs: &Mutex<Vec<Run>>, invocation: Invocation) -> Run {
    let run = invocation.env("DNS01_LOG", "trace").timeout(Duration::from_secs(45)).run();
    runs.lock().unwrap().push(run.clone());
    run
}

fn chained(runs: &Mutex<Vec<Run>>, chain: &Chain) -> Chained {
    chain.go_with(|_, invocation| Some(traced(runs, invocation)))
}

#[test]
#[ignore = "needs named, pebble"]
fn no_secret_is_ever_said_in_success_or_failure() {
    let stage = Stage::with(|named| named, |pebble| pebble.eab("kid-1", EAB));
    let (runs, file) = (Mutex::new(vec![]), stage.user.home().join("hmac"));
    fs::write(&file, EAB).unwrap();
    let bound = |chain: Chain| {
        let flags = ["--eab-kid", "kid-1", "--eab-hmac-key-file", file.to_str().unwrap()];
        ["renew-check", "order", "issue"]
            .iter()
            .fold(chain, |chain, step| chain.flags(step, &flags))
    };
    let chain = bound(stage.chain());
    chained(&runs, &chain).well();
    chained(
        &runs,
        &chain.again("run-2").flags("order", &["--force"]).flags("renew-check", &["--force"]),
    )
    .well();
    // One process, with what people see and what machines see.
    let one = bound(stage.chain());
    for flags in [&["--output", "json"][..], &["--force"], &["--explain-config"]] {
        traced(&runs, one.dns01_issue().args(flags)).exit(0);
    }
    // Failures in every room that holds a secret.
    let front = stage.pebble.front(|request| {
        let no = Reply::problem(403, "unauthorized", "no");
        request.path.starts_with("/order").then_some(no)
    });
    let fails = [
        chain
            .again("run-3")
            .env("RFC2136_NAMESERVER", "127.0.0.1:1")
            .env("RFC2136_DNS_TIMEOUT", "1"),
        chain.again("run-4").env("RFC2136_TSIG_KEY", "unknown"),
        chain.again("run-5").env("RFC2136_TSIG_ALGORITHM", "hmac-md5."),
        chain.again("run-6").at(&front.directory()),
    ];
    for failing in fails {
        let failing = failing.flags("order", &["--force"]).flags("renew-check", &["--force"]);
        assert_ne!(chained(&runs, &failing).last().code, 0);
        if failing.run == "run-4" {
            traced(&runs, failing.cleanup()).exit(20);
        }
    }
    for explained in [chain.present("[]"), chain.cleanup(), chain.order()] {
        traced(&runs, explained.arg("--explain-config")).exit(0);
    }
    // A key that is damaged must not be quoted.
    let key = chain.work.join("journal/shop/keys");
    for path in fs::read_dir(key).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("-----END", "!!!!-----END")).unwrap();
        traced(&runs, chain.store("2"));
        fs::write(&path, text).unwrap();
    }
    let runs = runs.into_inner().unwrap();
    let mut canaries = canaries(&stage, &chain.work);
    pems(&one.work, &mut canaries);
    println!("{} forms of secrets, looked for in {} runs", canaries.len(), runs.len());
    assert!(canaries.len() > 40, "the canaries are missing: {}", canaries.len());
    for run in runs {
        canaries.iter().fold(run, |run, canary| run.nowhere_contains(canary));
    }
}

#[test]
#[ignore = "needs named, pebble, strace"]
fn no_step_starts_a_program_or_is_started_with_a_secret_in_its_arguments() {
    let stage = Stage::start();
    let chain = stage.chain();
    let seen = Mutex::new(String::new());
    let done = chain.go_with(|_, invocation| {
        let (run, trace) = invocation.trace_text();
        let starts = trace.lines().filter(|line| line.contains("execve("));
        starts.for_each(|line| seen.lock().unwrap().push_str(line));
        Some(run)
    });
    done.well();
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.matches("execve(").count(), 7, "a step starts nothing: {seen}");
    for canary in canaries(&stage, &chain.work) {
        assert!(!seen.contains(&canary), "`{canary}` in {seen}");
    }
}
