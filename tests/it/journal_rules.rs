//! The table of the journal's rules names tests that exist.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_table_of_journal_rules_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut tests = BTreeSet::new();
    for folder in ["crates", "steps", "tests"] {
        collect(&root.join(folder), &mut tests);
    }
    let table = fs::read_to_string(root.join("docs/journal-tests.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule "));
    let cells: Vec<_> = rows.map(|row| row.rsplit(" | ").next().unwrap()).collect();
    assert!(cells.len() > 40, "{} rules", cells.len());
    for cell in cells {
        let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a rule without a test: {cell}");
        for name in names {
            assert!(tests.contains(name), "there is no test `{name}`");
        }
    }
}

/// The names of the test functions in and below `folder`.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(path).unwrap();
            let parts = text.split("#[test]").chain(text.split("#[tokio::test")).skip(1);
            let names = parts.filter_map(|part| part.split_once("fn ")?.1.split_once('('));
            tests.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}
