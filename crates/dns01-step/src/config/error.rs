//! What can be wrong with a configuration.

use std::fmt;
use std::io::{self, ErrorKind as Kind};
use std::path::PathBuf;

use dns01_core::{Exit, Explain};

/// More of them are counted, not shown.
pub(super) const MOST_SHOWN: usize = 20;

/// No sentence of ours is longer, unless it quotes something long.
const LONGEST: usize = 300;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What reading it said.
        #[source]
        error: io::Error,
    },
    /// The document is larger than any definition needs.
    #[error("{origin} is larger than 256 KiB")]
    TooLarge {
        /// The document.
        origin: String,
    },
    /// The document says things that make no sense; all of them, in the order of the text.
    #[error("{}", said(origin, problems, *more))]
    Wrong {
        /// The document.
        origin: String,
        /// At least one.
        problems: Vec<Problem>,
        /// How many there are besides.
        more: usize,
    },
    /// No certificate of that name is defined.
    #[error("no certificate `{name}` is defined in {origin}")]
    NoCertificate {
        /// The name asked for.
        name: String,
        /// The document.
        origin: String,
        /// The one that was meant, probably.
        nearest: Option<String>,
    },
    /// Two documents define the same.
    #[error("{what} is defined in {first} and again in {second}")]
    Twice {
        /// What they both define.
        what: String,
        /// A document.
        first: String,
        /// Another one.
        second: String,
    },
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// The line in the document, from 1.
    pub line: usize,
    /// The column in that line, from 1.
    pub column: usize,
    /// What is wrong: one sentence without a full stop.
    pub text: String,
    /// What to write instead, as an imperative.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl Problem {
    /// A problem at a place, in a form that a line of a log can take: what it quotes from the document may be anything.
    pub(super) fn new(place: (usize, usize), text: &str, hint: Option<String>) -> Self {
        let text = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        Self { line: place.0, column: place.1, text, hint }
    }
}

fn said(origin: &str, problems: &[Problem], more: usize) -> String {
    let Some(first) = problems.first() else { return format!("{origin} is wrong") };
    let others = problems.len() - 1 + more;
    let others = if others == 0 { String::new() } else { format!(" (and {others} more)") };
    format!("{origin}:{}:{}: {}{others}", first.line, first.column, first.text)
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read { error, .. } => match error.kind() {
                Kind::NotFound | Kind::InvalidData | Kind::IsADirectory => Exit::Config,
                _ => error.exit(),
            },
            _ => Exit::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { path, error } => Some(match error.kind() {
                Kind::NotFound => format!(
                    "write `{}`, or say with `--config` where the configuration is",
                    path.display()
                ),
                Kind::InvalidData => "save it as UTF-8".to_owned(),
                Kind::IsADirectory => "name a file in it".to_owned(),
                _ => format!("make `{}` readable for this user", path.display()),
            }),
            Self::TooLarge { .. } => Some("split it into several documents".into()),
            Self::Wrong { problems, .. } => problems.first().and_then(|first| first.hint.clone()),
            Self::NoCertificate { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`?"))
            }
            Self::Twice { .. } => Some("remove one of them".into()),
        }
    }

    /// The problems after the first, each with its place.
    fn facts(&self) -> Vec<(String, String)> {
        let Self::Wrong { origin, problems, more } = self else { return Vec::new() };
        let mut facts: Vec<_> = problems
            .iter()
            .skip(1)
            .map(|problem| {
                (format!("{origin}:{}:{}", problem.line, problem.column), problem.to_string())
            })
            .collect();
        if *more > 0 {
            facts.push((origin.clone(), format!("{more} more problems are not shown")));
        }
        facts
    }
}
