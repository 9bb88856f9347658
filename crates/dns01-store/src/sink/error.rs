//! Why a sink did not take a certificate.

use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use dns01_core::{Exit, Explain, SinkSpecError};

use crate::StoreError;
use crate::kube::KubeError;

/// Why a sink did not take a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Its address or an option cannot be.
    #[error(transparent)]
    Spec(#[from] SinkSpecError),
    /// The certificate was made from a CSR, and this sink needs the key.
    #[error("{sink} needs the private key, which is kept elsewhere")]
    KeyNeeded {
        /// The sink.
        sink: String,
    },
    /// It holds a newer certificate.
    #[error("{sink} holds a certificate that is valid from {there}, ours from {ours}")]
    Newer {
        /// The sink.
        sink: String,
        /// The notBefore there.
        there: DateTime<Utc>,
        /// Our notBefore.
        ours: DateTime<Utc>,
    },
    /// Something that we did not make.
    #[error("{sink} belongs to somebody else: {why}")]
    Foreign {
        /// The sink.
        sink: String,
        /// How we know.
        why: String,
    },
    /// cert-manager keeps a certificate there.
    #[error("{sink} belongs to cert-manager's Certificate `{certificate}`")]
    CertManager {
        /// The sink.
        sink: String,
        /// The name of its Certificate.
        certificate: String,
    },
    /// A Secret that cannot become what we need.
    #[error("{sink} cannot be written: {why}")]
    Unusable {
        /// The sink.
        sink: String,
        /// Why.
        why: String,
    },
    /// Something at a path that we would have to replace.
    #[error("`{}` is in the way: it is {what}", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It goes on showing what it had before.
    #[error("{sink} has not shown what was written for {seconds} s")]
    NotReadBack {
        /// The sink.
        sink: String,
        /// How long we looked.
        seconds: u64,
    },
    /// It shows what neither was there before nor is ours.
    #[error("{sink} was changed by somebody else right after it was written")]
    ReplacedMeanwhile {
        /// The sink.
        sink: String,
    },
    /// The output of a pod on Argo is kept and shown.
    #[error("a private key is not printed inside an Argo workflow")]
    InsideArgo,
    /// The group has no entry.
    #[error("there is no group `{group}`")]
    NoGroup {
        /// Its name.
        group: String,
    },
    /// The reader of standard output went away.
    #[error("could not write to standard output")]
    Stdout(#[source] io::Error),
    /// A file or folder.
    #[error(transparent)]
    File(#[from] StoreError),
    /// The cluster.
    #[error(transparent)]
    Kube(#[from] KubeError),
}

impl Explain for SinkError {
    fn exit(&self) -> Exit {
        match self {
            Self::Spec(_) | Self::NoGroup { .. } => Exit::Config,
            Self::KeyNeeded { .. } => Exit::Input,
            Self::Newer { .. }
            | Self::Foreign { .. }
            | Self::CertManager { .. }
            | Self::Unusable { .. }
            | Self::InTheWay { .. }
            | Self::ReplacedMeanwhile { .. } => Exit::Conflict,
            Self::NotReadBack { .. } => Exit::Transient,
            Self::InsideArgo => Exit::Policy,
            Self::Stdout(cause) => cause.exit(),
            Self::File(error) => error.exit(),
            Self::Kube(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::KeyNeeded { .. } => "deliver to a folder, which takes a chain alone".into(),
            Self::Foreign { .. } => "choose another name, or give --take-over".into(),
            Self::CertManager { certificate, .. } => {
                format!("delete the Certificate `{certificate}` first, then give --take-over")
            }
            Self::Unusable { sink, .. } => {
                format!("delete {sink}, so that it can be made anew, or choose another name")
            }
            Self::InTheWay { what: "a folder", path } => {
                format!("move `{}` away, or choose another folder", path.display())
            }
            Self::InTheWay { .. } => "move it away, or give --take-over".into(),
            Self::ReplacedMeanwhile { .. } => "find out who else writes there".into(),
            Self::InsideArgo => "deliver to a Secret or a folder".into(),
            Self::File(error) => return error.hint(),
            Self::Kube(error) => return error.hint(),
            _ => return None,
        })
    }

    fn facts(&self) -> Vec<(String, String)> {
        match self {
            Self::File(error) => error.facts(),
            Self::Kube(error) => error.facts(),
            _ => Vec::new(),
        }
    }

    fn retry_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}
