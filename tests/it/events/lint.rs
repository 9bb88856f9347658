//! The linters refuse what is broken: without this, `cargo xtask lint` might pass over anything.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::Lab;

use super::{folder, root};
use crate::templates::yaml_files;

/// Whether a linter is content with `file` and the shipped templates, and what it says.
fn lint(program: &str, arguments: &[&str], file: &PathBuf) -> (bool, String) {
    let mut command = Command::new(harness::tool(program));
    command.args(arguments).arg(file);
    if program == "argo-lint" {
        let templates = yaml_files(&root().join("workflow-templates")).into_iter();
        command.args(templates.filter(|other| other.file_name() != file.file_name()));
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// A shipped file with `from` replaced, which must be there.
fn broken(lab: &Lab, file: &str, from: &str, to: &str) -> PathBuf {
    let source = root().join(file);
    let text = fs::read_to_string(&source).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    let copy = lab.folder("broken").join(source.file_name().unwrap());
    fs::write(&copy, text.replace(from, to)).unwrap();
    copy
}

#[test]
#[ignore = "needs argo-lint, argo-events"]
fn what_is_shipped_passes_both_linters() {
    let templates = root().join("workflow-templates/dns01-challenge-only.yaml");
    let (passed, said) = lint("argo-lint", &[], &templates);
    assert!(passed, "{said}");
    for file in yaml_files(&folder()) {
        for (program, arguments) in [("argo-lint", &[][..]), ("argo-events", &["lint", "--strict"])]
        {
            let (passed, said) = lint(program, arguments, &file);
            assert!(passed, "{program}: {said}");
        }
    }
}

#[test]
#[ignore = "needs argo-lint, argo-events"]
fn a_broken_file_is_refused_and_the_reason_said() {
    let template = "workflow-templates/dns01-challenge-only.yaml";
    let sensor = "event-sources/webhook.yaml";
    let events: &[&str] = &["lint", "--strict"];
    let cases = [
        ("argo-lint", &[][..], template, "depends: present", "depends: presnt", "presnt"),
        ("argo-lint", &[], template, "inputs.parameters.fqdn", "inputs.parameters.fqnd", "fqnd"),
        ("argo-lint", &[], template, "activeDeadlineSeconds", "activeDeadline", "activeDeadline"),
        ("argo-lint", &[], sensor, "atLeastOnce", "atLeastTwice", "atLeastTwice"),
        ("argo-lint", &[], sensor, "{name: dns01-certificate}", "{name: dns01-c}", "dns01-c"),
        ("argo-events", events, sensor, "operation: create", "operation: make", "make"),
        ("argo-events", events, sensor, "endpoint: /certificate", "endpoint: ''", "endpoint"),
    ];
    for (program, arguments, file, from, to, reason) in cases {
        let lab = Lab::new();
        let (passed, said) = lint(program, arguments, &broken(&lab, file, from, to));
        assert!(!passed && said.contains(reason), "{program} on {to}: {said}");
    }
}
