//! The `Link` header (RFC 8288), as far as ACME uses it.

use http::HeaderMap;
use http::header::LINK;

/// The targets of relation `rel`, in order.
pub(crate) fn linked(headers: &HeaderMap, rel: &str) -> Vec<String> {
    let values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(links)
        .filter(|(_, rels)| rels.iter().any(|r| r == rel))
        .map(|(url, _)| url)
        .collect()
}

/// Each target in one header value, with its relations.
fn links(value: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { break };
        // Parameters run to the next target: ACME's hold no `<`.
        let parameters = &after[..after.find('<').unwrap_or(after.len())];
        let rels = parameters
            .split([';', ','])
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
            .flat_map(|(_, value)| value.trim().trim_matches('"').split_ascii_whitespace())
            .map(str::to_ascii_lowercase)
            .collect();
        found.push((target.to_owned(), rels));
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (LINK, value.parse().unwrap())).collect()
    }

    #[test]
    fn alternates_are_found_in_one_header_and_in_several() {
        let headers = headers(&[
            r#"<https://ca.example/directory>;rel="index", <https://ca.example/c/1>; rel=alternate"#,
            r#"<https://ca.example/c/2>;title="x";REL="alternate other""#,
        ]);
        assert_eq!(
            linked(&headers, "alternate"),
            ["https://ca.example/c/1", "https://ca.example/c/2"]
        );
    }

    #[test]
    fn what_is_no_link_is_ignored() {
        for text in ["", "<", "<x", "x>", ";rel=alternate", "<a>;rel", "<a>;rel=\"alternates\""] {
            assert!(linked(&headers(&[text]), "alternate").is_empty(), "{text}");
        }
    }
}
