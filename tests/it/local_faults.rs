//! What the machine itself may do to a run: a damaged journal, a full disk, a folder that cannot be written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::stage::{Chain, Stage, ZONE};
use harness::{Invocation, Run, Sandbox};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Every step that opens the journal, as the run that owns it.
fn every_opener(chain: &Chain) -> Vec<Run> {
    let steps = [chain.check(), chain.order(), chain.issue("1"), chain.store("1"), chain.cleanup()];
    steps.into_iter().map(Invocation::run).collect()
}

fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let inside = |path: PathBuf| {
        if path.is_dir() { tree(&path) } else { vec![(path.clone(), fs::read(path).unwrap())] }
    };
    files.into_iter().flat_map(inside).collect()
}

/// Every step refuses this state with this code, and leaves the journal as it is.
#[track_caller]
fn refuses(stage: &Stage, chain: &Chain, code: i32, words: &str) {
    let (before, orders) = (tree(&chain.work.join("journal")), stage.pebble.orders());
    for run in every_opener(chain) {
        let run = run.exit(code).termination_contains(words).termination_contains("hint: ");
        assert!(!run.termination.contains('\n'));
    }
    assert_eq!(tree(&chain.work.join("journal")), before, "the journal was touched");
    assert_eq!(stage.pebble.orders(), orders);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_journal_that_is_cut_off_or_tampered_with_is_25_and_left_as_it_is() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    let good = fs::read_to_string(chain.state_file()).unwrap();
    for half in ["", "{", &good[..good.len() / 2]] {
        fs::write(chain.state_file(), half).unwrap();
        refuses(&stage, &chain, 25, "is damaged");
    }
    let elsewhere = "https://192.0.2.1:14000/x";
    let changes: [fn(&mut serde_json::Value); 5] = [
        |state| state["order"]["url"] = "https://192.0.2.1:14000/x".into(),
        |state| state["challenges"][0]["url"] = "https://192.0.2.1:14000/x".into(),
        |state| state["challenges"][0]["fqdn"] = "_acme-challenge.victim.test".into(),
        |state| state["challenges"][0]["value"] = "short".into(),
        |state| state["certificate"] = "another".into(),
    ];
    for change in changes {
        fs::write(chain.state_file(), &good).unwrap();
        chain.edit(change);
        refuses(&stage, &chain, 25, "is damaged");
    }
    assert!(!good.contains(elsewhere));
    // The same journal as it was still works.
    fs::write(chain.state_file(), &good).unwrap();
    chain.go().well();
    chain.delivered();
}

#[test]
#[ignore = "needs named, pebble"]
fn a_journal_of_a_newer_release_is_11_and_left_as_it_is() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    chain.edit(|state| state["v"] = 2.into());
    refuses(&stage, &chain, 11, "has format 2");
}

#[test]
#[ignore = "needs named, pebble"]
fn fields_that_a_newer_release_added_survive_a_run() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    chain.edit(|state| {
        state["novelty"] = "kept".into();
        state["spec"]["novelty"] = "kept".into();
    });
    chain.go().well();
    let state = chain.state();
    assert_eq!((&state["novelty"], &state["spec"]["novelty"]), (&"kept".into(), &"kept".into()));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_journal_that_others_can_read_is_30_with_the_command_that_mends_it() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.order().run().exit(0);
    fs::set_permissions(chain.state_file(), fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&stage, &chain, 30, "hint: run `chmod 0600 ");
}

#[test]
#[ignore = "needs named, pebble"]
fn another_key_in_the_journal_is_25_and_nothing_is_finalized() {
    let stage = Stage::start();
    let [chain, other] = [stage.chain(), stage.chain()];
    let order = chain.order().run().exit(0);
    other.order().run().exit(0);
    let key = |chain: &Chain| chain.work.join("journal/shop/keys/1.pem");
    fs::copy(key(&other), key(&chain)).unwrap();
    chain.present(order.output("challenges")).run().exit(0);
    chain.issue("1").run().exit(25).termination_contains("was expected");
    assert_eq!(stage.pebble.finalized(), 0);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_lost_key_ends_the_generation_and_the_next_run_issues() {
    let stage = Stage::start();
    let chain = stage.chain();
    let order = chain.order().run().exit(0);
    fs::remove_file(chain.work.join("journal/shop/keys/1.pem")).unwrap();
    chain.present(order.output("challenges")).run().exit(0);
    chain.issue("1").run().exit(23).termination_contains("lost");
    assert_eq!((stage.pebble.finalized(), chain.state()["dead"].as_str()), (0, Some("key lost")));
    chain.cleanup().run().exit(0);
    chain.let_the_pause_pass();
    chain.again("run-2").go().well();
    chain.delivered();
}

fn fill(disk: &Path) -> PathBuf {
    let filler = disk.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 1024]).is_ok() {}
    filler
}

#[test]
#[ignore = "needs named, pebble"]
fn a_full_disk_is_82_at_any_step_and_with_room_again_the_chain_ends_well() {
    let stage = Stage::start();
    let mut chain = stage.chain();
    chain.work = stage.lab.small_disk(512);
    fs::set_permissions(&chain.work, fs::Permissions::from_mode(0o700)).unwrap();
    for step in ["order", "certbot-issue", "store-secret"] {
        let done = chain.go_with(|name, invocation| {
            if name != step {
                return Some(invocation.run());
            }
            let filler = fill(&chain.work);
            let run = invocation.run();
            fs::remove_file(filler).unwrap();
            Some(run)
        });
        let failed =
            done.run(step).clone().exit(82).termination_contains("No space left on device");
        failed.termination_contains("hint: free space");
    }
    chain.go().well();
    chain.delivered();
    assert_eq!(stage.pebble.finalized(), 1);
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn a_folder_that_cannot_be_written_is_30_for_journal_sink_and_outputs() {
    let stage = Stage::start();
    let chain = stage.chain();
    let mut fixed = chain.clone();
    fixed.work = stage.lab.folder("fixed");
    stage.lab.make_read_only(&fixed.work);
    fixed.order().run().exit(30).termination_contains("Read-only file system");
    assert_eq!(stage.pebble.orders(), 0);
    // A sink.
    let order = chain.order().run().exit(0);
    chain.present(order.output("challenges")).run().exit(0);
    chain.issue("1").run().exit(0);
    let sink = format!("dir:{}", fixed.work.join("live").display());
    let failed = chain.store("1").args(["--sink", &sink]).run().exit(30);
    failed.termination_contains("Read-only file system");
    assert_eq!(chain.state()["phase"], "issued");
    chain.store("1").run().exit(0);
    chain.cleanup().run().exit(0);
    chain.delivered();
    // The outputs: what was done is done, and the step still fails, since later steps cannot know.
    let present = stage.user.program(Sandbox::binaries().join("present"));
    let value = "v".repeat(43);
    let challenges =
        format!(r#"[{{"domain":"{ZONE}","fqdn":"_acme-challenge.{ZONE}","value":"{value}"}}]"#);
    let resolver = harness::NameServer::resolver(&stage.named);
    let present = present.args(["--provider", "rfc2136", "--resolver", &resolver]);
    let present = present.arg("--outputs").arg(&fixed.work).args(["--challenges", &challenges]);
    present.run().exit(30).termination_contains("write output");
}
