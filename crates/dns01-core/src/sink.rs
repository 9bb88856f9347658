//! Where and how a certificate is delivered: what a definition says and a sink obeys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Exit, Explain};

/// Where a certificate is delivered. Its text is the sink's `id` in the journal.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SinkAddress {
    /// A folder with PEM files.
    Dir(PathBuf),
    /// A `kubernetes.io/tls` Secret.
    Secret {
        /// Its namespace; `None` means that of this pod.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// Standard output: the key, then the chain.
    Stdout,
}

impl FromStr for SinkAddress {
    type Err = SinkSpecError;

    fn from_str(text: &str) -> Result<Self, SinkSpecError> {
        let refused = || SinkSpecError::Address { text: text.chars().take(80).collect() };
        match text.split_once(':') {
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Dir(path.into())),
            Some(("secret", secret)) => {
                let (namespace, name) = match secret.split_once('/') {
                    Some((namespace, name)) => (Some(namespace), name),
                    None => (None, secret),
                };
                if !namespace.is_none_or(is_dns_label) || !is_dns_subdomain(name) {
                    return Err(refused());
                }
                Ok(Self::Secret { namespace: namespace.map(str::to_owned), name: name.to_owned() })
            }
            Some(("stdout", "")) => Ok(Self::Stdout),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for SinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dir(path) => write!(f, "dir:{}", path.display()),
            Self::Secret { namespace: Some(namespace), name } => {
                write!(f, "secret:{namespace}/{name}")
            }
            Self::Secret { namespace: None, name } => write!(f, "secret:{name}"),
            Self::Stdout => f.write_str("stdout:"),
        }
    }
}

fn is_dns_label(text: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    text.len() <= 63
        && text.bytes().all(|octet| inner(octet) || octet == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().next_back().is_some_and(inner)
}

fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// How a certificate is delivered, beyond where. The default is what most need.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SinkOptions {
    /// More labels for a Secret.
    pub labels: BTreeMap<String, String>,
    /// More annotations for a Secret.
    pub annotations: BTreeMap<String, String>,
    /// More forms of the same bundle.
    pub formats: BTreeSet<SinkFormat>,
    /// The group that files with the key belong to: a name of `/etc/group`, or a number.
    pub group: Option<String>,
    /// The mode of files with the key; 0600 where it is not given.
    pub key_mode: Option<u32>,
    /// How files are called.
    pub files: FileNames,
    /// How a folder is laid out.
    pub layout: FolderLayout,
    /// Whether what belongs to somebody else is replaced.
    pub take_over: bool,
}

/// More forms of the same bundle.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum SinkFormat {
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
    /// Key, leaf and chain, with [`SinkFormat::CombinedPem`].
    pub combined: String,
}

/// How a folder is laid out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum FolderLayout {
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
    pub fn key_mode(&self) -> u32 {
        self.key_mode.unwrap_or(0o600)
    }

    /// Whether key and chain are also wanted in one file.
    pub fn is_combined(&self) -> bool {
        self.formats.contains(&SinkFormat::CombinedPem)
    }

    /// Refuses what no sink can do.
    pub fn check(&self) -> Result<(), SinkSpecError> {
        let mode = self.key_mode();
        if mode & 0o400 == 0 || mode & !0o644 != 0 {
            return Err(SinkSpecError::Option(format!(
                "key mode {mode:04o}: the owner must be able to read, nobody else to write"
            )));
        }
        let keys = self.labels.keys().chain(self.annotations.keys());
        if let Some(key) = keys.into_iter().find(|key| key.contains("cert-manager.io/")) {
            return Err(SinkSpecError::Option(format!("`{key}`: it is cert-manager's to write")));
        }
        let FileNames { cert, chain, fullchain, key, combined } = &self.files;
        let names = [cert, chain, fullchain, key, combined];
        if let Some(name) = names
            .iter()
            .find(|name| name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']))
        {
            return Err(SinkSpecError::Option(format!(
                "file name `{name}`: a plain name is needed"
            )));
        }
        if BTreeSet::from(names).len() < names.len() {
            return Err(SinkSpecError::Option("two files have the same name".into()));
        }
        if self.layout == FolderLayout::Certbot && self.files != FileNames::default() {
            return Err(SinkSpecError::Option("certbot's layout has file names of its own".into()));
        }
        Ok(())
    }
}

/// What makes a sink impossible before anything is touched.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkSpecError {
    /// No address of a sink.
    #[error("`{text}` is no sink: it is `dir:PATH`, `secret:[NAMESPACE/]NAME` or `stdout:`")]
    Address {
        /// What was given.
        text: String,
    },
    /// An option that cannot be.
    #[error("the sink's {0}")]
    Option(String),
}

impl Explain for SinkSpecError {
    fn exit(&self) -> Exit {
        Exit::Config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["dir:/etc/ssl/shop", "secret:shop-tls", "secret:web/shop.tls", "stdout:"] {
            assert_eq!(text.parse::<SinkAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_sink_is_refused() {
        for text in [
            "",
            "dir:",
            "/etc/ssl",
            "secret:",
            "secret:/a",
            "secret:a/",
            "secret:a/b/c",
            "secret:A",
            "secret:../a",
            "secret:a/b?x=y",
            "stdout:x",
            "vault:a",
        ] {
            assert!(text.parse::<SinkAddress>().is_err(), "{text:?}");
        }
    }
}
