//! `--engine certbot`: a real certbot with our key, account and hooks; and our hooks in anybody's certbot.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod failures;
mod flow;
mod own;

use crate::stage::{Chain, Stage};
use harness::{NameServer as _, Running, certbot, wait_until};
use std::fs;
use std::path::PathBuf;

/// Where the answers for apex and wildcard are.
const OWNER: &str = "_acme-challenge.example.test";

/// The steps of `chain` with certbot in the place of the native engine.
fn with_certbot(chain: Chain) -> Chain {
    let program = certbot();
    let flags = ["--certbot", program.to_str().unwrap(), "--provider", "rfc2136"];
    chain.flags("order", &["--engine", "certbot"]).flags("certbot-issue", &flags)
}

/// A stage whose secondary shows nothing until it is released: certbot's hook waits.
fn stage_that_waits() -> Stage {
    Stage::with(|named| named.secondaries(1).held(), |pebble| pebble)
}

/// Starts certbot-issue after an `order`, and returns when both values are published and its hook waits.
fn waiting(stage: &Stage, chain: &Chain) -> Running {
    let order = chain.order().run().exit(0);
    assert_eq!((order.output("needed"), order.output("challenges")), ("false", "[]"));
    let running = chain.issue(order.output("generation")).spawn();
    wait_until("both values are published", || stage.named.txt(OWNER).len() == 2);
    running
}

/// The private folders of certbot runs.
fn private_folders(stage: &Stage) -> Vec<PathBuf> {
    let entries = fs::read_dir(stage.lab.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_private = |path: &PathBuf| path.to_string_lossy().contains("/dns01-certbot-");
    entries.filter(is_private).collect()
}

/// The lab's certbots and all that they have started: process ids and command lines.
fn processes(stage: &Stage) -> Vec<(i32, String)> {
    let folder = format!("{}/dns01-certbot-", stage.lab.path().display());
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let processes = entries.filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let read = |file| fs::read(entry.path().join(file)).unwrap_or_default();
        let text = |file| String::from_utf8_lossy(&read(file)).replace('\0', " ");
        text("environ").contains(&folder).then(|| (id, text("cmdline")))
    });
    processes.collect()
}

fn command_lines(stage: &Stage) -> Vec<String> {
    processes(stage).into_iter().map(|(_, line)| line).collect()
}

/// What the journal still wants removed.
fn wanted(chain: &Chain) -> usize {
    let state = chain.state();
    let challenges = state["challenges"].as_array().unwrap();
    challenges.iter().filter(|one| one["state"] == "wanted").count()
}

/// Nothing of certbot's runs is left but the journal.
fn assert_tidy(stage: &Stage) {
    assert_eq!(private_folders(stage), Vec::<PathBuf>::new());
    wait_until("certbot and its hooks are gone", || command_lines(stage).is_empty());
}
