//! The clients that `cargo xtask bench` compares dns01 with. One that cannot be had here is told, not skipped.

use super::{certbot, debian, go, modules};
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Below `.tools`: lego 5, the lego of Debian 12, certbot with its plugin, acme.sh.
pub(crate) const LEGO: &str = "bin/lego";
pub(crate) const OLD_LEGO: &str = "lego-debian/usr/bin/lego";
pub(crate) const CERTBOT: &str = "certbot-rfc2136/bin/certbot";
pub(crate) const ACME_SH: &str = "acme.sh/usr/share/acme.sh/acme.sh";

type Install = fn(&Path) -> Result<()>;

const PEERS: [(&str, Install); 4] = [
    (LEGO, |_| go::install(&modules::LEGO)),
    (OLD_LEGO, |product| debian::unpack("lego", "bookworm", "lego-debian", product)),
    (CERTBOT, |_| certbot::install_with_plugin()),
    (ACME_SH, |product| debian::unpack("acme.sh", "sid", "acme.sh", product)),
];

/// Gets each of them, and keeps why where that fails.
pub(super) fn install() -> Result<()> {
    for (place, install) in PEERS {
        let product = harness::tools_dir().join(place);
        let reason = reason(&product);
        match install(&product) {
            Ok(()) => {
                fs::remove_file(reason).ok();
            }
            Err(error) => {
                eprintln!("{place} cannot be had here: {error:#}");
                fs::create_dir_all(reason.parent().unwrap_or(&reason))?;
                fs::write(reason, format!("{error:#}"))?;
            }
        }
    }
    Ok(())
}

/// Why a program of these is not there.
pub(crate) fn why_missing(product: &Path) -> String {
    let why = fs::read_to_string(reason(product));
    format!("not to be had here: {}", why.unwrap_or_else(|_| format!("no {}", product.display())))
}

fn reason(product: &Path) -> PathBuf {
    product.with_extension("missing")
}
