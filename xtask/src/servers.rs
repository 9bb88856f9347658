//! `cargo xtask servers`: the demo's servers for your own experiments.

use crate::stage::{self, Stage};
use crate::{setup, shell};
use anyhow::Result;
use std::ffi::OsString;
use std::process::Command;

/// Arguments of `servers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Servers {
    /// What to run beside the servers, instead of your shell
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
    #[arg(long, hide = true)]
    inside: bool,
}

impl Servers {
    pub(crate) fn run(&self) -> Result<()> {
        if self.inside {
            return self.serve();
        }
        setup::Setup::DEMO.run()?;
        stage::build()?;
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        stage::inside(
            &[&["servers", "--inside"], &*words.iter().map(AsRef::as_ref).collect::<Vec<_>>()]
                .concat(),
        )
    }

    fn serve(&self) -> Result<()> {
        let stage = Stage::start();
        let bin = stage::binaries()?;
        println!(
            "A CA (pebble), a primary and a secondary name server (BIND) run in a private network."
        );
        println!(
            "Only this shell sees them; they stop when it ends. Its PATH has dns01 and the steps. It has:\n"
        );
        let environment = stage.environment();
        for (name, value) in &environment {
            println!("  {name}={}", value.to_string_lossy());
        }
        println!(
            "\nTry: dns01 issue -d $NAME -d '*.'$NAME --provider rfc2136 --server $ACME_DIRECTORY --agree-tos --resolver $RESOLVER --dir live\n"
        );
        let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
        let (program, arguments) =
            self.command.split_first().map_or((&shell, &[][..]), |(program, rest)| (program, rest));
        let path =
            [bin.into_os_string(), std::env::var_os("PATH").unwrap_or_default()].join(":".as_ref());
        let folder = stage.lab.folder("work");
        shell::quiet(
            Command::new(program)
                .args(arguments)
                .envs(environment)
                .env("PATH", path)
                .current_dir(folder),
        )
    }
}
