//! The eight situations. Each ends with a delivered certificate, which `Seen::row` looks at; or, where another client issues,
//! with that one's asking for cleanup.

use super::super::platform::{CERTIFICATE, OWNER, Platform};
use super::super::workflow::Workflow;
use super::Composite;
use super::seen::{Seen, entry_of, journal};
use harness::NameServer as _;
use std::sync::RwLock;

/// What another client wants published.
const VALUE: &str = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";

fn submit<'a>(platform: &'a Platform, composite: &Composite) -> Workflow<'a> {
    let certificate = [("certificate", CERTIFICATE)];
    let parameters = if composite.issues() { &certificate[..] } else { &challenge() };
    platform.submit(composite.template, parameters)
}

/// The parameters that a Sensor fixes, and those of the event.
fn challenge() -> [(&'static str, &'static str); 4] {
    [("provider", "rfc2136"), ("credentials-secret", "rfc2136"), ("fqdn", OWNER), ("value", VALUE)]
}

/// What the client of `dns01-challenge-only` asks for in the end.
pub(super) fn clean_up(seen: &mut Seen, platform: &Platform, composite: &Composite) {
    if !composite.issues() {
        seen.run(&platform.submit("dns01-cleanup", &challenge()).ended(), "Succeeded");
    }
}

/// Starts a run and returns while it waits for the held name server.
fn waiting<'a>(platform: &'a Platform, composite: &Composite) -> Workflow<'a> {
    let before = platform.named.txt(OWNER).len();
    let run = submit(platform, composite);
    run.until_node(composite.waits.0, "Running");
    until_published(platform, composite, before);
    run
}

/// Waits until a try has published, that began with `before` values in the zone.
fn until_published(platform: &Platform, composite: &Composite, before: usize) {
    platform.until_published(composite.values + if composite.anew { before } else { 0 });
}

/// The next run ends well, with the key and the order of the one before.
fn next(seen: &mut Seen, platform: &Platform, composite: &Composite) {
    let run = waiting(platform, composite);
    platform.named.release(0);
    seen.run(&run.ended(), "Succeeded");
    assert!(platform.pebble.orders() <= composite.orders, "{}", platform.pebble.orders());
}

pub(super) fn success(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    let ended = submit(platform, composite).ended();
    seen.run(&ended, "Succeeded");
    assert_eq!(ended.output("result"), composite.issues().then_some("issue"));
    seen
}

pub(super) fn permanent_failure(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    let (good, mut wrong) = (platform.credentials("rfc2136"), platform.credentials("rfc2136"));
    wrong["stringData"]["RFC2136_TSIG_SECRET"] = super::canary::WRONG_TSIG_SECRET.into();
    platform.apply(&wrong);
    let ended = submit(platform, composite).ended();
    seen.run(&ended, "Failed");
    let (phase, message) = ended.node(composite.writes);
    seen.says(composite.writes, &message);
    assert_eq!(phase, "Failed");
    for part in ["exit code 20", "could not add TXT", "BADSIG; hint: "] {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert_eq!((seen.zone(platform), platform.pebble.issued()), (0, 0));
    let secret = format!("dns01-{CERTIFICATE}-key");
    let key = || composite.issues().then(|| entry_of(platform, &secret, "1.pem"));
    let first = key();
    platform.apply(&good);
    seen.run(&submit(platform, composite).ended(), "Succeeded");
    assert!(key() == first, "the key was lost");
    seen
}

pub(super) fn transient(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    platform.named.stop();
    let name = submit(platform, composite).name;
    let (template, node) = composite.asks;
    let failed = Workflow::existing(platform, &name).until_node(template, "Failed");
    let message = failed["message"].as_str().unwrap();
    seen.says(node, message);
    for part in ["exit code 75", "could not", "; hint: "] {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    platform.named.start();
    seen.run(&Workflow::existing(platform, &name).ended(), "Succeeded");
    seen
}

pub(super) fn stop(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    let left = shut_down(&mut seen, platform, composite, "Stop");
    assert_eq!(left, composite.left_by_stop, "the exit hook has not cleaned up");
    next(&mut seen, platform, composite);
    seen
}

pub(super) fn terminate(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    let left = shut_down(&mut seen, platform, composite, "Terminate");
    assert_eq!(left, composite.left_by_terminate);
    next(&mut seen, platform, composite);
    seen
}

/// Ends a run while it waits for the name servers; how many values its end has left in the zone.
fn shut_down(seen: &mut Seen, platform: &Platform, composite: &Composite, how: &str) -> usize {
    let run = waiting(platform, composite);
    assert_eq!(seen.zone(platform), composite.values);
    let pod = run.running_pod(composite.waits.0);
    run.shutdown(how);
    let ended = run.ended();
    seen.run(&ended, "Failed");
    let node = composite.waits.1;
    seen.says(node, &ended.node(node).1);
    // Argo's own word has replaced the step's on the node, not in the pod.
    let words = run.last_words(pod["metadata"]["name"].as_str().unwrap());
    seen.says("its pod", &words);
    assert!(words.contains("stopped by a signal") && words.contains("; hint: "), "{words}");
    seen.zone(platform)
}

pub(super) fn controller_killed(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    let run = waiting(platform, composite);
    seen.zone(platform);
    let nobody_needs_mutexes = forgets_mutexes().then(|| MUTEXES.write().unwrap());
    platform.cluster.restart_controller();
    drop(nobody_needs_mutexes);
    platform.named.release(0);
    seen.run(&run.ended(), "Succeeded");
    seen
}

pub(super) fn pod_deleted(platform: &mut Platform, composite: &Composite) -> Seen {
    let mut seen = Seen::default();
    let run = waiting(platform, composite);
    let before = seen.zone(platform);
    let (template, node) = composite.waits;
    let pod = run.running_pod(template);
    platform.kubectl(&["delete", "pod", "--wait=false", pod["metadata"]["name"].as_str().unwrap()]);
    // A pod that is gone within ten seconds is made anew by Argo itself: then no try has failed.
    if let Some(lost) = run.until_another_pod(template, &pod) {
        seen.says(node, &lost);
    }
    until_published(platform, composite, before);
    platform.named.release(0);
    seen.run(&run.ended(), "Succeeded");
    seen
}

/// Held for reading by who needs the controller's mutexes, where it forgets them.
static MUTEXES: RwLock<()> = RwLock::new(());

/// Argo 3.7 forgets who holds a template's mutex when its controller restarts. Of two runs that then meet one issues, and
/// the other can wait until its time is over for values that the first has removed: nothing to wait for in a test.
fn forgets_mutexes() -> bool {
    std::env::var("DNS01_E2E_ARGO").is_ok_and(|release| release == "3.7")
}

pub(super) fn two_runs(platform: &mut Platform, composite: &Composite) -> Seen {
    let _needs_mutexes = forgets_mutexes().then(|| MUTEXES.read().unwrap());
    let mut seen = Seen::default();
    let runs = [submit(platform, composite), submit(platform, composite)];
    if composite.issues() {
        for run in &runs {
            run.until_node("renew-check", "Succeeded");
        }
    }
    platform.until_published(composite.values);
    seen.zone(platform);
    platform.named.release(0);
    let ended = runs.map(|run| run.ended());
    for one in &ended {
        seen.run(one, "Succeeded");
    }
    if !composite.issues() {
        return seen;
    }
    let mut results = ended.each_ref().map(|one| one.output("result").unwrap_or_default());
    results.sort_unstable();
    assert_eq!(results, ["issue", "none"], "{}", journal(platform));
    seen
}
