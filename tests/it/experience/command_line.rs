//! What people type: other clients' habits, the environment, pipes, Ctrl-C, and calls that go wrong.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use harness::{Invocation, NameServer as _, Run, Signal};
use serde_json::Value;

use crate::stage::{Chain, Stage};

fn dns01(chain: &Chain, args: &[&str]) -> Invocation {
    chain.user.dns01().args(args)
}

/// The one document that stdout has to be.
fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

#[test]
#[ignore = "needs named, pebble"]
fn ctrl_c_while_waiting_cleans_up_and_the_next_call_goes_on_with_the_same_order() {
    let stage = Stage::with(|named| named.secondaries(1).held(), |pebble| pebble);
    let chain = stage.chain();
    let mut waiting = chain.dns01_issue().args(["--progress", "plain"]).spawn();
    waiting.wait_for_stderr("propagation  started");
    waiting.signal(Signal::INT);
    waiting.wait().exit(84).stderr_contains("state: what was published is removed");
    stage.assert_zone_is_clean();
    let order = chain.state()["order"]["url"].clone();
    let mut again = chain.dns01_issue().args(["--progress", "plain"]).spawn();
    again.wait_for_stderr("propagation  started");
    stage.named.release(0);
    again.wait().exit(0);
    assert_eq!(
        (chain.state()["order"]["url"].clone(), chain.state()["generation"].clone()),
        (order, 1.into())
    );
    chain.delivered();
    stage.assert_zone_is_clean();
}

#[test]
#[ignore = "needs named, pebble"]
fn after_a_failure_that_was_cleaned_up_the_values_are_published_again() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.dns01_issue().env("RFC2136_TSIG_KEY", "other").run().exit(20);
    // This one does not come as far as the name server, and its cleanup finds nothing in the zone.
    chain.dns01_issue().env("SSL_CERT_FILE", "/nonexistent").run().exit(11);
    chain.dns01_issue().run().exit(0).stderr_contains("present      done  2 TXT");
    chain.delivered();
}

#[test]
#[ignore = "needs named, pebble"]
fn a_call_that_failed_leaves_nothing_for_renew_to_fail_at() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.dns01_issue().env("RFC2136_TSIG_KEY", "other").run().exit(20);
    let work = chain.work.to_str().unwrap();
    dns01(&chain, &["renew", "--dir", work])
        .run()
        .exit(0)
        .stdout_contains("No certificate is defined here");
}

#[test]
#[ignore = "needs named, pebble"]
fn a_second_definition_for_the_same_names_is_refused_before_renew_would_fail() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.dns01_issue().run().exit(0);
    let mut other = chain.clone();
    "other".clone_into(&mut other.name);
    other
        .dns01_issue()
        .run()
        .exit(11)
        .stderr_contains("certificates/shop.yaml and again in these flags");
}

#[test]
#[ignore = "needs named, pebble"]
fn quiet_says_nothing_when_nothing_is_due_and_the_result_when_something_was() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.dns01_issue().run().exit(0);
    let (work, resolver) = (chain.work.to_str().unwrap(), stage.named.resolver());
    let renew = |more: &[&str]| {
        let run = dns01(&chain, &["renew", "-q", "--dir", work, "--resolver", &resolver]);
        run.args(more).run().exit(0)
    };
    let idle = renew(&[]);
    assert_eq!((idle.stdout.as_str(), idle.stderr.as_str()), ("", ""), "{idle}");
    let busy =
        renew(&["--name", "shop", "--force"]).stdout_contains("Certificate shop: example.test");
    assert_eq!(busy.stderr, "", "{busy}");
}

#[test]
#[ignore = "needs named, pebble"]
fn of_several_renewals_each_failure_is_one_line_and_the_end_counts_them() {
    let stage = Stage::start();
    let chain = stage.chain();
    chain.dns01_issue().run().exit(0);
    let work = chain.work.to_str().unwrap();
    let run = dns01(&chain, &["renew", "shop", "shp", "--output", "json", "--dir", work]).run();
    let run = run.exit(21).stderr_contains("error: 1 of 2 certificates could not be renewed");
    assert_eq!(run.stderr.matches("no certificate is called `shp`").count(), 1, "{run}");
    let done = &document(&run)["outputs"]["certificates"];
    assert_eq!((&done[0]["action"], &done[1]["action"]), (&"none".into(), &"failed".into()));
}

#[test]
#[ignore = "needs named, pebble"]
fn a_key_on_stdout_is_the_only_thing_there_and_an_ephemeral_call_leaves_no_file() {
    let stage = Stage::start();
    let chain = stage.chain();
    let temporary = stage.lab.folder("temporary");
    let ephemeral = || {
        let (directory, resolver) = (stage.pebble.directory(), stage.named.resolver());
        let call = dns01(&chain, &["issue", "--ephemeral", "-d", "example.test", "--provider"]);
        call.args(["rfc2136", "--agree-tos", "--server", &directory, "--resolver", &resolver])
            .env("TMPDIR", &temporary)
    };
    let run = ephemeral().run().exit(0);
    let begins: Vec<_> = run.stdout.lines().filter(|line| line.starts_with("-----BEGIN")).collect();
    assert_eq!(begins.len(), 3, "{run}");
    assert!(run.stdout.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{run}");
    assert!(run.stdout.ends_with("-----END CERTIFICATE-----\n"), "{run}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);

    // Both are known before the CA is asked for anything.
    let asked = stage.pebble.requests();
    let json = ephemeral().args(["--output", "json"]).run().exit(11);
    assert_eq!(document(&json)["error"]["code"], 11);
    ephemeral().env("ARGO_TEMPLATE", "{}").run().exit(13).nowhere_contains("BEGIN");
    assert_eq!(stage.pebble.requests(), asked);
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
#[ignore = "needs named, pebble"]
fn the_certificate_for_a_csr_is_reported_without_a_key() {
    let stage = Stage::start();
    let chain = stage.chain_for(&[]);
    let csr = chain.work.join("own.csr");
    let made = std::process::Command::new("openssl")
        .args(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-keyout", "/dev/null", "-subj", "/", "-addext", "subjectAltName=DNS:example.test"])
        .arg("-out")
        .arg(&csr)
        .output();
    assert!(made.unwrap().status.success());
    let run = chain.dns01_issue().arg("--csr").arg(&csr).run().exit(0);
    assert!(run.stdout.contains("fullchain.pem") && !run.stdout.contains("privkey.pem"), "{run}");
}

#[test]
#[ignore = "needs named, pebble"]
fn a_failed_deploy_hook_is_told_below_the_certificate_that_was_delivered() {
    let stage = Stage::start();
    let chain = stage.chain();
    let run = chain.dns01_issue().args(["--reloadcmd", "false"]).run().exit(30);
    let run = run.stdout_contains("Certificate shop: ").stderr_contains("only the hook failed");
    assert_eq!(run.output("action"), "issue");
    let kept = fs::read_to_string(chain.work.join("certificates/shop.yaml")).unwrap();
    assert!(kept.contains("deployHook"), "{kept}");
}

/// The line of `--explain-config` about `setting`: value and origin.
fn explained<'a>(run: &'a Run, setting: &str) -> &'a str {
    let line = run.stdout.lines().find(|line| line.starts_with(&format!("{setting} ")));
    line.unwrap_or_else(|| panic!("no {setting}\n{run}")).trim_start_matches(setting).trim()
}

#[test]
#[ignore = "needs the user's binaries"]
fn a_flag_goes_before_the_environment_and_that_before_a_file() {
    let lab = harness::Lab::new();
    let file = lab.folder("work").join("address");
    fs::write(&file, "from@file.test\n").unwrap();
    let explain = || {
        harness::Sandbox::new(&lab)
            .dns01()
            .args(["issue", "--explain-config", "-d", "a.test", "--provider", "rfc2136"])
            .env("RFC2136_NAMESERVER", "192.0.2.1")
            .env("DNS01_EMAIL_FILE", &file)
    };
    let path = format!("from@file.test  ({})", file.display());
    assert_eq!(explained(&explain().run().exit(0), "--email"), path);
    let run = explain().env("DNS01_EMAIL", "from@env.test").run().exit(0);
    assert_eq!(explained(&run, "--email"), "from@env.test  (environment DNS01_EMAIL)");
    let run = explain().env("DNS01_EMAIL", "e@env.test").args(["-m", "a@flag.test"]).run().exit(0);
    assert_eq!(explained(&run, "--email"), "a@flag.test  (flag)");
    // A flag's other names are names in the environment too.
    for name in ["DNS01_NAME", "DNS01_CERTIFICATE", "DNS01_CERT_NAME"] {
        let run = explain().env(name, "shop").run().exit(0);
        assert_eq!(explained(&run, "--name"), format!("shop  (environment {name})"));
    }
}

#[test]
#[ignore = "needs the user's binaries"]
fn every_failure_is_one_document_with_output_json_however_early_it_comes() {
    let lab = harness::Lab::new();
    let user = harness::Sandbox::new(&lab);
    let json = |args: &[&str], code: i32| {
        let run = user.dns01().args(args).env("DNS01_OUTPUT", "json").run().exit(code);
        let found = document(&run)["error"]["code"].clone();
        assert_eq!(found, code, "{run}");
    };
    json(&["issue", "--frobnicate"], 2);
    json(&["issue", "--domains-file", "/nonexistent"], 11);
    json(&["renew", "--force"], 2);
    let run =
        user.dns01().args(["version", "--output=json"]).env("DNS01_QUIET_FILE", "/nonexistent");
    assert_eq!(document(&run.run().exit(11))["error"]["code"], 11);
}

#[test]
#[ignore = "needs the user's binaries"]
fn mistakes_on_the_command_line_name_what_was_meant_and_where_it_came_from() {
    let lab = harness::Lab::new();
    let user = harness::Sandbox::new(&lab);
    let typed = |args: &[&str]| user.dns01().args(args);
    typed(&["isue"]).run().exit(2).stderr_contains("a similar subcommand exists: 'issue'");
    let run =
        typed(&["issue", "--domian", "a.test"]).env("DNS01_PROVIDER", "rfc2136").run().exit(2);
    let run = run.stderr_contains("a similar argument exists: '--domain'");
    run.stderr_contains("Usage: dns01 issue --domain <NAMES>\n");
    let run = typed(&["issue", "-d", "a.test"]).env("DNS01_AGREE_TOS", "yes").run().exit(2);
    run.stderr_contains("--agree-tos comes from environment DNS01_AGREE_TOS");
    let run = typed(&["issue", "-d", "a.test", "--key-type", "ec521"]).run().exit(2);
    run.stderr_contains("it is ec256, ec384, rsa2048, rsa3072 or rsa4096");
    let secret = ["issue", "-d", "a.test", "--eab.kid", "k", "--eab.hmac", "hmac-canary"];
    let run = typed(&secret).run().exit(11).stderr_contains("is not accepted");
    assert!(!run.stderr.contains("hmac-canary"), "{run}");
    let shown = Path::new("/dev/null").display().to_string();
    let run = typed(&["issue", "--name", "shop", "--dir", &shown]).run().exit(11);
    run.stderr_contains("no configuration defines a certificate `shop`");
}

#[test]
#[ignore = "needs the user's binaries"]
fn a_reader_who_stops_reading_is_no_bug() {
    let lab = harness::Lab::new();
    let dns01 = harness::Sandbox::binaries().join("dns01");
    let script =
        format!("'{}' completions zsh | head -n 1; echo ${{PIPESTATUS[0]}}", dns01.display());
    let run = harness::Sandbox::new(&lab).program("bash").args(["-c", &script]).run().exit(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("#compdef dns01\n0\n", ""), "{run}");
}

#[test]
#[ignore = "needs the user's binaries"]
fn help_speaks_of_the_command_that_was_typed_and_of_its_name() {
    let lab = harness::Lab::new();
    let run = harness::Sandbox::new(&lab).dns01().args(["issue", "--help"]).run().exit(0);
    let run = run.stdout_contains("Usage: dns01 issue [OPTIONS]").stdout_contains("--name <NAME>");
    assert!(!run.stdout.contains("--certificate") && !run.stdout.contains("--run-id"), "{run}");
}
