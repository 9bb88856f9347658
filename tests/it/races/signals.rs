//! SIGTERM in each step.

use super::published;
use crate::stage::Stage;
use harness::{Signal, wait_until};
use std::fs;
use std::path::Path;

#[test]
#[ignore = "needs named, pebble"]
fn a_step_stopped_by_sigterm_is_84_and_the_next_run_ends_well() {
    for step in ["renew-check", "order", "present", "wait-propagation", "certbot-issue", "cleanup"]
    {
        let stage = Stage::with(|named| named.secondaries(1), |pebble| pebble);
        let gate = Gate::new();
        let held = gate.clone();
        let front = stage.pebble.front(move |_| {
            held.pass();
            None
        });
        let chain = stage.chain().at(&front.directory());
        if step == "renew-check" {
            chain.go().well(); // It asks the CA about a certificate that exists.
        }
        let dns = ["present", "wait-propagation", "cleanup"].contains(&step);
        let stopped = chain.go_stopping(
            step,
            || if dns { stage.named.pause() } else { gate.close() },
            || {
                if dns { stage.named.resume() } else { gate.open() }
            },
        );
        stopped.exit(84).termination_contains("stopped by a signal");
        let next = chain.again(&format!("after {step}"));
        next.go().well();
        next.delivered();
        if step == "cleanup" {
            chain.cleanup().run().exit(0); // As a workflow does: repeated, or by its exit hook.
        }
        stage.assert_zone_is_clean();
        assert_eq!(stage.pebble.finalized(), 1, "{step}");
    }
}

#[test]
#[ignore = "needs named, pebble, flock"]
fn store_secret_stopped_by_sigterm_is_84_and_delivers_when_run_again() {
    let stage = Stage::start();
    let chain = stage.chain();
    let order = published(&chain);
    chain.issue(order.output("generation")).run().exit(0);
    let mut holder = hold(&chain.work.join("journal/shop/.lock"));
    let storing = chain.store(order.output("generation")).spawn();
    wait_until("the pair is in its sink", || chain.live().join("privkey.pem").exists());
    storing.signal(Signal::TERM);
    storing.wait().exit(84);
    holder.kill().unwrap();
    holder.wait().unwrap();
    chain.store(order.output("generation")).run().exit(0);
    chain.delivered();
}

/// A process that holds this lock.
fn hold(lock: &Path) -> std::process::Child {
    let mut flock = std::process::Command::new("flock");
    let child = flock.arg("--no-fork").arg(lock).args(["sleep", "60"]).spawn().unwrap();
    let is_held = || {
        let file = fs::File::open(lock).unwrap();
        let taken = file.try_lock().is_err();
        drop(file);
        taken
    };
    wait_until("the lock is held", is_held);
    child
}

/// Lets requests through, or holds them.
#[derive(Clone)]
struct Gate(std::sync::Arc<(std::sync::Mutex<bool>, std::sync::Condvar)>);

impl Gate {
    fn new() -> Self {
        Self(std::sync::Arc::default())
    }

    fn close(&self) {
        *self.0.0.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = false;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(closed, |closed| *closed).unwrap());
    }
}
