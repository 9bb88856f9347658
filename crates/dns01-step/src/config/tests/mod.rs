//! The document as people write it: the examples of the documentation, and what is said about mistakes.

mod examples;
mod mistakes;
mod senseless;
mod written;

use dns01_core::{Exit, Explain as _};

use super::reference::{FULL, MINIMAL};
use super::{Config, ConfigError};

/// What is said about a document: a line for each problem, as the long form shows them.
fn said(text: &str) -> Vec<String> {
    let error = Config::parse(text, "dns01.yaml").unwrap_err();
    assert_eq!(error.exit(), Exit::Config);
    let ConfigError::Wrong { problems, more: 0, .. } = &error else { panic!("{error}") };
    problems.iter().map(|it| format!("{}:{}: {it}", it.line, it.column)).collect()
}

/// [`MINIMAL`] with its only certificate replaced.
fn with_certificate(certificate: &str) -> String {
    let (head, _) = MINIMAL.rsplit_once("- {").unwrap();
    format!("{head}- {certificate}\n")
}

/// [`MINIMAL`] with its only solver replaced.
fn with_solver(solver: &str) -> String {
    let (head, _) = MINIMAL.split_once("- {").unwrap();
    let (_, tail) = MINIMAL.split_once("certificates:").unwrap();
    format!("{head}- {solver}\ncertificates:{tail}")
}

/// [`MINIMAL`] with its only issuer replaced.
fn with_issuer(issuer: &str) -> String {
    MINIMAL.replace("letsencrypt: {termsOfServiceAgreed: true}", issuer)
}
