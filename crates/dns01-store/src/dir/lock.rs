//! One writer at a time: an flock on a file that is never deleted.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::StoreError;

/// The lock of one folder; given back when dropped, and by the kernel when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `folder/.lock`, waiting for at most `deadline`.
    pub(crate) fn take(folder: &Path, deadline: Duration) -> Result<Self, StoreError> {
        let path = folder.join(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(StoreError::io("lock", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => wait(file, path, deadline),
            Err(TryLockError::Error(error)) => Err(refused(path, error)),
        }
    }
}

/// Waits in a thread of its own, because a blocking flock knows no deadline; a lock that comes too late is given back
/// at once, by dropping the file.
fn wait(file: File, path: PathBuf, deadline: Duration) -> Result<Lock, StoreError> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let taken = file.lock();
        let _ = sender.send(taken.map(|()| file));
    });
    match receiver.recv_timeout(deadline) {
        Ok(Ok(file)) => Ok(Lock { _file: file }),
        Ok(Err(error)) => Err(refused(path, error)),
        Err(_) => Err(StoreError::Locked { path, seconds: deadline.as_secs() }),
    }
}

fn refused(path: PathBuf, cause: io::Error) -> StoreError {
    let without = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP];
    if without.iter().any(|errno| cause.raw_os_error() == Some(errno.raw_os_error())) {
        StoreError::NoLocks { path, cause }
    } else {
        StoreError::Io { act: "lock", path, cause }
    }
}

#[cfg(test)]
mod tests {
    use dns01_core::{Exit, Explain as _};

    use super::*;

    #[test]
    fn a_file_system_without_locks_is_refused() {
        for errno in [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP] {
            let error = refused("/x/.lock".into(), errno.into());
            assert_eq!(error.exit(), Exit::LocalIo);
            assert!(error.hint().unwrap().contains("local disk"), "{error}");
        }
        let error = refused("/x/.lock".into(), Errno::MFILE.into());
        assert_eq!(error.exit(), Exit::LocalResource);
    }
}
