//! One call of certbot, and the challenges of the calls before it.
//!
//! certbot calls once per challenge and says how many are left; the last call acts for all. What earlier calls brought
//! is kept in a file between them.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use dns01_core::{Challenge, DomainName, Exit};
use dns01_step::{Attempt, Failure};

/// What certbot says in its environment.
#[derive(Debug)]
pub(super) struct Call {
    /// The challenge of this call.
    pub(super) challenge: Challenge,
    /// How many calls are still to come.
    pub(super) remaining: usize,
    /// The names of all of them, as certbot lists them.
    all: String,
}

impl Call {
    pub(super) fn from_environment() -> Result<Self, Failure> {
        let wanted = |name| {
            std::env::var(name).map_err(|_| {
                Failure::new(
                    Exit::Config,
                    format!("{name} is not set: certbot sets it for its hooks"),
                )
                .hint(
                    "give this command to certbot as --manual-auth-hook and --manual-cleanup-hook",
                )
            })
        };
        let (name, value) = (wanted("CERTBOT_DOMAIN")?, wanted("CERTBOT_VALIDATION")?);
        let domain: DomainName =
            name.parse().attempt(|| format!("answer certbot's challenge for `{name}`"))?;
        let fqdn = domain.challenge_name();
        let fqdn = fqdn.attempt(|| format!("answer certbot's challenge for `{name}`"))?;
        let challenge = Challenge { domain, fqdn, value };
        challenge.check().attempt(|| format!("answer certbot's challenge for `{name}`"))?;
        // A certbot that does not count calls for each challenge on its own.
        let remaining = std::env::var("CERTBOT_REMAINING_CHALLENGES").unwrap_or_default();
        let all = std::env::var("CERTBOT_ALL_DOMAINS").unwrap_or_default();
        Ok(Self { challenge, remaining: remaining.trim().parse().unwrap_or_default(), all })
    }

    /// Whether no call of the same certbot came before.
    fn is_first(&self) -> bool {
        self.remaining + 1 >= self.all.split(',').count()
    }

    /// The file for somebody's own certbot, below our root folder, where nobody else can write. Its name tells apart
    /// certbots that run at once.
    pub(super) fn file(&self, root: &Path) -> Result<PathBuf, Failure> {
        let folder = root.join("certbot-hook");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .attempt(|| format!("make `{}`", folder.display()))?;
        let mut hasher = DefaultHasher::new();
        self.all.hash(&mut hasher);
        Ok(folder.join(format!("{}-{:016x}.json", group(), hasher.finish())))
    }
}

/// The process group, which all hooks of one certbot share; 0 where its leader is in another PID namespace, which
/// `getpgrp` of rustix takes for impossible.
fn group() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // proc_pid_stat(5): the name in brackets may hold anything; then state, parent, group.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().nth(2).and_then(|group| group.parse().ok()).unwrap_or_default()
}

/// The challenges of all calls so far.
#[derive(Debug)]
pub(super) struct Collected {
    file: PathBuf,
}

impl Collected {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// Adds the challenge of `call`; what an earlier certbot left is no part of it.
    pub(super) fn add(&mut self, call: &Call) -> Result<(), Failure> {
        let mut all = if call.is_first() { Vec::new() } else { self.read()? };
        all.push(call.challenge.clone());
        let text = serde_json::to_string(&all).attempt(|| "keep a challenge".into())?;
        fs::write(&self.file, text).attempt(|| format!("write `{}`", self.file.display()))
    }

    /// All of them.
    pub(super) fn read(&self) -> Result<Vec<Challenge>, Failure> {
        let what = || format!("read the challenges of earlier calls in `{}`", self.file.display());
        let text = fs::read_to_string(&self.file).attempt(what)?;
        let all: Vec<Challenge> = serde_json::from_str(&text).attempt(what)?;
        all.iter().try_for_each(|one| one.check().attempt(what))?;
        Ok(all)
    }

    /// Removes the file: certbot is done.
    pub(super) fn forget(&self) {
        // A file that stays is overwritten by the next first call.
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(domain: &str, value: char, remaining: usize) -> Call {
        let domain: DomainName = domain.parse().unwrap();
        let value = value.to_string().repeat(43);
        let challenge = Challenge { fqdn: domain.challenge_name().unwrap(), domain, value };
        Call { challenge, remaining, all: "a.test,b.test,a.test".into() }
    }

    #[test]
    fn calls_add_up_and_the_first_one_starts_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut collected = Collected::new(folder.path().join("challenges.json"));
        for _ in 0..2 {
            let calls = [call("a.test", 'a', 2), call("b.test", 'b', 1), call("a.test", 'c', 0)];
            for call in &calls {
                collected.add(call).unwrap();
            }
            let expected: Vec<_> = calls.into_iter().map(|call| call.challenge).collect();
            assert_eq!(collected.read().unwrap(), expected);
        }
        collected.forget();
        assert!(collected.read().is_err());
    }

    #[test]
    fn a_later_call_without_its_predecessors_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut collected = Collected::new(folder.path().join("challenges.json"));
        assert!(collected.add(&call("b.test", 'b', 1)).is_err());
    }
}
