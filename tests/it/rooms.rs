//! ARCHITECTURE.md against the tree: every room is on the map, and no room imports what the map forbids it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test needs and does not get fails it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const MIDDLE: [&str; 4] = ["dns01-lookup", "dns01-providers", "dns01-acme", "dns01-store"];

type Names = BTreeSet<String>;

/// A member of the workspace.
#[derive(Debug)]
struct Member {
    /// Where it lies, from the root.
    folder: String,
    /// The members that it links.
    imports: Names,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

fn section(title: &str) -> String {
    let page = page();
    let (_, rest) =
        page.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The words in backticks.
fn quoted(text: &str) -> Names {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// By package name.
fn members() -> BTreeMap<String, Member> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(cargo).args(args).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), member(package)))
        .collect()
}

fn member(package: &Value) -> Member {
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let folder = manifest.parent().unwrap().strip_prefix(root().canonicalize().unwrap()).unwrap();
    let links = |dependency: &&Value| dependency["path"].is_string() && dependency["kind"] != "dev";
    let imports = package["dependencies"].as_array().unwrap().iter().filter(links);
    Member {
        folder: folder.to_str().unwrap().to_owned(),
        imports: imports.map(|one| one["name"].as_str().unwrap().to_owned()).collect(),
    }
}

/// What the table of the page lets each member import.
fn allowed(members: &BTreeMap<String, Member>) -> BTreeMap<String, Names> {
    let steps: Names = members
        .iter()
        .filter(|(_, member)| member.folder.starts_with("steps/"))
        .map(|(name, _)| name.clone())
        .collect();
    let mut allowed: BTreeMap<String, Names> = BTreeMap::new();
    let table = section("Who may import whom");
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let mut who = quoted(cells[1]);
        if cells[1] == "a step" {
            who.clone_from(&steps);
        }
        let mut what = quoted(cells[2]);
        if cells[2].contains("middle rooms") {
            what.extend(MIDDLE.map(str::to_owned));
        }
        if cells[2].contains("libraries") {
            what.extend(steps.clone());
        }
        if cells[1] == "`tests`" {
            what.extend(members.keys().cloned());
        }
        for name in who {
            allowed.entry(name).or_default().extend(what.clone());
        }
    }
    allowed
}

#[test]
fn every_room_is_on_the_map_and_nothing_else() {
    let rooms = section("Rooms");
    let named: Names = rooms
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    let there: Names = members().into_values().map(|member| member.folder).collect();
    assert_eq!(named, there);
}

#[test]
fn the_folders_beside_the_rooms_are_where_the_map_says() {
    let rooms = section("Rooms");
    let beside = quoted(rooms.split("Beside them:").nth(1).unwrap());
    for folder in beside.iter().filter(|name| name.ends_with('/')) {
        assert!(root().join(folder).is_dir(), "{folder} is not there");
    }
}

#[test]
fn no_room_imports_what_the_map_does_not_allow() {
    let members = members();
    let allowed = allowed(&members);
    for (name, member) in &members {
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is in no row of the table"));
        let more: Vec<_> = member.imports.difference(may).collect();
        assert!(more.is_empty(), "{name} imports {more:?}");
    }
    for name in allowed.keys() {
        assert!(members.contains_key(name), "the table names {name}, which does not exist");
    }
}

#[test]
fn the_map_keeps_the_rooms_apart() {
    // What the page must not come to allow, whatever it says.
    let members = members();
    let allowed = allowed(&members);
    let none = Names::new();
    assert_eq!((&allowed["dns01-core"], &allowed["harness"]), (&none, &none));
    let core = Names::from(["dns01-core".to_owned()]);
    for room in MIDDLE.into_iter().chain(["dns01-step"]) {
        assert_eq!(allowed[room], core, "{room}");
    }
    for (name, member) in members.iter().filter(|(_, member)| member.folder.starts_with("steps/")) {
        let may_run_others = ["dns01", "certbot-issue"].contains(&&**name);
        let imports_steps =
            member.imports.iter().any(|other| members[other].folder.starts_with("steps/"));
        assert!(may_run_others || !imports_steps, "{name} imports a step");
    }
}

#[test]
fn a_steps_manifest_is_its_permission_slip() {
    // The columns of the journal's table of steps: keys and state (dns01-store), CA (dns01-acme), zones (dns01-providers).
    let never: [(&str, &[&str]); 6] = [
        ("present", &["dns01-store", "dns01-acme"]),
        ("wait-propagation", &["dns01-store", "dns01-acme", "dns01-providers"]),
        ("order", &["dns01-providers"]),
        ("store-secret", &["dns01-acme", "dns01-providers", "dns01-lookup"]),
        ("cleanup", &["dns01-acme"]),
        ("renew-check", &["dns01-providers", "dns01-lookup"]),
    ];
    let members = members();
    for (step, rooms) in never {
        for room in rooms {
            assert!(!reaches(&members, step, room), "{step} can reach {room}");
        }
    }
    assert!(reaches(&members, "dns01", "dns01-acme"), "or this test sees nothing");
}

fn reaches(members: &BTreeMap<String, Member>, from: &str, to: &str) -> bool {
    members[from].imports.iter().any(|name| name == to || reaches(members, name, to))
}
