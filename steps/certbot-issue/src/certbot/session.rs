//! What passes between certbot-issue and the hooks of the certbot that it started, through the private folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use dns01_core::Exit;
use dns01_step::{Attempt, Failure};
use serde_json::Value;

/// Where a hook that failed leaves its failure.
const TOLD: &str = "failed.json";

/// Held for as long as certbot-issue lives.
pub(super) const LOCK: &str = "lock";

/// The private folder, as a hook sees it.
#[derive(Debug)]
pub(crate) struct Session {
    folder: PathBuf,
}

impl Session {
    /// The folder that a certbot-issue made, if that still lives: without it nobody wants what certbot would get.
    pub(crate) fn join(folder: &Path) -> Result<Self, Failure> {
        let what = || "open the folder of the certbot-issue that started certbot".to_owned();
        let lock = File::open(folder.join(LOCK)).attempt(what)?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Ok(Self { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(error).attempt(what),
            Ok(()) => Err(Failure::new(
                Exit::Interrupted,
                "the certbot-issue that started certbot is gone",
            )
            .hint("run it again")),
        }
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Leaves a failure for certbot-issue: certbot passes no exit code on.
    pub(crate) fn tell(folder: &Path, failure: &Failure) -> Result<(), Failure> {
        let told = failure.json("certbot-hook").to_string();
        fs::write(folder.join(TOLD), told).attempt(|| "tell certbot-issue".into())
    }
}

/// What a hook that failed has left in `folder`.
pub(super) fn told(folder: &Path) -> Option<Failure> {
    let told: Value = serde_json::from_slice(&fs::read(folder.join(TOLD)).ok()?).ok()?;
    let code = u8::try_from(told["code"].as_u64()?).ok()?;
    let failure = Failure::new(Exit::from_code(code)?, told["message"].as_str()?);
    let retry_at = told["retry_at"].as_str().and_then(|text| text.parse().ok());
    let failure = failure.until(retry_at);
    Some(match told["hint"].as_str() {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_knows_whether_its_certbot_issue_lives() {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::create(folder.path().join(LOCK)).unwrap();
        lock.lock().unwrap();
        assert!(Session::join(folder.path()).is_ok());
        drop(lock);
        assert_eq!(Session::join(folder.path()).unwrap_err().exit(), Exit::Interrupted);
    }

    #[test]
    fn what_a_hook_tells_is_heard_with_its_code_and_hint() {
        let folder = tempfile::tempdir().unwrap();
        assert!(told(folder.path()).is_none());
        let failure = Failure::new(Exit::AuthRefused, "no").hint("mend it");
        Session::tell(folder.path(), &failure).unwrap();
        assert_eq!(told(folder.path()).unwrap().one_line(), failure.one_line());
    }
}
