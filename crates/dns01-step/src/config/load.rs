//! Finding and reading documents.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::check::check;
use super::error::{ConfigError, Problem};
use super::report::Report;
use super::shape::hold;
use super::tree::Node;
use super::{Config, schema};

/// The largest document, in octets.
pub(super) const LARGEST: usize = 256 * 1024;

/// The name of the environment variable that says where the configuration is.
pub const CONFIG_VARIABLE: &str = "DNS01_CONFIG";

/// Where the configuration is: `explicit` (the flag `--config`), else what `DNS01_CONFIG` says, else `./dns01.yaml`,
/// else `/etc/dns01/dns01.yaml`, where these exist. What was said is taken as said, even if nothing is there.
pub fn find(explicit: Option<&Path>) -> Option<PathBuf> {
    let usual = ["dns01.yaml", "/etc/dns01/dns01.yaml"].map(PathBuf::from);
    first(explicit, std::env::var_os(CONFIG_VARIABLE), usual)
}

/// [`find`], told where to look.
pub(super) fn first(
    explicit: Option<&Path>,
    variable: Option<OsString>,
    usual: [PathBuf; 2],
) -> Option<PathBuf> {
    let variable = variable.filter(|path| !path.is_empty()).map(PathBuf::from);
    explicit
        .map(Path::to_path_buf)
        .or(variable)
        .or_else(|| usual.into_iter().find(|path| path.is_file()))
}

/// The documents at `path`: the file itself, or the `*.yaml` and `*.yml` files of a folder, such as a mounted
/// ConfigMap, in the order of their names. Each is complete in itself.
pub fn documents(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let failed = |error| ConfigError::Read { path: path.to_path_buf(), error };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let is_yaml = file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        // Kubernetes keeps the files of a mounted ConfigMap behind names that start with dots.
        let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if is_yaml && !is_hidden && file.is_file() {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

impl Config {
    /// Reads and checks the document in the file `path`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let failed = |error| ConfigError::Read { path: path.to_path_buf(), error };
        let mut text = String::new();
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        File::open(path).map_err(failed)?.take(limit + 1).read_to_string(&mut text).map_err(
            |error| match error.kind() {
                // A character may be cut by the limit itself.
                io::ErrorKind::InvalidData if fs::metadata(path).is_ok_and(|m| m.len() > limit) => {
                    ConfigError::TooLarge { origin: path.display().to_string() }
                }
                _ => failed(error),
            },
        )?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads and checks a document; `origin` is what messages call it, such as `configmap:NAME`.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        if text.len() > LARGEST {
            return Err(ConfigError::TooLarge { origin: origin.to_owned() });
        }
        let tree = Node::read(text).map_err(|error| unreadable(&error, text, origin))?;
        let mut report = Report::new(text, &tree);
        hold(&tree, schema(), &mut report);
        report.finish(origin)?;
        let mut config: Self =
            serde_yaml::from_str(text).map_err(|error| unreadable(&error, text, origin))?;
        origin.clone_into(&mut config.origin);
        let mut report = Report::new(text, &tree);
        check(&config, &mut report);
        report.finish(origin)?;
        Ok(config)
    }

    /// The document as YAML, in a fixed order and without what is absent or usual.
    pub fn to_yaml(&self) -> Result<String, ConfigError> {
        serde_yaml::to_string(self).map_err(|error| unreadable(&error, "", &self.origin))
    }
}

/// What the parser says, with its place apart.
fn unreadable(error: &serde_yaml::Error, text: &str, origin: &str) -> ConfigError {
    let (line, column) =
        error.location().map_or((1, 1), |location| (location.line(), location.column()));
    let said = error.to_string();
    let place = format!(" at line {line} column {column}");
    let text_there = text.lines().nth(line - 1).and_then(|line| line.get(column - 1..));
    let hint = if said.contains("scanning an alias") {
        Some("put a name that starts with `*` in quotes: `\"*.example.org\"`".to_owned())
    } else if text_there.is_some_and(|rest| rest.starts_with('\t')) {
        Some("indent with spaces: YAML takes no tabs".to_owned())
    } else {
        None
    };
    let problem = Problem::new((line, column), &said.replacen(&place, "", 1), hint);
    ConfigError::Wrong { origin: origin.to_owned(), problems: vec![problem], more: 0 }
}
