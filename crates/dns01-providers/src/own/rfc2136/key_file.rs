//! BIND's key files: one `key "name" { algorithm …; secret "…"; };` clause, as `tsig-keygen` writes it.
//!
//! Strict: what isn't such a clause is an error that names the line and never shows what stands there.

use dns01_core::SecretText;

/// What a key file says, not yet checked.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) name: String,
    pub(super) algorithm: String,
    pub(super) secret: SecretText,
}

/// Why a text is no key file: the rest of a sentence that starts with its name.
type Fault = String;

/// Reads the one key clause in `text`.
pub(super) fn parse(text: &str) -> Result<KeyFile, Fault> {
    let mut words = Words { rest: text, line: 1 };
    words.expect("key")?;
    let name = words.value()?;
    words.expect("{")?;
    let (mut algorithm, mut secret) = (None, None);
    loop {
        match words.next()?.as_deref() {
            Some("algorithm") if algorithm.is_none() => algorithm = Some(words.value()?),
            Some("secret") if secret.is_none() => secret = Some(SecretText::from(words.value()?)),
            Some("}") => break,
            _ => return Err(words.fault("`algorithm`, `secret` or `}`")),
        }
        words.expect(";")?;
    }
    words.expect(";")?;
    if words.next()?.is_some() {
        return Err(words.fault("one key and nothing after it"));
    }
    match (algorithm, secret) {
        (Some(algorithm), Some(secret)) => Ok(KeyFile { name, algorithm, secret }),
        (None, _) => Err("has a key without `algorithm`".into()),
        (_, None) => Err("has a key without `secret`".into()),
    }
}

/// The words of a configuration in BIND's syntax, without its comments.
struct Words<'a> {
    rest: &'a str,
    line: usize,
}

impl Words<'_> {
    /// The next word: text in quotes, a punctuation mark, or a run of anything else.
    fn next(&mut self) -> Result<Option<String>, Fault> {
        self.skip_blanks()?;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        if first == '"' {
            let inner = &self.rest[1..];
            let end = inner.find(['"', '\n']).filter(|end| inner[*end..].starts_with('"'));
            let end = end.ok_or_else(|| self.fault("a closing quote"))?;
            let word = inner[..end].to_owned();
            self.rest = &inner[end + 1..];
            return Ok(Some(word));
        }
        let is_mark = |c: char| "{};".contains(c);
        let end = if is_mark(first) {
            1
        } else {
            self.rest
                .find(|c: char| c.is_whitespace() || is_mark(c) || c == '"' || c == '#')
                .unwrap_or(self.rest.len())
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Some(word.to_owned()))
    }

    fn expect(&mut self, wanted: &str) -> Result<(), Fault> {
        if self.next()?.as_deref() == Some(wanted) {
            Ok(())
        } else {
            Err(self.fault(&format!("`{wanted}`")))
        }
    }

    /// A word that is a value: not a punctuation mark, not empty.
    fn value(&mut self) -> Result<String, Fault> {
        self.next()?
            .filter(|word| !word.is_empty() && !["{", "}", ";"].contains(&word.as_str()))
            .ok_or_else(|| self.fault("a value"))
    }

    /// Skips white space and comments (`//`, `#`, `/* … */`).
    fn skip_blanks(&mut self) -> Result<(), Fault> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            let end = if blank > 0 {
                blank
            } else if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.rest.find('\n').unwrap_or(self.rest.len())
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").ok_or_else(|| self.fault("`*/`"))? + 2
            } else {
                return Ok(());
            };
            self.line += self.rest[..end].matches('\n').count();
            self.rest = &self.rest[end..];
        }
    }

    fn fault(&self, wanted: &str) -> Fault {
        format!("is not a TSIG key file: line {} should have {wanted}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tsig_keygen_writes_is_read() {
        let key =
            parse("key \"tsig-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n");
        let KeyFile { name, algorithm, secret } = key.unwrap();
        assert_eq!((name.as_str(), algorithm.as_str()), ("tsig-key", "hmac-sha256"));
        assert_eq!(secret.expose(), "c2VjcmV0");
    }

    #[test]
    fn comments_and_bare_words_are_allowed() {
        let text = "# made by hand\n/* two\nlines */ key k.example. { secret c2Vj/cmV0==; // the secret\n algorithm \"hmac-sha512\"; };";
        let key = parse(text).unwrap();
        assert_eq!((key.name.as_str(), key.secret.expose()), ("k.example.", "c2Vj/cmV0=="));
    }

    #[test]
    fn anything_else_is_refused_without_showing_it() {
        for (text, why) in [
            ("", "line 1 should have `key`"),
            ("Kname.+165+12345.private", "line 1 should have `key`"),
            ("key k {\n secret \"TOPSECRET\"\n algorithm a; };", "line 3 should have `;`"),
            ("key k { algorithm a; secret TOPSECRET TOPSECRET; };", "should have `;`"),
            ("key k { secret \"TOPSECRET\"; };", "without `algorithm`"),
            ("key k { algorithm a; };", "without `secret`"),
            ("key k { algorithm a; secret \"TOPSECRET", "a closing quote"),
            ("key k { algorithm a; secret \"TOP\nSECRET\"; };", "a closing quote"),
            ("key k { algorithm a; algorithm b; };", "`algorithm`, `secret` or `}`"),
            ("key k { algorithm a; secret TOPSECRET; server x; };", "`algorithm`, `secret` or `}`"),
            ("key k { algorithm a; secret TOPSECRET; }", "should have `;`"),
            ("key k { algorithm a; secret TOPSECRET; }; key l {};", "one key and nothing after"),
            ("key k { algorithm a; secret \"\"; };", "a value"),
            ("/* key k", "`*/`"),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.contains(why), "{text:?}: {fault}");
            assert!(!fault.contains("SECRET"), "{fault}");
        }
    }
}
