//! Where settings come from: asked for by name, answered with the place they were found.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::{Exit, Explain, SecretText};

/// Somewhere settings come from. The flags, environment and files of a process in a step, a map in a test.
pub trait Source: Send + Sync {
    /// The value of `name`: from the environment, else from the file that `<name>_FILE` names, else from the
    /// credentials folder, an `--env-file` or the configuration.
    fn setting(&self, name: &str) -> Result<Option<Found>, UnreadableSetting>;
}

/// A setting and its origin. Every value is treated as a secret until someone who knows better exposes it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value, trimmed of surrounding white space.
    pub value: SecretText,
    /// Where it was.
    pub origin: Origin,
}

/// Where a setting was found, for `--explain-config` and error messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// On the command line.
    Flag,
    /// In the environment, under this name.
    Environment(String),
    /// In this file: named by `<name>_FILE`, in the credentials folder, or an `--env-file`.
    File(PathBuf),
    /// In the configuration file, with the path of the key, such as `solvers[0].settings`.
    Config(String),
    /// Nowhere: the built-in default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Config(place) => f.write_str(place),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The file that should hold a setting cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the file `{}` that should hold {name} cannot be read", path.display())]
pub struct UnreadableSetting {
    /// The setting.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What reading it said.
    #[source]
    pub error: io::Error,
}

impl Explain for UnreadableSetting {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "make `{}` readable for this user, or give {} another way",
            self.path.display(),
            self.name
        ))
    }
}
