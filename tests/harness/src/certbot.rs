//! The real certbot, in the virtual environment that `cargo xtask setup` makes.

use crate::tools::tools_dir;
use std::path::PathBuf;

/// The path of certbot 5.x; panics with what to do when it is not installed.
pub fn certbot() -> PathBuf {
    let path = tools_dir().join("certbot/bin/certbot");
    assert!(path.is_file(), "certbot is not installed: run `cargo xtask setup`");
    path
}
