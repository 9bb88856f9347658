//! How long to wait and for what: the flag, else the configuration, else what the environment of the shell toolkit says.

use std::time::Duration;

use dns01_core::Exit;
use dns01_lookup::{Gate, GateArg, Patience, Strategy, StreakRule};
use dns01_step::config::{GoDuration, Propagation};
use dns01_step::{Attempt as _, Failure};

use crate::lego;

/// How long is waited unless something else is said.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(10);

/// What the flags of a step say.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--strategy`.
    pub strategy: Option<&'a str>,
    /// `--gate-resolver`.
    pub gates: &'a [GateArg],
}

/// The flags, else what the solvers of the names configure (the longest time; one strategy for all), else what the
/// environment says for lego or the shell toolkit, else the default.
pub fn patience(asked: &Asked<'_>, solvers: &[Propagation]) -> Result<Patience, Failure> {
    let lego = lego::variables();
    for line in lego::ignored(&lego) {
        tracing::warn!("{line}");
    }
    decide(asked, solvers, lego::timeout(&lego)?, &|name| std::env::var(name).ok())
}

/// As [`patience`]; the environment is a function.
fn decide(
    asked: &Asked<'_>,
    solvers: &[Propagation],
    by_lego: Option<Duration>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Patience, Failure> {
    let longest = solvers.iter().filter_map(|one| one.timeout).max().map(|timeout| timeout.0);
    let mut patience = Patience::new(asked.timeout.or(longest).or(by_lego).unwrap_or(TIMEOUT));
    let gates = gates(asked, solvers)?;
    let configured = solvers.iter().filter_map(|one| one.strategy.as_deref());
    let strategy = match asked.strategy {
        Some(text) => text.to_owned(),
        None => match one_of(configured)? {
            Some(strategy) => strategy,
            None if gates.is_empty() => native(environment),
            None => "stable,resolvers".to_owned(),
        },
    };
    // Without its row, that rule is the first sighting everywhere.
    let no_row = environment("DNS01_STREAK").is_some_and(|value| value.trim() == "false");
    let strategy = if no_row && strategy == "streak" { "lego".to_owned() } else { strategy };
    let strategy: Strategy = strategy.parse().attempt(|| "choose how to wait".into())?;
    if strategy.has_streak() {
        patience.streak = streak(environment)?;
    }
    tell_ignored(strategy.has_streak(), environment);
    patience.by(strategy, gates).attempt(|| "choose how to wait".into())
}

/// The resolvers of the flag, else those that any of the solvers names.
fn gates(asked: &Asked<'_>, solvers: &[Propagation]) -> Result<Vec<Gate>, Failure> {
    if !asked.gates.is_empty() {
        return Ok(asked.gates.iter().flat_map(|gate| gate.0.clone()).collect());
    }
    let mut gates: Vec<Gate> = Vec::new();
    for text in solvers.iter().flat_map(|solver| &solver.gate_resolvers) {
        let GateArg(named) = text.parse().map_err(|why: String| {
            Failure::new(Exit::Config, format!("propagation.gateResolvers: {why}"))
        })?;
        gates.extend(named.into_iter().filter(|gate| !gates.contains(gate)).collect::<Vec<_>>());
    }
    Ok(gates)
}

/// The one strategy that all solvers name; two different ones cannot both be followed in one wait.
fn one_of<'a>(mut all: impl Iterator<Item = &'a str>) -> Result<Option<String>, Failure> {
    let Some(first) = all.next() else { return Ok(None) };
    match all.find(|other| *other != first) {
        None => Ok(Some(first.to_owned())),
        Some(other) => Err(Failure::new(
            Exit::Config,
            format!("the solvers of these names want to wait by `{first}` and by `{other}`"),
        )
        .hint("give their solvers the same propagation.strategy")),
    }
}

/// What `DNS01_NATIVE` of the shell toolkit comes to. Its own waiting is ours, for ours does what it was for.
fn native(environment: &dyn Fn(&str) -> Option<String>) -> String {
    let strategy = match environment("DNS01_NATIVE").as_deref().map(str::trim) {
        None | Some("" | "true") => "stable",
        Some("fallback") => "fallback:lego>stable",
        Some(_) => "lego",
    };
    if strategy != "stable" {
        tracing::info!("DNS01_NATIVE: waiting by `{strategy}`, which believes the first sighting");
    }
    strategy.to_owned()
}

/// The toolkit's numbers, in its units.
fn streak(environment: &dyn Fn(&str) -> Option<String>) -> Result<StreakRule, Failure> {
    let number = |name: &str| -> Result<Option<u32>, Failure> {
        let Some(text) = environment(name).filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        text.trim().parse().map(Some).map_err(|_| {
            Failure::new(Exit::Config, format!("{name} is not a number"))
                .hint(format!("set {name} to a whole number, or leave it out"))
        })
    };
    let seconds = |name: &str| Ok(number(name)?.map(|it| Duration::from_secs(it.into())));
    let mut rule = StreakRule::default();
    rule.backoff = seconds("DNS01_BACKOFF")?.unwrap_or(rule.backoff);
    // A pause of nothing would ask without end.
    let least = seconds("DNS01_BACKOFF_MIN")?.unwrap_or(rule.bounds.0).max(Duration::from_secs(1));
    rule.bounds = (least, seconds("DNS01_BACKOFF_MAX")?.unwrap_or(rule.bounds.1).max(least));
    rule.threshold = number("DNS01_STREAK_THRESHOLD")?.unwrap_or(rule.threshold);
    rule.penalty = number("DNS01_STREAK_PENALTY")?.unwrap_or(rule.penalty);
    rule.modulus = number("DNS01_STREAK_MOD")?.unwrap_or(rule.modulus);
    if environment("DNS01_STREAK").as_deref().map(str::trim) != Some("true") {
        rule.start = number("DNS01_STREAK")?.unwrap_or(rule.start);
    }
    Ok(rule)
}

/// Says which of the toolkit's variables have no effect, and why.
fn tell_ignored(by_streak: bool, environment: &dyn Fn(&str) -> Option<String>) {
    const STREAK: [&str; 7] = [
        "DNS01_BACKOFF",
        "DNS01_BACKOFF_MIN",
        "DNS01_BACKOFF_MAX",
        "DNS01_STREAK",
        "DNS01_STREAK_THRESHOLD",
        "DNS01_STREAK_PENALTY",
        "DNS01_STREAK_MOD",
    ];
    let set = |name: &&str| environment(name).is_some();
    let idle: Vec<_> = STREAK.into_iter().filter(set).filter(|_| !by_streak).collect();
    if !idle.is_empty() {
        let idle = idle.join(", ");
        tracing::info!("{idle}: without effect, because they belong to --strategy streak");
    }
    if set(&"DNS01_DESYNC") {
        tracing::info!("DNS01_DESYNC: without effect, because the journal keeps runs apart");
    }
}

/// A duration as everywhere, or whole seconds, as the shell toolkit's `DNS01_TIMEOUT` gives them.
pub(crate) fn seconds_too(text: &str) -> Result<GoDuration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(GoDuration(Duration::from_secs(seconds.into()))),
        Err(_) => {
            text.parse().map_err(|error: dns01_step::config::DurationError| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(
        asked: &Asked<'_>,
        solvers: &[Propagation],
        environment: &[(&str, &str)],
    ) -> Result<Patience, Failure> {
        let find = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, it)| (*it).to_owned())
        };
        decide(asked, solvers, None, &find)
    }

    fn solver(strategy: &str, minutes: u64) -> Propagation {
        let timeout = Some(GoDuration(Duration::from_mins(minutes)));
        Propagation { timeout, strategy: Some(strategy.to_owned()), ..Propagation::default() }
    }

    #[test]
    fn the_flag_wins_over_the_configuration_and_that_over_the_environment() {
        let environment = [("DNS01_NATIVE", "false")];
        let shown = |asked: &Asked<'_>, solvers: &[Propagation]| {
            let patience = by(asked, solvers, &environment).unwrap();
            (patience.strategy.to_string(), patience.timeout.as_secs())
        };
        let flag = Asked {
            strategy: Some("fixed:5s"),
            timeout: Some(Duration::from_secs(9)),
            ..Asked::default()
        };
        let solvers = [solver("none", 5), solver("none", 7)];
        assert_eq!(shown(&flag, &solvers), ("fixed:5s".into(), 9));
        assert_eq!(shown(&Asked::default(), &solvers), ("none".into(), 420));
        assert_eq!(shown(&Asked::default(), &[]), ("lego".into(), 600));
    }

    #[test]
    fn a_resolver_that_is_named_anywhere_has_to_agree() {
        let solver = |gates: &[&str]| Propagation {
            gate_resolvers: gates.iter().map(ToString::to_string).collect(),
            ..Propagation::default()
        };
        let both = [solver(&["192.0.2.1"]), solver(&["192.0.2.1", "https://dns.example/q"])];
        let patience = by(&Asked::default(), &both, &[]).unwrap();
        assert_eq!(
            (patience.strategy.to_string(), patience.gates.len()),
            ("stable,resolvers".into(), 2)
        );
        let flag = ["192.0.2.9".parse().unwrap()];
        let asked = Asked { gates: &flag, ..Asked::default() };
        assert_eq!(by(&asked, &both, &[]).unwrap().gates.len(), 1);
        let failure = by(&Asked::default(), &[solver(&["dns.example"])], &[]).unwrap_err();
        assert_eq!(failure.exit(), Exit::Config);
        assert!(
            failure
                .reason()
                .contains("propagation.gateResolvers: `dns.example` is not an IP address")
        );
    }

    #[test]
    fn an_unknown_strategy_and_two_at_once_are_11() {
        let unknown = Asked { strategy: Some("stabel"), ..Asked::default() };
        for failure in [
            by(&unknown, &[], &[]).unwrap_err(),
            by(&Asked::default(), &[solver("none", 1), solver("stable", 1)], &[]).unwrap_err(),
            by(&Asked { strategy: Some("stable,resolvers"), ..Asked::default() }, &[], &[])
                .unwrap_err(),
            by(
                &Asked { strategy: Some("streak"), ..Asked::default() },
                &[],
                &[("DNS01_STREAK", "yes")],
            )
            .unwrap_err(),
        ] {
            assert_eq!(failure.exit(), Exit::Config, "{}", failure.reason());
        }
    }

    #[test]
    fn the_toolkits_numbers_reach_the_streak() {
        let asked = Asked { strategy: Some("streak"), ..Asked::default() };
        assert_eq!(
            by(&asked, &[], &[("DNS01_STREAK", "true")]).unwrap().streak,
            StreakRule::default()
        );
        let environment = [
            ("DNS01_BACKOFF", "3"),
            ("DNS01_BACKOFF_MIN", "0"),
            ("DNS01_BACKOFF_MAX", "8"),
            ("DNS01_STREAK", "2"),
            ("DNS01_STREAK_THRESHOLD", "5"),
            ("DNS01_STREAK_PENALTY", "1"),
            ("DNS01_STREAK_MOD", "2"),
        ];
        let rule = by(&asked, &[], &environment).unwrap().streak;
        let second = Duration::from_secs(1);
        let wanted = StreakRule {
            backoff: second * 3,
            bounds: (second, second * 8),
            start: 2,
            threshold: 5,
            penalty: 1,
            modulus: 2,
        };
        assert_eq!(rule, wanted);
        let without = by(&asked, &[], &[("DNS01_STREAK", "false")]).unwrap();
        assert_eq!(without.strategy.to_string(), "lego");
        let fallback = by(&Asked::default(), &[], &[("DNS01_NATIVE", "fallback")]).unwrap();
        assert_eq!(fallback.strategy.to_string(), "fallback:lego>stable");
    }

    #[test]
    fn legos_timeout_counts_where_nothing_else_is_said() {
        let lego = Some(Duration::from_secs(77));
        let decided = |asked: &Asked<'_>, solvers: &[Propagation]| {
            decide(asked, solvers, lego, &|_| None).unwrap().timeout.as_secs()
        };
        let flag = Asked { timeout: Some(Duration::from_secs(9)), ..Asked::default() };
        assert_eq!(decided(&Asked::default(), &[]), 77);
        assert_eq!(decided(&Asked::default(), &[solver("stable", 5)]), 300);
        assert_eq!(decided(&flag, &[]), 9);
    }

    #[test]
    fn a_timeout_is_a_duration_or_whole_seconds() {
        assert_eq!(seconds_too("1501").unwrap().0, Duration::from_secs(1_501));
        assert_eq!(seconds_too("15m").unwrap().0, Duration::from_mins(15));
        assert!(seconds_too("-1").is_err() && seconds_too("soon").is_err());
    }
}
