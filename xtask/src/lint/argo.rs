//! Argo's own linters over everything of theirs that we ship: templates, event sources, what the pages show, the chart.
//!
//! Argo Events' linter passes over what it can't read and over unknown fields; ours (`tests/tools/cluster/lint`)
//! refuses both, so each file goes through both.

use super::blocks;
use crate::shell;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What an object of Argo Workflows or Argo Events says of itself.
const ARGO: &str = "apiVersion: argoproj.io/";

/// Values that the chart is rendered with: its own, and all that is off by itself.
const VALUES: [&str; 2] = [
    "",
    "namespaceOverride=elsewhere,argo.instanceID=one,renewal.enabled=true,renewal.mode=dag,events.enabled=true,\
     events.httpreq.enabled=true,events.calendar.enabled=true,events.calendar.certificate=shop,events.resource.enabled=true",
];

/// Lints all of it. Needs what `cargo xtask setup` installs.
pub(crate) fn run() -> Result<()> {
    let (root, scratch) = (shell::root(), tempfile::tempdir()?);
    // Together, because a linter resolves references only among the files that it is given.
    let mut shipped = Vec::new();
    for folder in ["workflow-templates", "event-sources"] {
        shipped.extend(files(&root.join(folder), "yaml")?);
    }
    for page in files(&root.join("docs"), "md")? {
        shipped.extend(blocks::extract(&page, ARGO, scratch.path())?);
    }
    lint(&shipped)?;
    for (number, values) in VALUES.iter().enumerate() {
        let file = scratch.path().join(format!("chart-{number}.yaml"));
        let mut helm = tool("helm")?;
        helm.args(["template", "dns01", "charts/dns01", "--set", values]);
        shell::run(helm.stdout(fs::File::create(&file)?))?;
        lint(&[file])?;
    }
    Ok(())
}

/// Both linters over the files that hold objects of Argo.
fn lint(files: &[PathBuf]) -> Result<()> {
    let mut of_argo = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        if text.contains(ARGO) {
            of_argo.push(file.strip_prefix(shell::root()).unwrap_or(file));
        }
    }
    shell::run(tool("argo-lint")?.args(&of_argo))?;
    shell::run(tool("argo-events")?.args(["lint", "--strict"]).args(&of_argo))
}

fn tool(name: &str) -> Result<Command> {
    let program = harness::tools_dir().join("bin").join(name);
    if !program.exists() {
        bail!("{} is not installed: `cargo xtask setup`", program.display());
    }
    let mut command = Command::new(program);
    command.current_dir(shell::root());
    Ok(command)
}

/// The files below `folder` with this ending, in order.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|other| other == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
