//! Problem documents (RFC 7807, RFC 8555 §6.7), cleaned for people's eyes.

/// What a CA said about a refusal: capped in length and free of control characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The type without `urn:ietf:params:acme:error:`, such as `unauthorized`; empty if the CA named none.
    pub kind: String,
    /// The CA's words.
    pub detail: String,
    /// What it said about single names: the name, the type, its words.
    pub parts: Vec<(String, String, String)>,
}
