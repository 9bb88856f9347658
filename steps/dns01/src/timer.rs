//! `dns01 timer`: what schedules renewals on a host: systemd units, and a line for cron.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use dns01_core::Exit;
use dns01_step::{Attempt, Failure, HomeArgs, Output, Step, StepIo};

use crate::report::TIMER;

const SERVICE: &str = "/etc/systemd/system/dns01-renew.service";

/// Print systemd units and a cron line that renew certificates, or install the units.
#[derive(Debug, Parser)]
pub(crate) struct Timer {
    /// Write the units and start the timer
    #[arg(long)]
    install: bool,
    #[command(flatten)]
    home: HomeArgs,
}

impl Step for Timer {
    const NAME: &'static str = "timer";
    const OUTPUTS: &'static [Output] = &[];

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let program = std::env::current_exe().attempt(|| "find this program".into())?;
        let (service, timer) = units(&program, &self.home.root());
        if !self.install {
            io.say(format_args!("# {SERVICE}\n{service}\n# {TIMER}\n{timer}\n# or in a crontab:\n17 3,15 * * * {} renew -q", program.display()));
            return Ok(());
        }
        install(Path::new(SERVICE), &service)?;
        install(Path::new(TIMER), &timer)?;
        for args in [&["daemon-reload"][..], &["enable", "--now", "dns01-renew.timer"]] {
            systemctl(args)?;
        }
        io.say("Renewal is scheduled twice a day: `systemctl list-timers dns01-renew.timer`");
        Ok(())
    }
}

fn units(program: &Path, root: &Path) -> (String, String) {
    let (program, root) = (program.display(), root.display());
    let service = format!(
        "[Unit]
Description=Renew TLS certificates that are due
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart={program} renew -q --dir {root}
# A hook may have to restart other services, so the system is not sealed off any further than this.
PrivateTmp=true
NoNewPrivileges=true
"
    );
    let timer = "[Unit]
Description=Renew TLS certificates twice a day

[Timer]
OnCalendar=*-*-* 03,15:17:00
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
"
    .to_owned();
    (service, timer)
}

fn install(path: &Path, text: &str) -> Result<(), Failure> {
    let written = fs::write(path, text).attempt(|| format!("write `{}`", path.display()));
    written.map_err(|failure| {
        failure.hint("run it as root, or put the printed units elsewhere by hand")
    })
}

fn systemctl(args: &[&str]) -> Result<(), Failure> {
    let shown = format!("`systemctl {}`", args.join(" "));
    let status =
        Command::new("systemctl").args(args).status().attempt(|| format!("run {shown}"))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(Exit::LocalIo, format!("{shown} ended with {status}"))
        .hint("use the cron line that `dns01 timer` prints"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_name_this_program_and_its_folder() {
        let (service, timer) = units(Path::new("/usr/bin/dns01"), Path::new("/var/lib/dns01"));
        assert!(service.contains("ExecStart=/usr/bin/dns01 renew -q --dir /var/lib/dns01\n"));
        assert!(timer.contains("OnCalendar="));
    }
}
