//! `dns01 timer`: what schedules renewals on a host: systemd units, and a line for cron.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use clap::{Command, Parser};
use dns01_core::Exit;
use dns01_lookup::LookupArgs;
use dns01_step::{Attempt, CredentialArgs, Failure, HomeArgs, Output, Step, StepIo, config};

use crate::issue::absolute;
use crate::plain;

const SERVICE: &str = "/etc/systemd/system/dns01-renew.service";
const TIMER: &str = "/etc/systemd/system/dns01-renew.timer";

/// Where `dns01.yaml` is found from any folder.
const SYSTEM_CONFIG: &str = "/etc/dns01/dns01.yaml";

/// There while systemd runs (`sd_booted(3)`).
const SYSTEMD: &str = "/run/systemd/system";

/// Print systemd units and a cron line that renew certificates, or install the units.
#[derive(Debug, Parser)]
pub(crate) struct Timer {
    /// Write the units and start the timer
    #[arg(long)]
    install: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    lookup: LookupArgs,
}

impl Step for Timer {
    const NAME: &'static str = "timer";
    const OUTPUTS: &'static [Output] = &[];

    fn shape(command: Command) -> Command {
        plain(command).mut_arg("config", |arg| arg.hide(false))
    }

    async fn run(self, io: &StepIo) -> Result<(), Failure> {
        let program = std::env::current_exe().attempt(|| "find this program".into())?;
        let renewal = renewal(&io.common().config, &self.credentials, &self.home, &self.lookup);
        let (service, timer) = units(&program, &renewal);
        if !self.install {
            let program = quoted(&program);
            io.say(format_args!(
                "# {SERVICE}\n{service}\n# {TIMER}\n{timer}\n# or in a crontab:\n17 3,15 * * * {program} {renewal}"
            ));
            return Ok(());
        }
        if !Path::new(SYSTEMD).is_dir() {
            return Err(Failure::new(Exit::LocalIo, "this machine does not run systemd")
                .hint("use the cron line that `dns01 timer` prints")
                .state("nothing was installed"));
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

/// `renew -q` with what it has to be told again, because no definition holds it.
pub(crate) fn renewal(
    places: &[String],
    credentials: &CredentialArgs,
    home: &HomeArgs,
    lookup: &LookupArgs,
) -> String {
    let mut words = vec!["renew".to_owned(), "-q".to_owned()];
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    let root = absolute(&home.root());
    if root != HomeArgs::default().root() {
        add("--dir", root.display().to_string());
    }
    let found = || config::find(None).into_iter().filter(|path| path != Path::new(SYSTEM_CONFIG));
    let files: Vec<PathBuf> = if places.is_empty() {
        found().collect()
    } else {
        places.iter().map(PathBuf::from).collect()
    };
    for file in files {
        add("--config", absolute(&file).display().to_string());
    }
    if let Some(folder) = &credentials.credentials_dir {
        add("--credentials-dir", absolute(folder).display().to_string());
    }
    if let Some(file) = &credentials.env_file {
        add("--env-file", absolute(file).display().to_string());
    }
    let list = |addresses: &[std::net::SocketAddr]| {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    for resolver in &lookup.resolver {
        add("--resolver", list(&resolver.0));
    }
    for (zone, addresses) in lookup.authority.iter().flat_map(|authority| &authority.0) {
        add("--authority", format!("{zone}={}", list(addresses)));
    }
    shell_words::join(words)
}

/// What to do about renewal, unless it is scheduled just so.
pub(crate) fn advice(renewal: &str) -> Option<String> {
    let unit = fs::read_to_string(SERVICE).unwrap_or_default();
    if unit.contains(&format!(" {}\n", in_unit(renewal))) {
        return None;
    }
    let cron = format!("cron: 17 3,15 * * * dns01 {renewal}");
    // The units run as root, who has another folder.
    if !rustix::process::geteuid().is_root() {
        return Some(format!("Renewal is not scheduled yet:  {cron}"));
    }
    let flags = renewal.strip_prefix("renew -q").unwrap_or_default();
    Some(format!("Renewal is not scheduled yet:  sudo dns01 timer --install{flags}    ({cron})"))
}

fn quoted(program: &Path) -> String {
    shell_words::quote(&program.display().to_string()).into_owned()
}

/// In a unit, `%` begins a specifier.
fn in_unit(words: &str) -> String {
    words.replace('%', "%%")
}

fn units(program: &Path, renewal: &str) -> (String, String) {
    let command = in_unit(&format!("{} {renewal}", quoted(program)));
    let service = format!(
        "[Unit]
Description=Renew TLS certificates that are due
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart={command}
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
        Program::new("systemctl").args(args).status().attempt(|| format!("run {shown}"))?;
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
    fn the_units_name_this_program_and_what_renewal_has_to_be_told() {
        let home = HomeArgs { dir: Some("/srv/50% of it".into()) };
        let lookup =
            LookupArgs { resolver: vec!["192.0.2.1".parse().unwrap()], ..LookupArgs::default() };
        let renewal =
            renewal(&["certs.yaml".to_owned()], &CredentialArgs::default(), &home, &lookup);
        let here = absolute(Path::new("certs.yaml"));
        assert_eq!(
            renewal,
            format!(
                "renew -q --dir '/srv/50% of it' --config {} --resolver 192.0.2.1:53",
                here.display()
            )
        );
        let (service, timer) = units(Path::new("/usr/bin/dns01"), &renewal);
        assert!(
            service.contains("ExecStart=/usr/bin/dns01 renew -q --dir '/srv/50%% of it' --config "),
            "{service}"
        );
        assert!(timer.contains("OnCalendar="));
    }

    #[test]
    fn nothing_has_to_be_said_about_the_usual_places() {
        let renewal = renewal(
            &[SYSTEM_CONFIG.to_owned()],
            &CredentialArgs::default(),
            &HomeArgs::default(),
            &LookupArgs::default(),
        );
        assert_eq!(renewal, format!("renew -q --config {SYSTEM_CONFIG}"));
    }
}
