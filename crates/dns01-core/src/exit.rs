//! The one table of exit codes, and the one retry expression made from it.

/// How a step ends. The numbers are a contract with every template and script; each is documented in the reference.
///
/// Never 1, 64, 65, 101 or 125–255: Argo's executor, shells and Rust's panic use those.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Exit {
    /// Done, or found done.
    Done = 0,
    /// The command line is wrong.
    Usage = 2,
    /// A setting or credential is missing or malformed.
    Config = 11,
    /// A name, value or CSR is invalid.
    Input = 12,
    /// A name, URL or program is not allowed.
    Policy = 13,
    /// Credentials were refused (401, 403, BADKEY, BADSIG).
    AuthRefused = 20,
    /// A zone, mount or namespace does not exist.
    NotFound = 21,
    /// The CA refused the request for good.
    CaRejected = 22,
    /// The order is dead: only a new one, later, can succeed.
    OrderDead = 23,
    /// Rate limited for longer than the retry budget; `retry-at` says until when.
    RateLimited = 24,
    /// Key, chain, names or validity do not fit together; nothing was stored.
    Integrity = 25,
    /// Something is owned by someone else, or by a newer run.
    Conflict = 26,
    /// A local file or folder cannot be used (EACCES, EROFS, unsafe mode).
    LocalIo = 30,
    /// A bug of ours.
    Bug = 70,
    /// Time-out, reset, 5xx, SERVFAIL, sealed: the same call may succeed later.
    Transient = 75,
    /// Not yet: propagation or the CA's processing did not end before the deadline.
    NotYet = 80,
    /// Local resources ran out (ENOSPC, EMFILE).
    LocalResource = 82,
    /// Another process holds the lock.
    Locked = 83,
    /// SIGTERM or Ctrl-C; the state is consistent.
    Interrupted = 84,
}

/// The `retryStrategy.expression` of every leaf template: -1 is a lost pod, 137 and 143 are signals Argo saw.
pub const RETRY_EXPRESSION: &str = "lastRetry.status == 'Error' || asInt(lastRetry.exitCode) in [-1, 75, 80, 82, 83, 84, 137, 143]";

impl Exit {
    /// Every exit, in the order of their codes.
    pub const ALL: [Self; 19] = [
        Self::Done,
        Self::Usage,
        Self::Config,
        Self::Input,
        Self::Policy,
        Self::AuthRefused,
        Self::NotFound,
        Self::CaRejected,
        Self::OrderDead,
        Self::RateLimited,
        Self::Integrity,
        Self::Conflict,
        Self::LocalIo,
        Self::Bug,
        Self::Transient,
        Self::NotYet,
        Self::LocalResource,
        Self::Locked,
        Self::Interrupted,
    ];

    /// The process exit code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Its name in messages: `exit 20 (auth refused)`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usage => "usage",
            Self::Config => "configuration",
            Self::Input => "invalid input",
            Self::Policy => "not allowed",
            Self::AuthRefused => "auth refused",
            Self::NotFound => "not found",
            Self::CaRejected => "CA rejected",
            Self::OrderDead => "order dead",
            Self::RateLimited => "rate limited",
            Self::Integrity => "integrity",
            Self::Conflict => "conflict",
            Self::LocalIo => "local I/O",
            Self::Bug => "bug",
            Self::Transient => "transient",
            Self::NotYet => "not yet",
            Self::LocalResource => "local resource",
            Self::Locked => "locked",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether running the same step again may succeed; [`RETRY_EXPRESSION`] says the same to Argo.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Transient | Self::NotYet | Self::LocalResource | Self::Locked | Self::Interrupted
        )
    }

    /// The exit with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_avoid_those_argo_and_shells_use() {
        for exit in Exit::ALL {
            assert!(![1, 64, 65, 101].contains(&exit.code()) && exit.code() < 125, "{exit:?}");
            assert_eq!(Exit::from_code(exit.code()), Some(exit));
        }
    }

    #[test]
    fn the_retry_expression_lists_exactly_the_retryable_codes() {
        let listed = RETRY_EXPRESSION.split_once('[').unwrap().1.trim_end_matches(']');
        let listed: Vec<i32> = listed.split(", ").map(|code| code.parse().unwrap()).collect();
        let ours = Exit::ALL
            .into_iter()
            .filter(|exit| exit.is_retryable())
            .map(|exit| i32::from(exit.code()));
        assert_eq!(listed, [-1].into_iter().chain(ours).chain([137, 143]).collect::<Vec<_>>());
    }
}
