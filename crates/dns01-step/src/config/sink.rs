//! Where a certificate is delivered to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// One place that a certificate and its key are delivered to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "SinkFields", into = "SinkFields")]
pub enum Sink {
    /// A Secret of type `kubernetes.io/tls`.
    Secret(SecretSink),
    /// A folder with PEM files.
    Dir(DirSink),
}

/// One place that a certificate and its key are delivered to. Exactly one key says of which kind.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Sink", extend("minProperties" = 1, "maxProperties" = 1))]
struct SinkFields {
    /// A Secret of type `kubernetes.io/tls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretSink>,
    /// A folder with PEM files.
    #[serde(skip_serializing_if = "Option::is_none")]
    dir: Option<DirSink>,
}

/// A Secret of type `kubernetes.io/tls`, with `tls.crt` and `tls.key`.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretSink {
    /// The Secret's name.
    pub name: String,
    /// Its namespace. Absent: that of the step's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels to put on it besides ours.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations to put on it besides ours.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Further forms of the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<Format>,
}

/// A further form of a certificate and its key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Format {
    /// The key, then the chain, in one: `tls-combined.pem` of a Secret, `combined.pem` of a folder.
    #[serde(rename = "CombinedPEM")]
    CombinedPem,
}

/// A folder with PEM files. A reader never sees a key that does not fit the certificate.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirSink {
    /// The folder; it is made if need be.
    pub path: PathBuf,
    /// How the files lie in it.
    #[serde(default, skip_serializing_if = "DirLayout::is_default")]
    #[schemars(extend("default" = "plain"))]
    pub layout: DirLayout,
    /// Further forms of the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<Format>,
    /// The group that files with the key belong to. Absent: that of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The mode of files with the key, octal in quotes: `0400`, `0440`, `0600` or `0640`.
    #[serde(default, skip_serializing_if = "FileMode::is_default")]
    #[schemars(extend("default" = "0600"))]
    pub key_mode: FileMode,
    /// Other names for the files.
    #[serde(default, skip_serializing_if = "DirFiles::is_default")]
    pub files: DirFiles,
}

/// How the files lie in the folder.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DirLayout {
    /// The files under their names.
    #[default]
    Plain,
    /// As certbot does it: `live/<name>/` in the folder, with links into `archive/<name>/`.
    Certbot,
}

/// The names of the files in a folder.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DirFiles {
    /// The certificate alone.
    pub cert: String,
    /// The certificates between it and the root.
    pub chain: String,
    /// Both, certificate first: what servers want.
    pub fullchain: String,
    /// The private key.
    pub key: String,
    /// Key and chain in one, with the format `CombinedPEM`.
    pub combined: String,
}

/// The permission bits of a file, written in octal: `"0640"`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileMode(u32);

impl FileMode {
    /// The bits, as `chmod` takes them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl DirLayout {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl DirFiles {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for FileMode {
    fn default() -> Self {
        Self(0o600)
    }
}

impl Default for DirFiles {
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

impl FromStr for FileMode {
    type Err = FileModeError;

    fn from_str(text: &str) -> Result<Self, FileModeError> {
        let digits = text.strip_prefix('0').unwrap_or(text);
        match digits {
            "400" => Ok(Self(0o400)),
            "440" => Ok(Self(0o440)),
            "600" => Ok(Self(0o600)),
            "640" => Ok(Self(0o640)),
            _ => Err(FileModeError),
        }
    }
}

impl TryFrom<String> for FileMode {
    type Error = FileModeError;

    fn try_from(text: String) -> Result<Self, FileModeError> {
        text.parse()
    }
}

impl From<FileMode> for String {
    fn from(mode: FileMode) -> Self {
        mode.to_string()
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// The text is no mode a private key may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of the modes that a private key may have: `0400`, `0440`, `0600`, `0640`")]
pub struct FileModeError;

impl TryFrom<SinkFields> for Sink {
    type Error = SinkError;

    fn try_from(fields: SinkFields) -> Result<Self, SinkError> {
        match fields {
            SinkFields { secret: Some(secret), dir: None } => Ok(Self::Secret(secret)),
            SinkFields { secret: None, dir: Some(dir) } => Ok(Self::Dir(dir)),
            SinkFields { .. } => Err(SinkError),
        }
    }
}

impl From<Sink> for SinkFields {
    fn from(sink: Sink) -> Self {
        match sink {
            Sink::Secret(secret) => Self { secret: Some(secret), dir: None },
            Sink::Dir(dir) => Self { secret: None, dir: Some(dir) },
        }
    }
}

/// A sink is of no kind, or of two.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a sink has exactly one of `secret` and `dir`")]
struct SinkError;

impl JsonSchema for Sink {
    fn schema_name() -> Cow<'static, str> {
        SinkFields::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SinkFields::json_schema(generator)
    }
}
