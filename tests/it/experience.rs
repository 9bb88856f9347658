//! What people read: the texts of `dns01 issue` and of its failures, letter by letter.

mod command_line;

use harness::{Invocation, NameServer as _, Run};

use crate::stage::Stage;

/// Asserts stderr and stdout of a run, with what differs from run to run replaced.
macro_rules! reads {
    ($stage:expr, $run:expr, @$expected:literal) => {{
        let stage: &Stage = $stage;
        let run: &Run = $run;
        let directory = stage.pebble.directory();
        let ca = directory.split('/').nth(2).unwrap_or_default().replace('.', r"\.");
        let ns = stage.named.address().to_string().replace('.', r"\.");
        let work = stage.lab.path().display().to_string() + r"/[a-z]+-\d+";
        let filters = vec![
            (ca.as_str(), "CA"),
            (work.as_str(), "DIR"),
            (ns.as_str(), "NS"),
            (r"[0-9a-f]{2}:[0-9a-f]{2}:…:[0-9a-f]{2}", "04:9f:…:c1"),
            (r"Pebble Intermediate CA [0-9a-f]{6}", "Pebble"),
            (r"\d+\.\d s", "0.1 s"),
            (r"\d{4}-\d\d-\d\d( \d\d:\d\d)?( UTC)?", "DATE"),
        ];
        insta::with_settings!({ filters => filters }, {
            insta::assert_snapshot!(format!("{}---\n{}", run.stderr, run.stdout), @$expected);
        });
    }};
}

fn issue(stage: &Stage) -> Invocation {
    stage.chain().dns01_issue()
}

#[test]
#[ignore = "needs named, pebble"]
fn a_first_certificate_reads_like_this_and_a_second_call_is_one_line() {
    let stage = Stage::start();
    let chain = stage.chain();
    let run = chain.dns01_issue().run().exit(0);
    reads!(&stage, &run, @r##"
        order        done  CA, 2 names
        present      done  2 TXT at _acme-challenge.example.test (zone example.test, rfc2136)
        propagation  done  1 of 1 addresses agree, 0.1 s
        issue        done  serial 04:9f:…:c1, issuer Pebble
        store        done  DIR/live/shop
        cleanup      done  2 TXT removed
        ---

        Certificate shop: example.test, *.example.test
          fullchain  DIR/live/shop/fullchain.pem
          key        DIR/live/shop/privkey.pem  (0600 root)
          expires    DATE (90 days)
          renews     about DATE (the CA's ARI window)
        Renewal needs RFC2136_TSIG_SECRET, which only the environment had: put it into a file and issue with --env-file
        Renewal is not scheduled yet:  sudo dns01 timer --install --dir DIR --resolver NS:53    (cron: 17 3,15 * * * dns01 renew -q --dir DIR --resolver NS:53)
    "##);
    let run = chain.dns01_issue().run().exit(0);
    reads!(&stage, &run, @r##"
        ---
        Certificate shop: nothing to do, it is delivered, unchanged and not due; expires DATE, renews about DATE (--force issues now)
    "##);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_wrong_key_reads_like_this() {
    let stage = Stage::start();
    let wrong = issue(&stage)
        .env("RFC2136_TSIG_SECRET", "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc=");
    let run = wrong.run().exit(20);
    reads!(&stage, &run, @r##"
        order        done  CA, 2 names
        present      failed
        cleanup      failed
        error: could not add TXT `_acme-challenge.example.test` to zone `example.test` at rfc2136
          cause: name server `NS:53` does not accept the signature of TSIG key `dns01-key`: BADSIG
          TSIG secret: RFC2136_TSIG_SECRET from the environment
        hint: compare secret and algorithm (hmac-sha256) with the server's `key "dns01-key"`
        state: nothing was written to zone `example.test`; the order is open until DATE, run the same command again
                                                                      exit 20 (auth refused)
        ---
    "##);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_typo_in_the_provider_reads_like_this() {
    let stage = Stage::start();
    let run = issue(&stage).args(["--provider", "rfc2163"]).run().exit(2);
    reads!(&stage, &run, @r##"
        error: the argument '--provider <ID>' cannot be used multiple times

        Usage: dns01 issue [OPTIONS]

        For more information, try '--help'.
        ---
    "##);
    let run = stage.user.dns01().args([
        "issue",
        "-d",
        "example.test",
        "--provider",
        "rfc2163",
        "--agree-tos",
        "--dir",
    ]);
    let run = run.arg(stage.lab.folder("work")).run().exit(11);
    reads!(&stage, &run, @r##"
        error: could not find the provider
          cause: no provider is called `rfc2163`
        hint: use `rfc2136`, or list all with `dns01 providers`
                                                                     exit 11 (configuration)
        ---
    "##);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_name_server_that_is_down_reads_like_this() {
    let mut stage = Stage::start();
    let chain = stage.chain();
    let resolver = stage.named.resolver();
    stage.named.stop();
    let run = chain.dns01_issue().env("DNS01_RESOLVER", resolver).run().exit(75);
    reads!(&stage, &run, @r##"
        order        failed
        error: could not find where the challenges are answered
          cause: resolver NS gave no answer for `_acme-challenge.example.test`: request timed out
        hint: check that DNS works from here, or name another server with --resolver IP
        state: no TXT is left; run the same command again
                                                                         exit 75 (transient)
        ---
    "##);
}

#[test]
#[ignore = "needs named, pebble"]
fn a_failed_step_reads_like_this_in_a_log() {
    let stage = Stage::start();
    let value = "a".repeat(43);
    let present = stage.chain().step("present").args([
        "--provider",
        "rfc2136",
        "--fqdn",
        "_acme-challenge.example.test",
    ]);
    let present = present.args(["--value", &value, "--resolver", &stage.named.resolver()]);
    let run =
        present.env("RFC2136_TSIG_KEY", "other").env("DNS01_LOG_FORMAT", "json").run().exit(20);
    let log: serde_json::Value =
        serde_json::from_str(run.stderr.lines().last().unwrap_or_default()).unwrap();
    assert_eq!(log["message"], run.termination.trim_end());
    insta::with_settings!({ filters => vec![(r"127\.\d+\.\d+\.\d+", "NS")] }, {
        insta::assert_snapshot!(run.termination, @r##"present: could not add TXT `_acme-challenge.example.test` to zone `example.test` at rfc2136: name server `NS:53` does not accept TSIG key `other`: BADKEY; hint: compare name and algorithm (hmac-sha256) with the server's key, and what the server lets it do; exit 20 (auth refused)"##);
    });
}
