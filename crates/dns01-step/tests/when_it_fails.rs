//! The pages that explain the exit codes, held against the one table of exit codes.

use std::fs;
use std::path::{Path, PathBuf};

use dns01_core::Exit;

fn docs(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(path)
}

#[test]
fn every_exit_code_has_a_page_that_says_its_name_and_whether_it_is_retried() {
    let summary = fs::read_to_string(docs("SUMMARY.md")).unwrap();
    let index = fs::read_to_string(docs("when-it-fails/README.md")).unwrap();
    for exit in Exit::ALL.into_iter().filter(|exit| *exit != Exit::Done) {
        let (code, name) = (exit.code(), exit.name());
        let page = fs::read_to_string(docs(&format!("when-it-fails/{code}.md"))).unwrap();
        assert!(page.starts_with(&format!("# Exit {code}: {name}\n")), "{code}");
        let (said, retried) = if exit.is_retryable() {
            ("Argo's templates retry it.", "**yes**")
        } else {
            ("Argo's templates do not retry it.", "no")
        };
        assert!(page.contains(said), "{code}");
        assert!(index.contains(&format!("| [{code}]({code}.md) | {name} | {retried} |")), "{code}");
        assert!(summary.contains(&format!("(when-it-fails/{code}.md)")), "{code}");
    }
}

#[test]
fn there_is_no_page_for_a_code_that_does_not_exist() {
    for entry in fs::read_dir(docs("when-it-fails")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".md").and_then(|code| code.parse().ok());
        assert!(name == "README.md" || code.and_then(Exit::from_code).is_some(), "{name}");
    }
}
