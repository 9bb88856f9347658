//! What has to be known of the machine and of all programs to read the figures.

use super::client::Client;
use super::ground::Ground;
use crate::setup::peers;
use crate::shell;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Processor, cores, memory, kernel, and how busy it was.
pub(super) fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let (cpus, memory, load) =
        (read("/proc/cpuinfo"), read("/proc/meminfo"), read("/proc/loadavg"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_default()
    };
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kib = field(&memory, "MemTotal").split(' ').next().and_then(|kib| kib.parse::<u64>().ok());
    let busy = load.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "{}, {cores} cores, {} GiB, Linux {}, load {busy} when it ended",
        field(&cpus, "model name"),
        kib.unwrap_or_default().div_ceil(1024 * 1024),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// Today, in UTC.
pub(super) fn today() -> String {
    let day = shell::output(Command::new("date").args(["-u", "+%Y-%m-%d"]));
    day.unwrap_or_default().trim().to_owned()
}

/// A line for each program.
pub(super) fn versions(ground: &Ground) -> Vec<String> {
    let first = |client: Client| {
        let program = ground.program(client).ok()?;
        first_line(Command::new(program).arg("--version"))
    };
    let said = |client: Client, version: Option<String>| {
        format!("{}: {}", client.name(), version.unwrap_or_else(|| "not to be had here".to_owned()))
    };
    let there = |client: Client| ground.program(client).is_ok();
    vec![
        said(
            Client::Dns01,
            first(Client::Dns01)
                .map(|version| format!("{version}, static (musl), as the image has it")),
        ),
        said(
            Client::Lego,
            there(Client::Lego).then(|| pinned("lego", "github.com/go-acme/lego/v5 v")).flatten(),
        ),
        said(Client::OldLego, unpacked(peers::OLD_LEGO)),
        said(
            Client::Certbot,
            first(Client::Certbot).map(|version| format!("{version}, with certbot-dns-rfc2136")),
        ),
        said(Client::AcmeSh, unpacked(peers::ACME_SH)),
        format!(
            "pebble: {}",
            pinned("pebble", "github.com/letsencrypt/pebble/v2 v").unwrap_or_default()
        ),
        format!(
            "name servers: {}",
            first_line(Command::new("named").arg("-v")).unwrap_or_default()
        ),
    ]
}

/// The version that a module is pinned to.
fn pinned(tool: &str, module: &str) -> Option<String> {
    let pins =
        fs::read_to_string(shell::root().join("tests/tools").join(tool).join("go.mod")).ok()?;
    let line = pins
        .lines()
        .find_map(|line| line.trim().trim_start_matches("require ").strip_prefix(module))?;
    Some(line.split(' ').next()?.to_owned())
}

/// The version of a Debian package that was unpacked to the folder that `place` starts with.
fn unpacked(place: &str) -> Option<String> {
    let folder = Path::new(place).iter().next()?;
    fs::read_to_string(harness::tools_dir().join(folder).join("version")).ok()
}

fn first_line(command: &mut Command) -> Option<String> {
    Some(shell::output(command)?.lines().next()?.to_owned())
}
