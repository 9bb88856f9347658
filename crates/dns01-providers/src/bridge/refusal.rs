//! What a provider says about a request that it did not carry out, read from the library's text for it.
//!
//! Of a body only the provider's code and a short, scrubbed message go on: bodies may repeat what was sent.

use serde_json::Value;

/// What a provider said about a request it did not carry out.
pub(super) struct Refusal {
    pub(super) status: Option<u16>,
    pub(super) code: String,
    message: String,
}

impl Refusal {
    /// Reads `HTTP 403: {…}`, `BadRequest {…}`, `Route53 API error: 403 Forbidden - <…>` and the like.
    pub(super) fn read(text: &str) -> Self {
        let (head, body) = text.split_at(text.find(['{', '<']).unwrap_or(text.len()));
        let status = if head.contains("BadRequest") { Some(400) } else { first_status(head) };
        let (code, message) = from_json(body).or_else(|| from_xml(body)).unwrap_or_default();
        Self { status, code, message }
    }

    /// In words: `403, code 10000 "Authentication error"`.
    pub(super) fn said(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.status.map(|status| status.to_string()));
        if !self.code.is_empty() {
            parts.push(format!("code {}", scrub(&self.code)));
        }
        let words = parts.join(", ");
        if self.message.is_empty() { words } else { format!("{words} {}", quote(&self.message)) }
    }
}

/// The first number that stands alone and is the status of a failure.
fn first_status(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| word.parse().ok())
        .find(|status| (300..600).contains(status))
}

/// Code and message of a JSON error: Cloudflare's list, Hetzner's object, DigitalOcean's and deSEC's flat ones.
fn from_json(body: &str) -> Option<(String, String)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let error = match (&body["errors"][0], &body["error"]) {
        (error @ Value::Object(_), _) | (_, error @ Value::Object(_)) => error,
        _ => &body,
    };
    let text = |keys: &[&str]| {
        keys.iter().find_map(|key| match &error[*key] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    Some((
        text(&["code", "id"]).unwrap_or_default(),
        text(&["message", "detail"]).unwrap_or_default(),
    ))
}

/// Code and message of Route 53's XML errors; the body may be cut off after them.
fn from_xml(body: &str) -> Option<(String, String)> {
    let between = |open: &str, close: &str| {
        let (_, rest) = body.split_once(open)?;
        rest.split_once(close).map(|(text, _)| text.to_owned())
    };
    if body.contains("<InvalidChangeBatch") {
        let message = between("<Message>", "</Message>").unwrap_or_default();
        return Some(("InvalidChangeBatch".into(), message));
    }
    Some((between("<Code>", "</Code>")?, between("<Message>", "</Message>").unwrap_or_default()))
}

/// A provider's words in quotes, scrubbed and short.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", scrub(text))
}

/// Printable, at most 100 characters, and without anything that could be a credential: a long word.
fn scrub(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let is_long = word.len() >= 20;
        if is_long { "…".to_owned() } else { word.chars().filter(|c| !c.is_control()).collect() }
    });
    words.collect::<Vec<String>>().join(" ").chars().take(100).collect()
}
