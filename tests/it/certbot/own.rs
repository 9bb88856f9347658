//! Our hooks in somebody's own certbot: no journal, the provider as for every other command.

use super::OWNER;
use crate::stage::{Stage, ZONE};
use harness::{Invocation, NameServer as _, Sandbox, certbot};

/// A user's own `certbot certonly`, with our hooks as they would write them.
fn certonly(stage: &Stage, program: &str) -> Invocation {
    let hook = Sandbox::binaries().join(program).display().to_string();
    let folder = stage.lab.folder("certbot");
    let folders = ["config", "work", "logs"];
    let folders = folders.map(|name| format!("--{name}-dir={}", folder.join(name).display()));
    let command = stage.user.program(certbot()).args(["certonly", "-n", "--agree-tos", "--manual"]);
    let command = command.args(["--register-unsafely-without-email", "--preferred-challenges=dns"]);
    command
        .args(folders)
        .args(["--server", &stage.pebble.directory(), "-d", ZONE, "-d", "*.example.test"])
        .args(["--manual-auth-hook", &format!("{hook} certbot-hook auth")])
        .args(["--manual-cleanup-hook", &format!("{hook} certbot-hook cleanup")])
        .env("REQUESTS_CA_BUNDLE", stage.pebble.ca_file())
        .env("DNS01_RESOLVER", stage.named.resolver())
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn hooks_serve_somebodys_own_certbot_with_one_update_and_one_wait() {
    let stage = Stage::with(|named| named.secondaries(1), |pebble| pebble);
    certonly(&stage, "dns01").env("DNS01_PROVIDER", "rfc2136").run().exit(0);
    assert_eq!((stage.named.updates(ZONE), stage.pebble.issued()), (2, 1));
    assert!(stage.named.txt(OWNER).is_empty());
    // The same with the provider from a configuration.
    let config = stage.user.home().join("dns01.yaml");
    std::fs::write(&config, "version: 1\nsolvers: [{name: ns, provider: rfc2136}]\n").unwrap();
    certonly(&stage, "certbot-issue").run().exit(0);
    assert_eq!((stage.named.updates(ZONE), stage.pebble.issued()), (4, 2));
    assert!(stage.named.txt(OWNER).is_empty());
}

#[test]
#[ignore = "needs certbot, named, pebble"]
fn a_hook_without_what_it_needs_tells_certbots_user_what_to_set() {
    let stage = Stage::start();
    let program = stage.user.program(Sandbox::binaries().join("certbot-issue"));
    let run = program.args(["certbot-hook", "auth"]).run();
    run.exit(11).stderr_contains("CERTBOT_DOMAIN is not set");
    let run = certonly(&stage, "certbot-issue").run();
    assert!(run.code != 0 && run.stderr.contains("--provider ID"), "{run}");
}
