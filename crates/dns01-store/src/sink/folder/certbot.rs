//! certbot's layout: `PATH/live/NAME/fullchain.pem` → `../../archive/NAME/fullchainN.pem`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use dns01_core::{Bundle, fail_point};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Folder, LOCK_DEADLINE, Planned, There, make_folder};
use crate::StoreError;
use crate::dir::files;
use crate::dir::lock::Lock;
use crate::sink::{SinkError, Stored, refuse_older};

pub(super) fn write(folder: &Folder, bundle: &Bundle) -> Result<Stored, SinkError> {
    let name = folder.certificate.as_str();
    let live = folder.path.join("live");
    let archive = folder.path.join("archive").join(name);
    for path in [&live, &archive] {
        make_folder(path, folder.folder_mode())?;
    }
    let _lock = Lock::take(&archive, LOCK_DEADLINE)?;
    files::remove_leftovers(&archive)?;
    remove_unfinished(&live, name)?;
    refuse_older(folder, folder.read()?.as_ref(), bundle)?;
    let plan = &folder.plan(bundle);
    let served = live.join(name);
    let before = ours(folder, &served)?;
    if before.is_some() && is_served(&served, plan)? {
        return Ok(Stored::Unchanged);
    }
    let number = numbers(&archive)?.last().map_or(1, |last| last + 1);
    for file in plan {
        file.create_at(&archive.join(numbered(&file.name, number)))?;
        fail_point::pass("store::sink::certbot::file");
    }
    files::sync_folder(&archive)?;
    exchange(&served, &links(&live, name, plan, number)?)?;
    prune(&archive, &[before.unwrap_or(number), number])?;
    Ok(Stored::Written)
}

/// The number that is served now; 0 for what is taken over. Refuses what certbot itself, or somebody else, keeps there.
fn ours(folder: &Folder, served: &Path) -> Result<Option<u64>, SinkError> {
    let renewal = format!("renewal/{}.conf", folder.certificate);
    if folder.path.join(&renewal).exists() && !folder.options.take_over {
        return Err(SinkError::Foreign {
            sink: folder.to_string(),
            why: format!("certbot renews it (`{renewal}`)"),
        });
    }
    match There::at(served)? {
        There::Nothing => return Ok(None),
        There::Folder => {}
        There::Link(_) | There::File | There::Other => {
            return Err(SinkError::InTheWay { path: served.to_owned(), what: "no folder" });
        }
    }
    let mut number = 0;
    for entry in files::entries(served)? {
        let path = served.join(&entry);
        match There::at(&path)? {
            There::Link(target) if target.starts_with("../../archive") => {
                number = number_of(&target).unwrap_or(number);
            }
            _ if folder.options.take_over || entry == "README" => {}
            _ => return Err(SinkError::InTheWay { path, what: "a file that we did not make" }),
        }
    }
    Ok(Some(number))
}

fn is_served(served: &Path, plan: &[Planned]) -> Result<bool, StoreError> {
    let is_there = |file: &Planned| file.is_at(&served.join(&file.name));
    Ok(plan.iter().all(is_there) && files::entries(served)?.len() == plan.len())
}

/// A folder of links beside the served one.
fn links(live: &Path, name: &str, plan: &[Planned], number: u64) -> Result<PathBuf, StoreError> {
    let unfinished = live.join(format!(".{name}.new"));
    files::make_folder(&unfinished, 0o755)?;
    for file in plan {
        let target = Path::new("../../archive").join(name).join(numbered(&file.name, number));
        let link = unfinished.join(&file.name);
        symlink(target, &link).map_err(StoreError::io("link", &link))?;
    }
    files::sync_folder(&unfinished)?;
    fail_point::pass("store::sink::certbot::links");
    Ok(unfinished)
}

/// The moment at which every reader sees the new bundle: the two folders change places.
fn exchange(served: &Path, unfinished: &Path) -> Result<(), StoreError> {
    if served.exists() {
        renameat_with(CWD, unfinished, CWD, served, RenameFlags::EXCHANGE)
            .map_err(|errno| StoreError::io("replace", served)(errno.into()))?;
        fail_point::pass("store::sink::certbot::flipped");
        files::sync_folder(served.parent().unwrap_or(served))?;
        fs::remove_dir_all(unfinished).map_err(StoreError::io("remove", unfinished))
    } else {
        files::rename(unfinished, served)
    }
}

fn remove_unfinished(live: &Path, name: &str) -> Result<(), StoreError> {
    let path = live.join(format!(".{name}.new"));
    if path.exists() {
        fs::remove_dir_all(&path).map_err(StoreError::io("remove", &path))?;
    }
    Ok(())
}

/// `fullchain.pem` and 7 make `fullchain7.pem`.
fn numbered(name: &str, number: u64) -> String {
    format!("{}{number}.pem", name.strip_suffix(".pem").unwrap_or(name))
}

fn number_of(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    stem.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().ok()
}

/// Every number in the archive, sorted.
fn numbers(archive: &Path) -> Result<Vec<u64>, StoreError> {
    let mut numbers: Vec<u64> =
        files::entries(archive)?.iter().filter_map(|name| number_of(Path::new(name))).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Keeps the current version and the one before it.
fn prune(archive: &Path, kept: &[u64]) -> Result<(), StoreError> {
    for name in files::entries(archive)? {
        let path = archive.join(&name);
        if number_of(&path).is_some_and(|number| !kept.contains(&number)) {
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
    }
    Ok(())
}
