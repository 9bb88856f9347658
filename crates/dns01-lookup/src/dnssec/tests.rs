//! What can be said without a server; signed zones are tested against real ones.

use hickory_proto::rr::RecordType;

use super::flaw::Flaw;

#[test]
fn a_flaw_is_told_with_what_it_is_about_and_when() {
    assert_eq!(
        Flaw::Early(RecordType::TXT, 1_800_000_000).to_string(),
        "the signature (RRSIG) over the TXT record is valid from 2027-01-15 08:00 UTC on"
    );
    assert!(Flaw::OtherKey(vec![1, 2]).to_string().contains("(key tag 1, 2)"));
}

#[test]
fn only_signatures_are_judged_by_the_wall_clock() {
    // A clock that jumps must not end a wait or make one endless: all of it is measured by the monotonic clock.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![folder];
    let mut by_the_wall = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let is_wall = text.contains("SystemTime::") || text.contains("Utc::now");
                by_the_wall.extend(is_wall.then(|| path.file_name().unwrap().to_owned()));
            }
        }
    }
    assert_eq!(by_the_wall, ["dnssec.rs"]);
}
