//! Settings of providers, from a process: environment, files it names, the credentials folder, an `--env-file`, and
//! what the configuration says openly.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use dns01_core::{Exit, Found, Origin, SecretText, Source, UnreadableSetting};

use crate::Failure;

/// Where credentials are.
#[derive(Args, Clone, Debug, Default)]
pub struct CredentialArgs {
    /// Folder with one file per provider variable, such as a mounted Secret; else `$CREDENTIALS_DIRECTORY`
    #[arg(long, value_name = "DIR", help_heading = "Credentials")]
    pub credentials_dir: Option<PathBuf>,
    /// File of `NAME=value` lines with provider variables
    #[arg(long, value_name = "FILE", help_heading = "Credentials")]
    pub env_file: Option<PathBuf>,
}

/// A [`Source`] over this process. The environment answers first, then `NAME_FILE`, the folder, the file, the settings.
#[derive(Debug, Default)]
pub struct ProcessSource {
    /// Mounted credentials.
    folder: Option<PathBuf>,
    /// A variable's file name in the folder, where the configuration gives it another.
    renamed: BTreeMap<String, String>,
    /// `<solver>.<VARIABLE>` in the folder wins over `<VARIABLE>`.
    solver: Option<String>,
    /// Lines of the `--env-file`.
    lines: BTreeMap<String, SecretText>,
    env_file: PathBuf,
    /// What the configuration says openly.
    open: BTreeMap<String, String>,
}

impl ProcessSource {
    /// What the flags name; `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`) where they name no folder.
    pub fn new(args: &CredentialArgs) -> Result<Self, Failure> {
        let systemd = || std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let mut source =
            Self { folder: args.credentials_dir.clone().or_else(systemd), ..Self::default() };
        if let Some(path) = &args.env_file {
            source = source.with_env_file(path)?;
        }
        Ok(source)
    }

    /// Also reads `NAME=value` lines from `path`.
    pub fn with_env_file(mut self, path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::new(
                Exit::Config,
                format!("could not read the credentials in `{}`: {error}", path.display()),
            )
            .hint("create it with lines NAME=value, or name another with --env-file")
        })?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                let place = format!("{}:{}", path.display(), number + 1);
                let what = format!("could not read the credentials: {place} is no line NAME=value");
                return Err(Failure::new(Exit::Config, what)
                    .hint("write one `NAME=value` per line; comments begin with #"));
            };
            self.lines.insert(name.trim().to_owned(), unquote(value.trim()).into());
        }
        path.clone_into(&mut self.env_file);
        Ok(self)
    }

    /// Reads the folder instead, one file per variable.
    pub(crate) fn with_folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Also answers for the solver `name`: its open `settings`, and `renamed` keys of its Secret.
    pub(crate) fn with_solver(
        mut self,
        name: &str,
        settings: &BTreeMap<String, String>,
        renamed: &BTreeMap<String, String>,
    ) -> Self {
        self.solver = Some(name.to_owned());
        self.renamed.clone_from(renamed);
        self.open.clone_from(settings);
        self
    }

    /// The folder of credentials where nothing is in it, as where a Secret is mounted that does not exist.
    pub(crate) fn empty_folder(&self) -> Option<&Path> {
        let folder = self.folder.as_deref()?;
        // Kubernetes keeps what it mounts behind names that start with dots, also where that is nothing.
        let is_hidden = |name: OsString| name.as_encoded_bytes().starts_with(b".");
        let mut entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
        entries.all(|entry| is_hidden(entry.file_name())).then_some(folder)
    }

    fn in_folder(&self, name: &str) -> Result<Option<Found>, UnreadableSetting> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let file = self.renamed.get(name).map_or(name, String::as_str);
        let prefixed = self.solver.as_ref().map(|solver| format!("{solver}.{name}"));
        for file in prefixed.as_deref().into_iter().chain([file]) {
            let path = folder.join(file);
            match read(name, &path) {
                Err(error) if error.error.kind() == io::ErrorKind::NotFound => (),
                other => return other.map(Some),
            }
        }
        Ok(None)
    }
}

impl Source for ProcessSource {
    fn setting(&self, name: &str) -> Result<Option<Found>, UnreadableSetting> {
        if let Some(value) = std::env::var(name).ok().filter(|value| !value.trim().is_empty()) {
            let value = value.trim().into();
            return Ok(Some(Found { value, origin: Origin::Environment(name.to_owned()) }));
        }
        if let Some(path) = std::env::var_os(format!("{name}_FILE")).filter(|path| !path.is_empty())
        {
            return read(name, Path::new(&path)).map(Some);
        }
        if let Some(found) = self.in_folder(name)? {
            return Ok(Some(found));
        }
        if let Some(value) = self.lines.get(name) {
            return Ok(Some(Found {
                value: value.clone(),
                origin: Origin::File(self.env_file.clone()),
            }));
        }
        if let Some(value) = self.lines.get(&format!("{name}_FILE")) {
            return read(name, Path::new(value.expose())).map(Some);
        }
        if let Some(path) = self.open.get(&format!("{name}_FILE")) {
            return read(name, Path::new(path)).map(Some);
        }
        let solver = self.solver.as_deref().unwrap_or_default();
        let origin = || Origin::Config(format!("solver {solver}"));
        Ok(self
            .open
            .get(name)
            .map(|value| Found { value: value.as_str().into(), origin: origin() }))
    }
}

fn read(name: &str, path: &Path) -> Result<Found, UnreadableSetting> {
    let unreadable =
        |error| UnreadableSetting { name: name.to_owned(), path: path.to_owned(), error };
    let text = zeroize_on_drop(fs::read_to_string(path).map_err(unreadable)?);
    Ok(Found { value: text.expose().trim().into(), origin: Origin::File(path.to_owned()) })
}

fn zeroize_on_drop(text: String) -> SecretText {
    text.into()
}

fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> ProcessSource {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        ProcessSource::default().with_env_file(file.path()).unwrap()
    }

    #[test]
    fn env_file_lines_may_be_quoted_exported_and_commented() {
        let source = source("# note\nexport TOKEN='a b'\n\nOTHER=\"x=y\"\n");
        assert_eq!(source.setting("TOKEN").unwrap().unwrap().value.expose(), "a b");
        assert_eq!(source.setting("OTHER").unwrap().unwrap().value.expose(), "x=y");
        assert!(source.setting("ABSENT").unwrap().is_none());
    }

    #[test]
    fn a_solvers_own_key_in_the_folder_wins() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("TOKEN"), "shared\n").unwrap();
        fs::write(folder.path().join("corp.TOKEN"), "own\n").unwrap();
        fs::write(folder.path().join("api-token"), "renamed\n").unwrap();
        let args =
            CredentialArgs { credentials_dir: Some(folder.path().to_owned()), env_file: None };
        let renamed = BTreeMap::from([("CF_TOKEN".to_owned(), "api-token".to_owned())]);
        let source =
            ProcessSource::new(&args).unwrap().with_solver("corp", &BTreeMap::new(), &renamed);
        assert_eq!(source.setting("TOKEN").unwrap().unwrap().value.expose(), "own");
        assert_eq!(source.setting("CF_TOKEN").unwrap().unwrap().value.expose(), "renamed");
    }
}
