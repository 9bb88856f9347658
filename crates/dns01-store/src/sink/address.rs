//! How a sink is written: `dir:PATH`, `secret:[NAMESPACE/]NAME`, `stdout:`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::SinkError;

/// Where a certificate is delivered. Its text is the sink's `id` in the journal.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SinkAddress {
    /// A folder with PEM files.
    Dir(PathBuf),
    /// A `kubernetes.io/tls` Secret.
    Secret {
        /// Its namespace; `None` means that of this pod.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// Standard output: the key, then the chain.
    Stdout,
}

impl FromStr for SinkAddress {
    type Err = SinkError;

    fn from_str(text: &str) -> Result<Self, SinkError> {
        let refused = || SinkError::Address { text: text.chars().take(80).collect() };
        match text.split_once(':') {
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Dir(path.into())),
            Some(("secret", secret)) => {
                let (namespace, name) = match secret.split_once('/') {
                    Some((namespace, name)) => (Some(namespace), name),
                    None => (None, secret),
                };
                if !namespace.is_none_or(is_dns_label) || !is_dns_subdomain(name) {
                    return Err(refused());
                }
                Ok(Self::Secret { namespace: namespace.map(str::to_owned), name: name.to_owned() })
            }
            Some(("stdout", "")) => Ok(Self::Stdout),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for SinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dir(path) => write!(f, "dir:{}", path.display()),
            Self::Secret { namespace: Some(namespace), name } => {
                write!(f, "secret:{namespace}/{name}")
            }
            Self::Secret { namespace: None, name } => write!(f, "secret:{name}"),
            Self::Stdout => f.write_str("stdout:"),
        }
    }
}

fn is_dns_label(text: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    text.len() <= 63
        && text.bytes().all(|octet| inner(octet) || octet == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().next_back().is_some_and(inner)
}

fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["dir:/etc/ssl/shop", "secret:shop-tls", "secret:web/shop.tls", "stdout:"] {
            assert_eq!(text.parse::<SinkAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_sink_is_refused() {
        for text in [
            "",
            "dir:",
            "/etc/ssl",
            "secret:",
            "secret:/a",
            "secret:a/",
            "secret:a/b/c",
            "secret:A",
            "secret:../a",
            "secret:a/b?x=y",
            "stdout:x",
            "vault:a",
        ] {
            assert!(text.parse::<SinkAddress>().is_err(), "{text:?}");
        }
    }
}
