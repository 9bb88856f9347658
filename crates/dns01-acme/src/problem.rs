//! Problem documents (RFC 7807, RFC 8555 §6.7), cleaned for people's eyes.

use std::fmt;

use instant_acme::Subproblem;

const LONGEST_DETAIL: usize = 256;
const MOST_PARTS: usize = 20;
const PREFIX: &str = "urn:ietf:params:acme:error:";

/// What a CA said about a refusal: capped in length and free of control characters.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Problem {
    /// The type without `urn:ietf:params:acme:error:`, such as `unauthorized`; empty if the CA named none of ACME's.
    pub kind: String,
    /// The CA's words.
    pub detail: String,
    /// What it said about single names (RFC 8555 §6.7.1).
    pub parts: Vec<ProblemPart>,
}

/// What a CA said about one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProblemPart {
    /// The name, as the CA wrote it; empty if it named none.
    pub name: String,
    /// The type, as in [`Problem::kind`].
    pub kind: String,
    /// The CA's words.
    pub detail: String,
}

impl Problem {
    pub(crate) fn clean(raw: &instant_acme::Problem) -> Self {
        Self {
            kind: kind(raw.r#type.as_deref()),
            detail: clean(raw.detail.as_deref().unwrap_or_default()),
            parts: raw.subproblems.iter().take(MOST_PARTS).map(ProblemPart::clean).collect(),
        }
    }
}

impl ProblemPart {
    fn clean(raw: &Subproblem) -> Self {
        let name = raw.identifier.as_ref().map(|name| name.authorized(false).to_string());
        Self {
            name: clean(&name.unwrap_or_default()),
            kind: kind(raw.r#type.as_deref()),
            detail: clean(raw.detail.as_deref().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.detail.as_str(), self.kind.as_str()) {
            ("", "") => f.write_str("no reason given")?,
            ("", kind) => f.write_str(kind)?,
            (detail, "") => f.write_str(detail)?,
            (detail, kind) => write!(f, "{detail} ({kind})")?,
        }
        for part in &self.parts {
            write!(f, "; `{}`: {} ({})", part.name, part.detail, part.kind)?;
        }
        Ok(())
    }
}

fn kind(text: Option<&str>) -> String {
    clean(text.and_then(|text| text.strip_prefix(PREFIX)).unwrap_or_default())
}

/// One line, free of control characters and of what could change the direction of the text, without a final full stop.
pub(crate) fn clean(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect();
    let mut words = String::new();
    for word in plain.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > 4 * LONGEST_DETAIL {
            break;
        }
    }
    if let Some((cut, _)) = words.char_indices().nth(LONGEST_DETAIL - 1) {
        words.truncate(cut);
        words.push('…');
    }
    words.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subproblems_say_which_name_was_refused() {
        let raw = r#"{"type":"urn:ietf:params:acme:error:compound","detail":"Some names were refused.",
            "subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids it",
            "identifier":{"type":"dns","value":"b.example.org"}}]}"#;
        let problem = Problem::clean(&serde_json::from_str(raw).unwrap());
        assert_eq!(
            problem.to_string(),
            "Some names were refused (compound); `b.example.org`: CAA forbids it (caa)"
        );
    }

    #[test]
    fn a_hostile_text_becomes_one_short_harmless_line() {
        let hostile = format!("a\u{1b}[31m\r\n\0b\u{202e}c {}", "x".repeat(10_000));
        let line = clean(&hostile);
        assert!(line.starts_with("a [31m b c xxx") && line.ends_with('…'), "{line}");
        assert_eq!(line.chars().count(), LONGEST_DETAIL);
    }

    #[test]
    fn foreign_problem_types_are_not_taken_for_acme_ones() {
        let raw = r#"{"type":"https://ca.example/rateLimited"}"#;
        assert_eq!(Problem::clean(&serde_json::from_str(raw).unwrap()).kind, "");
    }
}
