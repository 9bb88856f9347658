//! certbot in a virtual environment of its own, from the pins of `tests/tools/certbot`.

use crate::shell;
use anyhow::Result;
use std::process::Command;

/// Makes `.tools/certbot`.
pub(super) fn install() -> Result<()> {
    let (folder, pins) =
        (harness::tools_dir().join("certbot"), super::pins("certbot").join("requirements.txt"));
    super::once("certbot", &folder.join("bin/certbot"), &pins, || {
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        shell::run(
            Command::new(folder.join("bin/pip"))
                .args(["install", "-q", "--disable-pip-version-check", "-r"])
                .arg(&pins),
        )
    })
}
