//! Definitions that are wrong in what only some steps can see: each is refused by the earliest step that sees it, with
//! nothing written and nothing asked of the CA.

use std::fs;

use harness::{Invocation, NameServer as _, Run};

use crate::stage::{Chain, Stage, ZONE};

/// A certificate whose one solver is this.
fn defined(stage: &Stage, solver: &str) -> Chain {
    let server = stage.pebble.directory();
    stage.chain().defined_by(&format!(
        "version: 1
issuers: {{pebble: {{server: \"{server}\", termsOfServiceAgreed: true}}}}
solvers: [{solver}]
certificates: [{{name: shop, dnsNames: [{ZONE}]}}]
"
    ))
}

fn check(chain: &Chain) -> Invocation {
    let check = chain.user.step("renew-check").args(["--certificate", "shop", "--run-id", "run-1"]);
    check.args(["--journal", &chain.journal()])
}

/// All steps in one process.
fn issue(stage: &Stage, chain: &Chain) -> Invocation {
    let issue = chain.user.dns01().args(["issue", "--name", "shop", "--dir"]).arg(&chain.work);
    issue.args(["--resolver", &stage.named.resolver()])
}

/// Said with 11 and these words, and neither a journal nor an account is there.
fn refused(chain: &Chain, run: Run, words: &[&str]) {
    words.iter().fold(run.exit(11), |run, words| run.termination_contains(words));
    for folder in ["journal", "accounts"] {
        assert!(!chain.work.join(folder).exists(), "{folder} was written");
    }
}

#[test]
#[ignore = "needs named, pebble"]
fn an_unknown_provider_is_refused_before_anything_is_written() {
    let stage = Stage::start();
    let chain = defined(&stage, "{name: dns, provider: rfc2137}");
    let words = ["solver `dns`", "no provider is called `rfc2137`", "use `rfc2136`"];
    for step in [check(&chain), chain.order(), issue(&stage, &chain)] {
        refused(&chain, step.run(), &words);
    }
    let words = ["no provider is called `cloudfare`", "use `cloudflare`"];
    for step in [check(&chain), issue(&stage, &chain)] {
        refused(&chain, step.args(["--provider", "cloudfare"]).run(), &words);
    }
    assert_eq!(stage.pebble.requests(), 0);
    // Another one may be named by hand; `order` is not told which, so it trusts the check that was.
    let checked = check(&chain).args(["--provider", "rfc2136"]).run().exit(0);
    chain.order().args(["--checked", checked.output("action")]).run().exit(0);
    assert_eq!(stage.pebble.orders(), 1);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_credentials_secret_that_is_not_there_is_named_and_costs_no_second_order() {
    let stage = Stage::start();
    let chain =
        defined(&stage, "{name: dns, provider: rfc2136, credentials: {secretName: misspelt}}");
    // As the kubelet leaves the folder of an optional Secret that does not exist.
    let empty = stage.lab.folder("empty");
    fs::create_dir(empty.join("..2026")).unwrap();
    let words = [
        "Secret `misspelt`",
        "solver `dns`",
        "does not exist here, or is empty",
        "kubectl create secret generic misspelt",
    ];
    let one = issue(&stage, &chain).arg("--credentials-dir").arg(&empty).run();
    refused(&chain, one, &words);
    assert_eq!(stage.pebble.requests(), 0);

    // With a step for each phase `present` is the first that holds credentials.
    let order = chain.order().run().exit(0);
    let present = |folder| {
        let present = chain.step("present").arg("--credentials-dir").arg(folder);
        let resolver = stage.named.resolver();
        present.args(["--resolver", &resolver, "--challenges", order.output("challenges")]).run()
    };
    let failed = present(&empty).exit(11);
    words.iter().fold(failed, |run, words| run.termination_contains(words));
    assert_eq!(stage.named.update_requests(), 0);
    let full = stage.lab.folder("full");
    for (name, value) in stage.named.rfc2136() {
        fs::write(full.join(name), value).unwrap();
    }
    let again = chain.again("run-2").order().run().exit(0);
    assert_eq!(again.output("challenges"), order.output("challenges"));
    present(&full).exit(0);
    assert_eq!(
        (stage.pebble.orders(), stage.named.txt(&format!("_acme-challenge.{ZONE}")).len()),
        (1, 1)
    );
}
