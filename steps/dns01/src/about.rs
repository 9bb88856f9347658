//! `dns01 version`, `providers` and `completions`: what this binary is and can do.

use std::fmt::Write as _;

use clap::{Command, Parser};
use clap_complete::Shell;
use dns01_providers::{CATALOG, Need, ProviderSpec, find};
use dns01_step::{Attempt, Failure, Output, Step, StepIo};

use crate::{command, plain};

/// Print the version.
#[derive(Debug, Parser)]
pub(crate) struct Version {}

impl Step for Version {
    const NAME: &'static str = "version";
    const OUTPUTS: &'static [Output] =
        &[Output { name: "version", about: "the version", default: "" }];

    fn shape(command: Command) -> Command {
        plain(command)
    }

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        io.put("version", env!("CARGO_PKG_VERSION"))?;
        io.say(format_args!("dns01 {}", env!("CARGO_PKG_VERSION")));
        Ok(())
    }
}

/// List the DNS providers, or the settings of one.
#[derive(Debug, Parser)]
pub(crate) struct Providers {
    /// A provider, by its id or another client's name for it
    #[arg(value_name = "ID")]
    id: Option<String>,
}

impl Step for Providers {
    const NAME: &'static str = "providers";
    const OUTPUTS: &'static [Output] =
        &[Output { name: "providers", about: "their ids: a JSON list", default: "[]" }];

    fn shape(command: Command) -> Command {
        plain(command)
    }

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        io.put_json("providers", &CATALOG.iter().map(|spec| spec.id).collect::<Vec<_>>())?;
        if let Some(id) = &self.id {
            io.say(settings(find(id).attempt(|| "find the provider".into())?));
            return Ok(());
        }
        let lines: Vec<String> =
            CATALOG.iter().map(|spec| format!("{:14} {}", spec.id, spec.title)).collect();
        io.say(format_args!("{}\n\nSettings of one: dns01 providers ID", lines.join("\n")));
        Ok(())
    }
}

fn settings(spec: &ProviderSpec) -> String {
    let mut text = format!("{} ({})\n", spec.title, spec.id);
    for setting in spec.settings {
        let need = match setting.need {
            Need::Required => "required".to_owned(),
            Need::Optional => "optional".to_owned(),
            Need::Default(value) => format!("default {value}"),
        };
        let secret = if setting.secret { ", secret" } else { "" };
        let _ = writeln!(text, "  {:32} {} ({need}{secret})", setting.env, setting.about);
        if !setting.aliases.is_empty() {
            let _ = writeln!(text, "  {:32} also: {}", "", setting.aliases.join(", "));
        }
    }
    text += "Each may also be NAME_FILE with the path of a file that holds it.";
    for (label, extra) in [("Needs", spec.permission), ("Note", spec.notes)] {
        if !extra.is_empty() {
            let _ = write!(text, "\n{label}: {extra}");
        }
    }
    text
}

/// Print a completion script for a shell.
#[derive(Debug, Parser)]
pub(crate) struct Completions {
    /// bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Step for Completions {
    const NAME: &'static str = "completions";
    const OUTPUTS: &'static [Output] = &[];

    fn shape(command: Command) -> Command {
        plain(command)
    }

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "dns01", &mut script);
        io.say(String::from_utf8_lossy(&script).trim_end());
        Ok(())
    }
}
