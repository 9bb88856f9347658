//! `dns01 install`: copies this program into a folder, so that a container of another image (certbot's) can run it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use clap::{Command, Parser};
use dns01_step::{Attempt, Failure, Output, Step, StepIo};

use crate::{STEPS, plain};

/// Copy this program into a folder, with a link for each step.
#[derive(Debug, Parser)]
pub(crate) struct Install {
    /// The folder; it is made if need be
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Step for Install {
    const NAME: &'static str = "install";
    const OUTPUTS: &'static [Output] = &[];

    fn shape(command: Command) -> Command {
        plain(command)
    }

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let program = std::env::current_exe().attempt(|| "find this program".into())?;
        let (draft, target) = (self.to.join(".dns01.draft"), self.to.join("dns01"));
        let what = || format!("copy this program to `{}`", self.to.display());
        fs::create_dir_all(&self.to).attempt(what)?;
        fs::copy(program, &draft).attempt(what)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).attempt(what)?;
        fs::rename(&draft, &target).attempt(what)?;
        for step in STEPS {
            let link = self.to.join(step.name);
            if fs::read_link(&link).is_err() {
                symlink("dns01", &link).attempt(|| format!("link `{}`", link.display()))?;
            }
        }
        io.say(target.display());
        Ok(())
    }
}
