//! Death anywhere: every step is killed at every fail point and at seeded system calls, and run again; whatever
//! happened, there is one certificate with its key, one finalized order, and nothing in the zone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows its table"
)]

use crate::stage::{Chain, Stage, pair_in};
use harness::{Invocation, NameServer as _, Run, SyscallPoint};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Every binary of the chain in its order, and the one that is all of them.
const STEPS: [&str; 8] = [
    "issue",
    "renew-check",
    "order",
    "present",
    "wait-propagation",
    "certbot-issue",
    "store-secret",
    "cleanup",
];

/// How many are killed at the same time: they wait for servers more than they compute.
const WORKERS: usize = 6;

/// The seed of the chosen system calls.
const SEED: u64 = 20_26;

/// One death: of which step, where, and how that is asked for.
#[derive(Clone)]
struct Death {
    step: &'static str,
    place: String,
    point: Option<SyscallPoint>,
}

impl Death {
    fn arm(&self, invocation: Invocation) -> Invocation {
        match &self.point {
            Some(point) => invocation.kill_at(point),
            None => invocation.env("DNS01_FAIL_POINT", &self.place),
        }
    }
}

/// Runs one death after the other, several at once, each for a certificate of its own; gives the exceptions.
fn sweep(deaths: &[Death]) -> Vec<String> {
    let stage = Stage::start();
    let (next, exceptions) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let killed = Mutex::new(BTreeMap::<&str, (usize, usize)>::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((number, death)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    deaths.get(number).map(|death| (number, death))
                } {
                    let (died, flaws) = survive(&stage, number, death);
                    let mut killed = killed.lock().unwrap();
                    let row = killed.entry(death.step).or_default();
                    row.0 += 1;
                    row.1 += usize::from(died);
                    let name = format!("{} at {}", death.step, death.place);
                    let flaws = flaws.into_iter().map(|flaw| format!("{name}: {flaw}"));
                    exceptions.lock().unwrap().extend(flaws);
                }
            });
        }
    });
    let exceptions = exceptions.into_inner().unwrap();
    println!("{:<18}{:>8}{:>8}{:>12}", "step", "points", "deaths", "exceptions");
    for (step, (points, died)) in killed.into_inner().unwrap() {
        let own = exceptions.iter().filter(|flaw| flaw.starts_with(&format!("{step} "))).count();
        println!("{step:<18}{points:>8}{died:>8}{own:>12}");
    }
    let (certificates, finalized) = (deaths.len(), stage.pebble.finalized());
    println!("{certificates} certificates, {finalized} finalized orders");
    let mut exceptions = exceptions;
    if finalized != certificates {
        exceptions.push(format!("{finalized} finalized orders for {certificates} certificates"));
    }
    exceptions
}

/// Kills the step there, runs the chain again, and says whether it died and what is wrong afterwards.
fn survive(stage: &Stage, number: usize, death: &Death) -> (bool, Vec<String>) {
    let domain = format!("k{number}.example.test");
    let chain = stage.chain_for(&[&domain, &format!("*.{domain}")]);
    let first = run_all(&chain, death.step, |step, invocation| {
        if step == death.step { death.arm(invocation).run() } else { invocation.run() }
    });
    let died = first.code == 137;
    let mut flaws = vec![];
    if !died {
        flaws.extend(failure(&first));
    }
    // As a workflow repeats a step that a signal ended: the same run. A killed cleanup is repeated alone.
    if death.step == "cleanup" {
        flaws.extend(failure(&chain.cleanup().run()));
    }
    flaws.extend(failure(&run_all(&chain, death.step, |_, invocation| invocation.run())));
    flaws.extend(chain.look().err());
    flaws.extend(leftovers(stage, &chain, &domain));
    (died, flaws)
}

/// The whole chain, or the one command that is it; gives the last run.
fn run_all(chain: &Chain, step: &str, run: impl Fn(&str, Invocation) -> Run) -> Run {
    if step == "issue" {
        // As one run, like a pod that is started again: another run would wait for this one, which may live.
        return run("issue", chain.dns01_issue().args(["--run-id", &chain.run]));
    }
    chain.go_with(|step, invocation| Some(run(step, invocation))).last().clone()
}

fn failure(run: &Run) -> Option<String> {
    (run.code != 0).then(|| run.to_string())
}

fn leftovers(stage: &Stage, chain: &Chain, domain: &str) -> Option<String> {
    let left = stage.named.txt(&format!("_acme-challenge.{domain}"));
    let keys = fs::read_dir(chain.work.join("journal/shop/keys")).unwrap().count();
    (!left.is_empty() || keys != 1).then(|| format!("{left:?} in the zone, {keys} entries in keys"))
}

/// The fail points that each step passes in a run of the whole chain, each with its number.
fn fail_points() -> Vec<Death> {
    let stage = Stage::start();
    let log = |step: &str| stage.lab.path().join(format!("{step}.points"));
    for whole in ["issue", "chain"] {
        let chain = stage.chain_for(&["points.example.test", "*.points.example.test"]);
        let logged = |step: &str, run: Invocation| run.env("DNS01_FAIL_POINT_LOG", log(step)).run();
        run_all(&chain, whole, logged).exit(0);
    }
    let mut deaths = vec![];
    for step in STEPS {
        let mut seen = BTreeMap::<String, usize>::new();
        for name in fs::read_to_string(log(step)).unwrap_or_default().lines() {
            let nth = seen.entry(name.to_owned()).or_default();
            *nth += 1;
            deaths.push(Death { step, place: format!("{name}#{nth}"), point: None });
        }
    }
    deaths
}

/// `count` seeded system calls of each step.
fn system_calls(count: usize) -> Vec<Death> {
    let stage = Stage::start();
    let traced = Mutex::new(BTreeMap::new());
    for whole in ["issue", "chain"] {
        let trace = |step: &str, invocation: Invocation| {
            let (run, points) = invocation.trace();
            traced.lock().unwrap().insert(step.to_owned(), points);
            run
        };
        run_all(&stage.chain(), whole, trace).exit(0);
    }
    let traced = traced.into_inner().unwrap();
    let deaths = STEPS.into_iter().flat_map(|step| {
        let chosen = SyscallPoint::choose(&traced[step], count, SEED).into_iter();
        chosen.map(move |point| {
            let place = format!("{} {}", point.call, point.nth);
            Death { step, place, point: Some(point) }
        })
    });
    deaths.collect()
}

#[test]
#[ignore = "needs named, pebble"]
fn killed_at_any_fail_point_the_chain_run_again_ends_as_if_nothing_had_happened() {
    let deaths = fail_points();
    assert!(deaths.len() >= 40, "{} fail points", deaths.len());
    let exceptions = sweep(&deaths);
    assert!(exceptions.is_empty(), "{} exceptions:\n{}", exceptions.len(), exceptions.join("\n"));
}

#[test]
#[ignore = "needs named, pebble, strace"]
fn killed_at_any_system_call_the_chain_run_again_ends_as_if_nothing_had_happened() {
    let soak = std::env::var_os("DNS01_SOAK").is_some();
    let deaths = system_calls(if soak { 256 } else { 64 });
    let exceptions = sweep(&deaths);
    assert!(exceptions.is_empty(), "{} exceptions:\n{}", exceptions.len(), exceptions.join("\n"));
}

#[test]
#[ignore = "needs named, pebble, strace"]
fn a_writer_in_place_is_caught() {
    // What store-secret must not be: it writes the pair where readers look.
    let stage = Stage::start();
    let chain = stage.chain();
    chain.go().well();
    let old = stage.lab.folder("old");
    for file in ["fullchain.pem", "privkey.pem"] {
        fs::copy(chain.live().join(file), old.join(file)).unwrap();
    }
    let renewed = chain.again("run-2").flags("order", &["--force"]);
    let renewed = renewed.flags("renew-check", &["--force"]);
    renewed.go().well();
    let script = r#"for file in fullchain.pem privkey.pem; do cat "$1/$file" > "$2/$file"; done"#;
    let write = |target: &std::path::Path| {
        let shell = stage.user.program("/bin/sh").args(["-c", script, "sh"]);
        shell.arg(chain.live()).arg(target)
    };
    let target = || {
        let target = stage.lab.folder("target");
        for file in ["fullchain.pem", "privkey.pem"] {
            fs::copy(old.join(file), target.join(file)).unwrap();
        }
        target
    };
    let (run, points) = write(&target()).trace();
    run.exit(0);
    let mut caught = 0;
    for point in SyscallPoint::choose(&points, 64, SEED) {
        let target = target();
        write(&target).kill_at(&point).run();
        caught += usize::from(pair_in(&target).is_err());
    }
    println!("in-place writer: {} points, {caught} exceptions", points.len().min(64));
    assert!(caught >= 1, "the checker sees nothing");
}
