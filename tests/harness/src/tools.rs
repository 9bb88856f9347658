//! Where the server binaries are: `.tools/bin` (or `$DNS01_TOOLS/bin`), then the system's folders.

use std::path::{Path, PathBuf};

/// The folder that `cargo xtask setup` fills: `$DNS01_TOOLS`, else `.tools` in the repository.
pub fn tools_dir() -> PathBuf {
    std::env::var_os("DNS01_TOOLS").map_or_else(|| repository().join(".tools"), PathBuf::from)
}

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The path of a server or client program; panics with what to do when it is not installed.
pub fn tool(name: &str) -> PathBuf {
    let own = [tools_dir().join("bin")];
    let system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .map(PathBuf::from);
    let found =
        own.into_iter().chain(system).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not installed: run `cargo xtask setup`"))
}
