//! Names of our own and of Kubernetes.

use super::super::report::Report;
use super::super::tree::Seg;

/// The longest name of an issuer, solver or certificate: with `dns01-` and `-key` it must still be a label.
const LONGEST: usize = 50;

/// Reports a name of an issuer, solver or certificate that could not name a Secret or a folder.
pub(super) fn our_name(name: &str, path: &[Seg<'_>], report: &mut Report<'_>) {
    if !is_label(name) || name.len() > LONGEST {
        let said = format!("`{name}` is no name");
        let hint = "use lower-case letters, digits and inner hyphens, at most 50 (DNS-1123 label)";
        report.at(path, said, hint.to_owned());
    }
}

/// Reports a name that no Secret can have.
pub(super) fn secret_name(name: &str, path: &[Seg<'_>], report: &mut Report<'_>) {
    if name.len() > 253 || !name.split('.').all(is_label) {
        let said = format!("`{name}` is no name of a Secret");
        let hint = "use lower-case letters, digits, inner hyphens and dots (DNS-1123 subdomain)";
        report.at(path, said, hint.to_owned());
    }
}

/// Reports a name that no namespace can have.
pub(super) fn namespace(name: &str, path: &[Seg<'_>], report: &mut Report<'_>) {
    if !is_label(name) {
        let said = format!("`{name}` is no namespace");
        report.at(path, said, None);
    }
}

/// RFC 1123 as Kubernetes reads it.
fn is_label(text: &str) -> bool {
    let is_inner =
        |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
