//! `cargo xtask bench argo`: from a request at the webhook to a verified Secret, on a real node with Argo's controllers.
//!
//! The run itself is a test (`tests/it/cluster/events/speed.rs`), which writes its times down when it is asked to.

use super::machine;
use super::outcome::{Goal, Outcome, Row};
use crate::test::WHAT;
use crate::within::namespace;
use crate::{image, setup, shell};
use anyhow::{Context as _, Result};
use harness::Network;
use serde_json::Value;
use std::fs;

const ABOUT: &str = "A POST to the webhook, by way of EventSource, bus and Sensor, starts a Workflow; the clock stops when the Secret's chain \
    has been verified with openssl. *pod start* is from a pod's creation until its step begins, all pods on the way added up; *ours* from there \
    until the step's last word; *rest* is Argo's: event, bus, Sensor, and above all the controller's looking again, which it does every \
    `DEFAULT_REQUEUE_TIME` (10 s unless set) where no event of a pod makes it. A DAG has seven pods (cleanup runs beside the delivery); none can \
    go without a phase that could no longer be seen and retried by itself.";

/// The templates and what they are called on the page.
const SHAPES: [(&str, &str); 2] =
    [("dns01-certificate", "DAG"), ("dns01-certificate-onepod", "one pod")];

/// Runs it `runs` times, with the controller as it comes and with one that looks more often.
pub(super) fn run(runs: usize) -> Result<()> {
    setup::Setup::default().run()?;
    image::Image::default().run()?;
    shell::run(shell::cargo().arg("build").args(WHAT).arg("--bins"))?;
    shell::run(shell::cargo().arg("test").args(WHAT).arg("--no-run"))?;
    let mut outcome = Outcome::new("argo", "one certificate on Argo", ABOUT);
    for requeue in ["10s", "1s"] {
        let times = measure(requeue, runs)?;
        for (template, shape) in SHAPES {
            let who = format!("{shape}, requeue {requeue}");
            let mine = |what: &str| -> Vec<f64> {
                let runs = times.iter().filter(|run| run["template"] == template);
                runs.filter_map(|run| run[what].as_f64()).collect()
            };
            for (what, unit) in
                [("pods", ""), ("wall", "s"), ("pod start", "s"), ("ours", "s"), ("rest", "s")]
            {
                let (who, what) = (who.clone(), what.to_owned());
                let values = mine(&what);
                outcome.rows.push(Row {
                    who,
                    what,
                    unit: unit.to_owned(),
                    values,
                    note: String::new(),
                });
            }
        }
    }
    let of = |what: &str| outcome.median("DAG, requeue 10s", what);
    let share = of("ours").zip(of("wall")).map(|(ours, wall)| ours / wall);
    outcome.goals.push(Goal::at_most("ours, as a share of the DAG's wall time", share, 0.05));
    outcome.measured = format!("{}, {runs} runs", machine::today());
    outcome.machine = machine::machine();
    outcome.versions =
        ["Argo Workflows 4.0.7", "Argo Events 1.9.11", "Kubernetes 1.34.4 (one node)"]
            .map(ToOwned::to_owned)
            .to_vec();
    outcome.save()?;
    super::tell(&outcome);
    Ok(())
}

fn measure(requeue: &str, runs: usize) -> Result<Vec<Value>> {
    let out = shell::root().join("target/bench").join(format!("argo-{requeue}.json"));
    fs::create_dir_all(out.parent().unwrap_or(&out))?;
    fs::remove_file(&out).ok();
    let cargo = shell::cargo();
    namespace(Network::Own, |inner| {
        inner.arg(cargo.get_program()).args(["test", "--offline"]).args(WHAT);
        inner.args(["--", "--include-ignored", "cluster::events::speed"]);
        inner.env("DNS01_BENCH_OUT", &out).env("DNS01_BENCH_RUNS", runs.to_string());
        shell::run(inner.env("DNS01_E2E_REQUEUE", requeue))
    })?;
    let text = fs::read(&out).with_context(|| format!("nothing in {}", out.display()))?;
    Ok(serde_json::from_slice(&text)?)
}
