//! The clients that are compared, each with the settings that suit it best where it can be set.

use super::measure::Job;
use super::site::Site;
use crate::setup::peers;
use crate::shell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// A contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Our own probe: the least that any client must do.
    Floor,
    Dns01,
    /// lego 5.
    Lego,
    /// The lego of Debian 12.
    OldLego,
    Certbot,
    AcmeSh,
}

/// How a client waits for the name servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// As fast as it can be told to.
    Eager,
    /// As it does without being told.
    Default,
}

impl Client {
    /// What tables call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Dns01 => "dns01",
            Self::Lego => "lego 5",
            Self::OldLego => "lego 4 (Debian)",
            Self::Certbot => "certbot",
            Self::AcmeSh => "acme.sh",
        }
    }

    /// The program itself, or why it is not there.
    pub(super) fn program(self, dns01: &Path) -> Result<PathBuf, String> {
        let tools = harness::tools_dir();
        let program = match self {
            Self::Floor => shell::target().join("release/floor"),
            Self::Dns01 => dns01.to_owned(),
            Self::Lego => tools.join("bin/lego"),
            Self::OldLego => tools.join(peers::OLD_LEGO),
            Self::Certbot => tools.join(peers::CERTBOT),
            Self::AcmeSh => tools.join(peers::ACME_SH),
        };
        if program.is_file() { Ok(program) } else { Err(peers::why_missing(&program)) }
    }

    /// The command that gets a certificate for `names`; its account and files live in `home`.
    pub(super) fn issue(
        self,
        program: &Path,
        site: &Site,
        home: &Path,
        names: &[String],
        pace: Pace,
    ) -> Job {
        let mut words: Vec<OsString> = vec![program.into()];
        let mut say = |all: &[&str]| words.extend(all.iter().map(OsString::from));
        let directory = &*site.directory;
        let home_text = home.to_string_lossy();
        let mut env = site.environment();
        match self {
            Self::Floor => {
                say(&["--directory", directory, "--ca-file", &site.ca_file()]);
                say(&["--account", &format!("{home_text}/account.json"), "--zone", &site.zone]);
                say(&["--tsig-key", &site.key.name, "--tsig-secret-file", &site.secret_file()]);
                say(&["--out", &format!("{home_text}/{}", names[0])]);
                site.servers.iter().for_each(|server| say(&["--server", &format!("{server}:53")]));
            }
            Self::Dns01 => {
                say(&["issue", "--provider", "rfc2136", "--agree-tos", "--server", directory]);
                say(&["--resolver", &site.resolver(), "--dir", &home_text]);
            }
            Self::Lego => {
                say(&["run", "--server", directory, "--accept-tos", "--email", EMAIL]);
                say(&["--path", &home_text, "--dns", "rfc2136", "--no-random-sleep"]);
                say(&["--dns.resolvers", &site.resolver()]);
                if pace == Pace::Eager {
                    say(&["--overall-request-limit", "1000"]);
                }
            }
            Self::OldLego => {
                say(&["--server", directory, "--accept-tos", "--email", EMAIL]);
                say(&["--path", &home_text, "--dns", "rfc2136"]);
                say(&["--dns.resolvers", &site.resolver()]);
            }
            Self::Certbot => {
                say(&["certonly", "-n", "--agree-tos", "-m", EMAIL, "--server", directory]);
                for (flag, folder) in
                    [("--config-dir", "c"), ("--work-dir", "w"), ("--logs-dir", "l")]
                {
                    say(&[flag, &format!("{home_text}/{folder}")]);
                }
                say(&["--key-type", "ecdsa", "--dns-rfc2136", "--dns-rfc2136-credentials"]);
                say(&[&site.certbot_file()]);
                if pace == Pace::Eager {
                    say(&["--dns-rfc2136-propagation-seconds", "0"]);
                }
            }
            Self::AcmeSh => {
                say(&["--issue", "--home", &home_text, "--config-home", &home_text]);
                say(&["--cert-home", &format!("{home_text}/certs"), "--server", directory]);
                say(&["--ca-bundle", &site.ca_file(), "--dns", "dns_nsupdate"]);
                say(&["--keylength", "ec-256", "--accountkeylength", "ec-256", "--dnssleep", "0"]);
            }
        }
        for name in names {
            words.extend(["-d".into(), name.into()]);
        }
        if self == Self::OldLego {
            words.push("run".into());
        }
        if pace == Pace::Eager {
            for prefix in ["DNSUPDATE", "RFC2136"] {
                for interval in ["POLLING_INTERVAL", "SEQUENCE_INTERVAL"] {
                    env.push((format!("{prefix}_{interval}"), "0".into()));
                }
            }
        }
        Job { words, env, home: home.to_owned() }
    }

    /// What a new home needs before the first call.
    pub(super) fn furnish(self, program: &Path, home: &Path) -> std::io::Result<()> {
        if self == Self::AcmeSh {
            let plugin = program.with_file_name("dnsapi").join("dns_nsupdate.sh");
            fs::create_dir_all(home.join("dnsapi"))?;
            fs::copy(plugin, home.join("dnsapi/dns_nsupdate.sh"))?;
        }
        Ok(())
    }

    /// Whether it is measured a few times only.
    pub(super) fn is_slow(self) -> bool {
        matches!(self, Self::AcmeSh | Self::OldLego)
    }
}

const EMAIL: &str = "bench@example.org";
