//! What each service account may do and what not: asked with real tokens, and looked up in the pods of a real run.

mod adhoc;
mod client;
mod grid;
mod pods;

use super::platform;
use harness::{Cluster, tools_dir};
use std::process::Command;

/// A shell as people have it: with kubectl and a kubeconfig.
fn shell(cluster: &Cluster, script: &str) -> Command {
    let tools = tools_dir().join("bin");
    let search = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-euc", script]).env("PATH", search);
    shell.env("KUBECONFIG", cluster.kubectl().kubeconfig());
    shell
}
