//! What else a definition says about a sink.

use std::collections::{BTreeMap, BTreeSet};

use super::SinkError;

/// How a certificate is delivered, beyond where. The default is what most need.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SinkOptions {
    /// More labels for a Secret.
    pub labels: BTreeMap<String, String>,
    /// More annotations for a Secret.
    pub annotations: BTreeMap<String, String>,
    /// More forms of the same bundle.
    pub formats: BTreeSet<Format>,
    /// The group that files with the key belong to: a name of `/etc/group`, or a number.
    pub group: Option<String>,
    /// The mode of files with the key; 0600 where it is not given.
    pub key_mode: Option<u32>,
    /// How files are called.
    pub files: FileNames,
    /// How a folder is laid out.
    pub layout: Layout,
    /// Whether what belongs to somebody else is replaced.
    pub take_over: bool,
}

/// More forms of the same bundle.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Format {
    /// Key and chain in one PEM: `tls-combined.pem` in a Secret, `combined.pem` in a folder.
    CombinedPem,
}

/// How the files of a folder are called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileNames {
    /// The leaf alone.
    pub cert: String,
    /// Everything above the leaf.
    pub chain: String,
    /// Leaf and chain.
    pub fullchain: String,
    /// The private key.
    pub key: String,
    /// Key, leaf and chain, with [`Format::CombinedPem`].
    pub combined: String,
}

/// How a folder is laid out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// `PATH/fullchain.pem` and so on.
    #[default]
    Plain,
    /// As certbot does it: `PATH/live/NAME/fullchain.pem`, a link into `PATH/archive/NAME`.
    Certbot,
}

impl Default for FileNames {
    fn default() -> Self {
        Self {
            cert: "cert.pem".into(),
            chain: "chain.pem".into(),
            fullchain: "fullchain.pem".into(),
            key: "privkey.pem".into(),
            combined: "combined.pem".into(),
        }
    }
}

impl SinkOptions {
    /// The mode of files with the key.
    pub(super) fn key_mode(&self) -> u32 {
        self.key_mode.unwrap_or(0o600)
    }

    pub(super) fn is_combined(&self) -> bool {
        self.formats.contains(&Format::CombinedPem)
    }

    /// Refuses what no sink can do.
    pub(super) fn check(&self) -> Result<(), SinkError> {
        let mode = self.key_mode();
        if mode & 0o400 == 0 || mode & !0o644 != 0 {
            return Err(SinkError::Option(format!(
                "key mode {mode:04o}: the owner must be able to read, nobody else to write"
            )));
        }
        let keys = self.labels.keys().chain(self.annotations.keys());
        if let Some(key) = keys.into_iter().find(|key| key.contains("cert-manager.io/")) {
            return Err(SinkError::Option(format!("`{key}`: it is cert-manager's to write")));
        }
        let FileNames { cert, chain, fullchain, key, combined } = &self.files;
        let names = [cert, chain, fullchain, key, combined];
        if let Some(name) = names
            .iter()
            .find(|name| name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']))
        {
            return Err(SinkError::Option(format!("file name `{name}`: a plain name is needed")));
        }
        if BTreeSet::from(names).len() < names.len() {
            return Err(SinkError::Option("two files have the same name".into()));
        }
        if self.layout == Layout::Certbot && self.files != FileNames::default() {
            return Err(SinkError::Option("certbot's layout has file names of its own".into()));
        }
        Ok(())
    }
}
