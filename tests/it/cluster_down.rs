//! `cargo xtask cluster up` and `down`: nothing stays behind.
#![expect(clippy::print_stderr, reason = "it shows what there was")]

use harness::{Lab, Network, private_namespace};
use std::process::Command;

/// What a machine is seen to have: processes, mounts, links, addresses, routes, packet rules and control groups.
const SHOW: &str = "ps -e -o comm= | sort | uniq -c | grep -v -E ' (ps|sort|uniq|grep|bash)$'; cut -d' ' -f4-5 /proc/self/mountinfo; \
    ip -oneline link; ip -oneline addr; ip route; nft list ruleset; find /sys/fs/cgroup -name 'dns01-*' -newer $0.start";

/// Shows it, starts a cluster, asks it something by way of its kubeconfig, ends it, shows it again.
const SCRIPT: &str = r#"
set -e
touch $0.start
show() { SHOW; }
show > $0.before
"$XTASK" cluster up --at "$0.at"
KUBECONFIG=$("$XTASK" cluster kubeconfig --at "$0.at") "$KUBECTL" get node n1 -o name
show > $0.during
"$XTASK" cluster down --at "$0.at"
show > $0.after
! cmp -s $0.before $0.during
diff $0.before $0.after
"#;

#[test]
#[ignore = "needs the cluster's tools, root"]
fn a_cluster_that_was_ended_leaves_processes_mounts_links_and_rules_as_they_were() {
    let lab = Lab::new();
    // A namespace in which nobody else comes and goes.
    let folder = lab.folder("machine");
    let script = folder.join("script");
    std::fs::write(&script, SCRIPT.replace("SHOW", SHOW)).unwrap();
    let target = std::env::current_exe().unwrap();
    let xtask = target.ancestors().nth(2).unwrap().join("xtask");
    let mut machine: Command = private_namespace(&lab.folder("labs"), Network::Own);
    machine.arg("bash").arg(&script).env("XTASK", xtask).env("KUBECTL", harness::tool("kubectl"));
    let output = machine.output().unwrap();
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{}", text.join("\n"));
    assert!(
        text[0].contains("The cluster is up after") && text[0].contains("node/n1"),
        "{}",
        text[0]
    );
    eprintln!("{}", text[0]);
}
