//! What can go wrong with a document, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use dns01_core::{BoxError, Exit, Explain, SpkiHash};

use crate::Doc;
use crate::journal::Phase;
use crate::kube::KubeError;

/// Why a document was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No address of a journal.
    #[error("`{text}` is no journal: it is `dir:PATH` or `kube:`")]
    Address {
        /// What was given.
        text: String,
    },
    /// No name of a certificate or account.
    #[error("`{text}` is no name: up to 50 lower-case letters, digits and inner hyphens")]
    Name {
        /// What was given, shortened.
        text: String,
    },
    /// Somebody else wrote it since it was read.
    #[error("the {doc} was changed by another process")]
    Conflict {
        /// The document.
        doc: Doc,
    },
    /// Nothing there that could be changed.
    #[error("there is no {doc}")]
    Missing {
        /// The document.
        doc: Doc,
    },
    /// The step acts for a generation that is no longer the current one.
    #[error("generation {ours} of `{certificate}` is superseded by generation {current}")]
    Superseded {
        /// The certificate.
        certificate: String,
        /// The generation of the caller.
        ours: u64,
        /// The one in the journal.
        current: u64,
    },
    /// It cannot be understood; it is left as it is.
    #[error("the {doc} is damaged")]
    Damaged {
        /// The document.
        doc: Doc,
        /// What is wrong with it.
        #[source]
        cause: BoxError,
    },
    /// What a step wants to write is not what may be read back; nothing was written.
    #[error("the {doc} would be unsound")]
    Unsound {
        /// The document.
        doc: Doc,
        /// What is wrong with it.
        #[source]
        cause: BoxError,
    },
    /// It was written by a newer release.
    #[error("the {doc} has format {found}, and this release knows {known}")]
    Newer {
        /// The document.
        doc: Doc,
        /// The version in it.
        found: u64,
        /// The newest one we know.
        known: u64,
    },
    /// It is larger than any real one.
    #[error("the {doc} would have {octets} octets, more than {largest}")]
    TooLarge {
        /// The document.
        doc: Doc,
        /// Its size.
        octets: usize,
        /// The limit.
        largest: usize,
    },
    /// The kept key is not the one that the state names.
    #[error("the {doc} is {found}, and {named} was expected")]
    OtherKey {
        /// The document.
        doc: Doc,
        /// The key there.
        found: SpkiHash,
        /// The key in the state.
        named: SpkiHash,
    },
    /// A step asked for a change that the table of phases does not have.
    #[error("generation {from_generation} ({}) cannot become generation {to_generation} ({to})", from.map_or("none".into(), |phase| phase.to_string()))]
    Transition {
        /// The phase there; `None` without a journal.
        from: Option<Phase>,
        /// Its generation.
        from_generation: u64,
        /// The phase asked for.
        to: Phase,
        /// Its generation.
        to_generation: u64,
    },
    /// The operating system refused.
    #[error("could not {act} `{}`", path.display())]
    Io {
        /// `read`, `write`, …
        act: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Its words.
        #[source]
        cause: io::Error,
    },
    /// A Secret of Kubernetes was asked for where there is none.
    #[error("there are no Secrets beside a journal in a folder, so `{secret}` cannot be read")]
    NoSecrets {
        /// The Secret's name.
        secret: String,
    },
    /// A Secret that the configuration names lacks what it should hold.
    #[error("Secret `{secret}` has no entry `{entry}`")]
    NoEntry {
        /// The Secret's name.
        secret: String,
        /// The entry.
        entry: String,
    },
    /// Others can read or change it.
    #[error("`{}` is unsafe: {why}", path.display())]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        why: String,
        /// The command that makes it safe.
        fix: String,
    },
    /// Another process holds the lock.
    #[error("another process has held the lock `{}` for {seconds} s", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// The file system has no locks.
    #[error("the file system of `{}` has no locks", path.display())]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// Its words.
        #[source]
        cause: io::Error,
    },
    /// The operation did not end.
    #[error("the {doc} could not be written within {seconds} s")]
    Deadline {
        /// The document.
        doc: Doc,
        /// How long we tried.
        seconds: u64,
        /// The last failure.
        #[source]
        cause: Box<Self>,
    },
    /// The cluster.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// A thread of ours ended early.
    #[error("a background task ended early")]
    Task(#[source] tokio::task::JoinError),
}

impl StoreError {
    pub(crate) fn name(text: &str) -> Self {
        Self::Name { text: text.chars().filter(|c| !c.is_control()).take(60).collect() }
    }

    pub(crate) fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { act, path: path.to_owned(), cause }
    }

    pub(crate) fn damaged(doc: &Doc, cause: impl Into<BoxError>) -> Self {
        Self::Damaged { doc: doc.clone(), cause: cause.into() }
    }

    /// Whether a write that ended with this error may have happened all the same.
    pub fn may_have_written(&self) -> bool {
        self.is_worth_another_look() && !matches!(self, Self::Conflict { .. })
    }

    /// Whether reading again shows how things are: somebody else was faster, or the answer was lost.
    pub(crate) fn is_worth_another_look(&self) -> bool {
        self.exit() == Exit::Transient
    }
}

impl Explain for StoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::Address { .. }
            | Self::Newer { .. }
            | Self::NoSecrets { .. }
            | Self::NoEntry { .. } => Exit::Config,
            Self::Name { .. } | Self::TooLarge { .. } => Exit::Input,
            Self::Missing { .. } => Exit::NotFound,
            Self::Superseded { .. } => Exit::Conflict,
            Self::Damaged { .. } | Self::Unsound { .. } | Self::OtherKey { .. } => Exit::Integrity,
            Self::Transition { .. } | Self::Task(_) => Exit::Bug,
            Self::Io { cause, .. } => cause.exit(),
            Self::Kube(error) => error.exit(),
            Self::Unsafe { .. } | Self::NoLocks { .. } => Exit::LocalIo,
            Self::Locked { .. } => Exit::Locked,
            Self::Conflict { .. } | Self::Deadline { .. } => Exit::Transient,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Address { .. } => "give --journal dir:/var/lib/dns01 or --journal kube:".into(),
            Self::Newer { .. } => "use the release that wrote it, or a newer one".into(),
            Self::Unsafe { fix, .. } => format!("run `{fix}`"),
            Self::Damaged { doc: doc @ Doc::State(name), .. } => format!(
                "restore the {doc} from a backup, or remove it to start anew: keys under `keys` stay, and TXT \
                 records of an unfinished order of `{name}` must then be removed by hand"
            ),
            Self::Damaged { doc, .. } | Self::OtherKey { doc, .. } => {
                format!("restore the {doc} from a backup, or remove it to start anew")
            }
            Self::Superseded { .. } => "leave it to the newer run, or start a new one".into(),
            Self::NoLocks { .. } => "choose a folder on a local disk, or NFS 4".into(),
            Self::Locked { .. } => "wait for the other run to end".into(),
            Self::Missing { doc: Doc::State(name) } => {
                format!("run `order --certificate {name}` first")
            }
            Self::Io { cause, path, .. } if cause.exit() == Exit::LocalResource => {
                format!("free space or open files where `{}` is", path.display())
            }
            Self::Io { cause, path, .. } if cause.exit() == Exit::LocalIo => {
                format!(
                    "make `{}` writable for this user, or choose another folder",
                    path.display()
                )
            }
            Self::Kube(error) => return error.hint(),
            _ => return None,
        })
    }
}
