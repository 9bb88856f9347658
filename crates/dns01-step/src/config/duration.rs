//! Durations as Go, Kubernetes and cert-manager write them: `720h`, `1h30m`, `1.5s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A duration in Go's notation (<https://pkg.go.dev/time#ParseDuration>), never negative, exact to the nanosecond.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct GoDuration(pub Duration);

/// Go's units, longest first, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let refuse = || DurationError { text: text.chars().take(40).collect() };
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut rest = text;
        let mut sum: u64 = 0;
        while !rest.is_empty() || text.is_empty() {
            let (nanoseconds, after) = term(rest).ok_or_else(refuse)?;
            sum = sum.checked_add(nanoseconds).ok_or_else(refuse)?;
            rest = after;
        }
        Ok(Self(Duration::from_nanos(sum)))
    }
}

/// One number with its unit, in nanoseconds, and what follows it. A part below a nanosecond is dropped, as Go does.
fn term(text: &str) -> Option<(u64, &str)> {
    let is_digit = |c: char| c.is_ascii_digit();
    let (whole, rest) = text.split_at(text.find(|c| !is_digit(c))?);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c| !is_digit(c))?),
        None => ("", rest),
    };
    let (name, rest) = rest.split_at(rest.find(|c| is_digit(c) || c == '.').unwrap_or(rest.len()));
    let (_, unit) = UNITS.into_iter().find(|(known, _)| *known == name)?;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut sum = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        // Only `h` and `m` are no powers of ten; beyond their tenth digit nothing reaches a nanosecond.
        sum = sum.checked_add(place / 10 * u64::from(digit - b'0'))?;
        place /= 10;
    }
    Some((sum, rest))
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        let mut rest = self.0.as_nanos();
        for (name, unit) in UNITS.into_iter().filter(|(name, _)| name.is_ascii()) {
            let count = rest / u128::from(unit);
            rest %= u128::from(unit);
            if count > 0 {
                write!(f, "{count}{name}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for GoDuration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

impl From<GoDuration> for String {
    fn from(duration: GoDuration) -> Self {
        duration.to_string()
    }
}

/// The text is no duration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a duration such as `720h`, `1h30m` or `90s`")]
pub struct DurationError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanoseconds(text: &str) -> Option<u128> {
        text.parse::<GoDuration>().ok().map(|duration| duration.0.as_nanos())
    }

    #[test]
    fn what_go_writes_is_read_exactly() {
        let second = 1_000_000_000;
        for (text, expected) in [
            ("720h", 720 * 3600 * second),
            ("1h30m", 5400 * second),
            ("15m", 900 * second),
            ("90s", 90 * second),
            ("0", 0),
            ("0s", 0),
            ("720h0m0s", 720 * 3600 * second),
            ("1.5h", 5400 * second),
            (".5s", second / 2),
            ("2.s", 2 * second),
            ("0.1m", 6 * second),
            ("1.123456789s", 1_123_456_789),
            ("0.0000000019s", 1),
            ("250ms", second / 4),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("7ns", 7),
        ] {
            assert_eq!(nanoseconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "720",
            "h",
            "1d",
            "1 h",
            " 1h",
            "-1h",
            "+1h",
            "1h30",
            ".h",
            "1..5h",
            "1.5.5h",
            "1H",
            "99999999999h",
            "18446744073709551616ns",
        ] {
            assert_eq!(nanoseconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for text in ["0s", "720h", "1h30m", "1m30s", "1s500ms", "1us1ns"] {
            let duration: GoDuration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
        }
    }
}
