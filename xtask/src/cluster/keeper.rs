//! The two processes behind a running cluster: the keeper outside of the namespace, and the one that starts it inside.

use super::{Place, forward};
use anyhow::{Context as _, Result};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

/// Holds the namespace until this process ends.
pub(super) fn keep(place: &Place) -> Result<()> {
    fs::write(place.file("keeper"), std::process::id().to_string())?;
    // `down` removes it: this process ends by a signal.
    let folder = tempfile::Builder::new().prefix("dns01-").tempdir()?.keep();
    fs::write(place.file("folder"), folder.to_string_lossy().as_bytes())?;
    let mut inner = harness::private_namespace(&folder, harness::Network::Own);
    inner.arg(std::env::current_exe()?).args(["cluster", "serve"]);
    let mut child = inner.stdout(Stdio::piped()).spawn()?;
    let inside = first_child(child.id())?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let mut line = || lines.next().context("the cluster did not start")?.context("no output");
    let (kubeconfig, containerd) = (line()?, line()?);
    let port = forward::start(inside)?;
    let outside = harness::Cluster::outside(&kubeconfig, port);
    for (name, text) in
        [("inside", inside.to_string()), ("containerd", containerd), ("kubeconfig.new", outside)]
    {
        fs::write(place.file(name), text)?;
    }
    fs::rename(place.file("kubeconfig.new"), place.file("kubeconfig"))?;
    child.wait()?;
    Ok(())
}

/// Starts the cluster in this namespace, says where it is, and stays.
pub(super) fn serve() -> Result<()> {
    let cluster = harness::Cluster::start(&harness::Lab::new());
    cluster.start_events();
    println!("{}", fs::read_to_string(cluster.kubectl().kubeconfig())?);
    println!("{}", cluster.containerd().display());
    loop {
        std::thread::park();
    }
}

/// The process that `unshare` has made: the first of the namespace.
fn first_child(parent: u32) -> Result<u32> {
    let children = Path::new("/proc").join(format!("{parent}/task/{parent}/children"));
    loop {
        let text = fs::read_to_string(&children).context("the namespace was not made")?;
        if let Some(child) = text.split_whitespace().next() {
            return Ok(child.parse()?);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
