//! certbot in virtual environments of its own, from the pins of `tests/tools/certbot`.

use crate::shell;
use anyhow::Result;
use std::process::Command;

/// Makes `.tools/certbot`.
pub(super) fn install() -> Result<()> {
    install_as("certbot", "requirements.txt")
}

/// Makes `.tools/certbot-rfc2136`, which has the plugin too.
pub(super) fn install_with_plugin() -> Result<()> {
    install_as("certbot-rfc2136", "rfc2136.txt")
}

fn install_as(name: &str, pins: &str) -> Result<()> {
    let (folder, pins) = (harness::tools_dir().join(name), super::pins("certbot").join(pins));
    super::once(name, &folder.join("bin/certbot"), &pins, || {
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        shell::run(
            Command::new(folder.join("bin/pip"))
                .args(["install", "-q", "--disable-pip-version-check", "-r"])
                .arg(&pins),
        )
    })
}
