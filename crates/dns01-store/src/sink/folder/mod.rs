//! `dir:PATH`: PEM files for a web server.
//!
//! A reader never sees the key of one certificate beside the chain of another: all files of a bundle are in one folder,
//! made whole under another name, and one rename puts it in place. Whoever opens that folder once, or reads all files
//! through it, sees one bundle.

mod certbot;
mod plain;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use dns01_core::{Bundle, Chain, FolderLayout, PrivateKey, SecretText};

use super::{Held, Place, SinkError, SinkOptions, Stored};
use crate::dir::files;
use crate::{Name, StoreError};

const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// No file of ours is larger.
const LARGEST: u64 = 256 * 1024;

/// A folder as a sink.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    options: SinkOptions,
    group: Option<u32>,
    certificate: Name,
}

/// One file of a bundle.
#[derive(Clone, Debug)]
struct Planned {
    name: String,
    content: SecretText,
    mode: u32,
    group: Option<u32>,
}

impl Folder {
    pub(super) fn new(
        path: &Path,
        options: &SinkOptions,
        certificate: &Name,
    ) -> Result<Self, SinkError> {
        let group = options.group.as_deref().map(group_id).transpose()?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            group,
            certificate: certificate.clone(),
        })
    }

    /// Every file that shall be there.
    fn plan(&self, bundle: &Bundle) -> Vec<Planned> {
        let names = &self.options.files;
        let public = |name: &str, content: String| Planned {
            name: name.to_owned(),
            content: content.into(),
            mode: 0o644,
            group: None,
        };
        let mut plan = vec![
            public(&names.cert, bundle.chain.leaf_pem()),
            public(&names.chain, bundle.chain.issuers_pem()),
            public(&names.fullchain, bundle.chain.pem()),
        ];
        if let Some(key) = &bundle.key {
            let secret = |name: &str, content: SecretText| Planned {
                name: name.to_owned(),
                content,
                mode: self.options.key_mode(),
                group: self.group,
            };
            plan.push(secret(&names.key, key.pem().clone()));
            if self.options.is_combined() {
                let combined = format!("{}{}", key.pem().expose(), bundle.chain.pem());
                plan.push(secret(&names.combined, combined.into()));
            }
        }
        plan
    }

    /// The mode of folders we make: closed, unless others are to read the key.
    fn folder_mode(&self) -> u32 {
        let shared = self.group.is_some() || self.options.key_mode() & 0o077 != 0;
        if shared { 0o755 } else { 0o700 }
    }

    /// The paths of the full chain and of the key.
    fn served(&self) -> (PathBuf, PathBuf) {
        let names = &self.options.files;
        let folder = match self.options.layout {
            FolderLayout::Plain => self.path.clone(),
            FolderLayout::Certbot => self.path.join("live").join(self.certificate.as_str()),
        };
        (folder.join(&names.fullchain), folder.join(&names.key))
    }

    /// Reads chain and key; again if the bundle was replaced in between.
    fn read(&self) -> Result<Option<Held>, SinkError> {
        let (chain_path, key_path) = self.served();
        loop {
            let place = match fs::canonicalize(&chain_path) {
                Ok(place) => place,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                // What cannot be looked at is not absent: that would make a new certificate due.
                Err(error) => return Err(StoreError::io("read", &chain_path)(error).into()),
            };
            let chain = read_file(&chain_path)?;
            let key = read_file(&key_path)?;
            if fs::canonicalize(&chain_path).ok() != Some(place) {
                continue;
            }
            let chain = chain.and_then(|pem| Chain::from_pem(pem.expose()).ok());
            let key = key.and_then(|pem| PrivateKey::from_pem(&pem).ok());
            return Ok(chain.map(|chain| Held { chain, key: key.map(|key| key.spki_hash()) }));
        }
    }
}

#[async_trait]
impl Place for Folder {
    async fn held(&self) -> Result<Option<Held>, SinkError> {
        let folder = self.clone();
        tokio::task::spawn_blocking(move || folder.read()).await.map_err(StoreError::Task)?
    }

    async fn write(&self, bundle: &Bundle) -> Result<Stored, SinkError> {
        let folder = self.clone();
        let bundle = Bundle { chain: bundle.chain.clone(), key: bundle.key.clone() };
        let write = move || match folder.options.layout {
            FolderLayout::Plain => plain::write(&folder, &bundle),
            FolderLayout::Certbot => certbot::write(&folder, &bundle),
        };
        tokio::task::spawn_blocking(write).await.map_err(StoreError::Task)?
    }
}

impl Planned {
    /// Whether the file at `path` is this one already.
    fn is_at(&self, path: &Path) -> bool {
        let Ok(found) = fs::metadata(path) else { return false };
        found.mode() & 0o7777 == self.mode
            && self.group.is_none_or(|group| group == found.gid())
            && matches!(read_file(path), Ok(Some(there)) if there == self.content)
    }

    /// Makes the file; fails where something is there.
    fn create_at(&self, path: &Path) -> Result<(), StoreError> {
        files::create(path, self.content.expose().as_bytes(), self.mode, self.group)
    }
}

/// The text of a file; `None` where there is none, or none that is text.
fn read_file(path: &Path) -> Result<Option<SecretText>, StoreError> {
    let file = match OpenOptions::new().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let mut text = String::new();
    match file.take(LARGEST).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text.into())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dir:{}", self.path.display())
    }
}

/// What is at a path, without following a link: the target of a link, or what else it is.
enum There {
    Nothing,
    Link(PathBuf),
    File,
    Folder,
    Other,
}

impl There {
    fn at(path: &Path) -> Result<Self, StoreError> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => {
                Ok(Self::Link(fs::read_link(path).map_err(StoreError::io("read", path))?))
            }
            Ok(found) if found.is_file() => Ok(Self::File),
            Ok(found) if found.is_dir() => Ok(Self::Folder),
            Ok(_) => Ok(Self::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Nothing),
            Err(error) => Err(StoreError::io("read", path)(error)),
        }
    }
}

/// A folder of ours inside a sink: made where it is missing, refused where it is another user's.
fn make_folder(path: &Path, mode: u32) -> Result<(), StoreError> {
    files::make_folder(path, mode)?;
    let found = fs::metadata(path).map_err(StoreError::io("read", path))?;
    files::check_owner(path, found.uid())
}

/// The number of a group; the static binary knows no other directory of groups than `/etc/group`.
fn group_id(group: &str) -> Result<u32, SinkError> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let table = fs::read_to_string("/etc/group").unwrap_or_default();
    let entry = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    entry.ok_or_else(|| SinkError::NoGroup { group: group.to_owned() })
}
