//! What counts as visible: the stages of `--strategy`, one after the other.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use dns01_core::{Exit, Explain};

use crate::Gate;
pub use crate::engine::StreakRule;

/// How long to wait, and for what. When to ask in the meantime is the engine's business.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Patience {
    /// Give up after this, all stages together.
    pub timeout: Duration,
    /// What counts as visible.
    pub strategy: Strategy,
    /// Recursive resolvers that have to show the values too, once the authorities agree: for the stage `resolvers`.
    pub gates: Vec<Gate>,
    /// The settings of the stage `streak`.
    pub streak: StreakRule,
}

impl Patience {
    /// The default strategy for `timeout`.
    pub fn new(timeout: Duration) -> Self {
        let (strategy, streak) = (Strategy::default(), StreakRule::default());
        Self { timeout, strategy, gates: Vec::new(), streak }
    }

    /// The same by another strategy; one that needs a resolver fails without one, and one that cannot end in time too.
    pub fn by(mut self, strategy: Strategy, gates: Vec<Gate>) -> Result<Self, StrategyError> {
        let pauses = strategy.0.iter().filter_map(|stage| match stage {
            Stage::Fixed(pause) => Some(*pause),
            _ => None,
        });
        if pauses.sum::<Duration>() > self.timeout {
            return Err(StrategyError::TooLong { text: strategy.to_string() });
        }
        if strategy.0.contains(&Stage::Resolvers) == gates.is_empty() {
            return Err(StrategyError::Gates);
        }
        (self.strategy, self.gates) = (strategy, gates);
        Ok(self)
    }
}

/// The stages, in their order; all have to pass. None at all is `none`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Strategy(pub(crate) Vec<Stage>);

/// One stage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// Let time pass and ask nobody.
    Fixed(Duration),
    /// Ask the authorities by one rule, else by the next.
    Authorities(Vec<Way>),
    /// Ask the recursive resolvers.
    Resolvers,
}

/// A rule for the authorities.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Stable,
    Lego,
    Streak,
}

/// Why a strategy cannot be followed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StrategyError {
    /// No such stage.
    #[error("`{text}` is no strategy")]
    Unknown {
        /// What was given.
        text: String,
    },
    /// What a resolver says never counts alone, for it may come from a cache.
    #[error("`resolvers` comes only after a look at the authorities")]
    Alone,
    /// The stage and its resolvers belong together.
    #[error("the strategy `stable,resolvers` and --gate-resolver need each other")]
    Gates,
    /// The fixed pauses are longer than the timeout.
    #[error("`{text}` takes longer than the timeout")]
    TooLong {
        /// What was given.
        text: String,
    },
}

impl Explain for StrategyError {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unknown { .. } | Self::Alone => {
                    "choose `stable` (the default), `stable,resolvers`, `fixed:60s` or `none`"
                }
                Self::Gates => {
                    "give both --strategy stable,resolvers and --gate-resolver IP, or neither"
                }
                Self::TooLong { .. } => "give a longer --timeout",
            }
            .to_owned(),
        )
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self(vec![Stage::Authorities(vec![Way::Stable])])
    }
}

impl FromStr for Strategy {
    type Err = StrategyError;

    fn from_str(text: &str) -> Result<Self, StrategyError> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let stages = text.split(',').map(|part| stage(part.trim())).collect::<Option<Vec<_>>>();
        let stages = stages.ok_or_else(|| StrategyError::Unknown { text: text.to_owned() })?;
        let gate = stages.iter().position(|stage| *stage == Stage::Resolvers);
        let before = &stages[..gate.unwrap_or(0)];
        if gate.is_some() && !before.iter().any(|it| matches!(it, Stage::Authorities(_))) {
            return Err(StrategyError::Alone);
        }
        Ok(Self(stages))
    }
}

fn stage(text: &str) -> Option<Stage> {
    if let Some(seconds) = text.strip_prefix("fixed:") {
        return pause(seconds).map(Stage::Fixed);
    }
    if let Some(ways) = text.strip_prefix("fallback:") {
        return ways.split('>').map(way).collect::<Option<_>>().map(Stage::Authorities);
    }
    if text == "resolvers" {
        return Some(Stage::Resolvers);
    }
    way(text).map(|way| Stage::Authorities(vec![way]))
}

fn way(text: &str) -> Option<Way> {
    match text {
        "stable" => Some(Way::Stable),
        "lego" => Some(Way::Lego),
        "streak" => Some(Way::Streak),
        _ => None,
    }
}

/// `60s`, `2m` or `60`; a day at most.
fn pause(text: &str) -> Option<Duration> {
    let (digits, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = digits.parse::<u32>().ok()?.checked_mul(unit)?;
    (seconds <= 86_400).then(|| Duration::from_secs(seconds.into()))
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |way: &Way| format!("{way:?}").to_ascii_lowercase();
        let stages = self.0.iter().map(|stage| match stage {
            Stage::Fixed(pause) => format!("fixed:{}s", pause.as_secs()),
            Stage::Resolvers => "resolvers".to_owned(),
            Stage::Authorities(ways) => match &ways[..] {
                [way] => name(way),
                ways => format!("fallback:{}", ways.iter().map(name).collect::<Vec<_>>().join(">")),
            },
        });
        let stages: Vec<_> = stages.collect();
        f.write_str(if stages.is_empty() { "none" } else { "" })?;
        f.write_str(&stages.join(","))
    }
}

impl Strategy {
    /// Whether the row of the shell toolkit is part of it.
    pub fn has_streak(&self) -> bool {
        let streak = |stage: &Stage| matches!(stage, Stage::Authorities(ways) if ways.contains(&Way::Streak));
        self.0.iter().any(streak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, StrategyError> {
        text.parse().map(|strategy: Strategy| strategy.to_string())
    }

    #[test]
    fn strategies_are_read_as_they_are_written() {
        for text in [
            "stable",
            "none",
            "fixed:60s",
            "stable,resolvers",
            "lego",
            "streak",
            "fallback:lego>stable",
            "fixed:5s,stable,resolvers",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("fixed:2m").as_deref(), Ok("fixed:120s"));
        assert_eq!(Strategy::default().to_string(), "stable");
    }

    #[test]
    fn what_is_no_strategy_is_a_matter_of_configuration_and_lists_them() {
        for text in [
            "",
            "stabel",
            "fixed",
            "fixed:",
            "fixed:1h",
            "fixed:-1s",
            "fixed:99999999s",
            "stable,none",
            "fallback:",
            "fallback:lego>x",
            "stable,",
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(
                (error.exit(), &error),
                (Exit::Config, &StrategyError::Unknown { text: text.to_owned() })
            );
            assert!(error.hint().unwrap().contains("`stable,resolvers`, `fixed:60s` or `none`"));
        }
    }

    #[test]
    fn a_resolver_never_counts_alone_and_never_without_its_address() {
        for text in ["resolvers", "resolvers,stable", "fixed:1s,resolvers"] {
            assert_eq!(read(text), Err(StrategyError::Alone), "{text}");
        }
        let patience = || Patience::new(Duration::from_secs(10));
        let gated: Strategy = "stable,resolvers".parse().unwrap();
        let gate = vec![Gate::Dns(([192, 0, 2, 1], 53).into())];
        assert_eq!(patience().by(gated.clone(), Vec::new()), Err(StrategyError::Gates));
        assert_eq!(patience().by(Strategy::default(), gate.clone()), Err(StrategyError::Gates));
        assert_eq!(patience().by(gated, gate).unwrap().gates.len(), 1);
        let long = patience().by("fixed:11s".parse().unwrap(), Vec::new());
        assert!(matches!(long, Err(StrategyError::TooLong { .. })));
    }
}
