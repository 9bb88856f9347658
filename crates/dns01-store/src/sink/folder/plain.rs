//! The plain layout: `PATH/fullchain.pem` → `.current/fullchain.pem`, `PATH/.current` → `.versions/…`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use dns01_core::{Bundle, fail_point};

use super::{Folder, LOCK_DEADLINE, Planned, There, make_folder, read_file};
use crate::StoreError;
use crate::dir::files;
use crate::dir::lock::Lock;
use crate::sink::{SinkError, Stored, refuse_older};

/// The one link whose rename changes all files at once.
const CURRENT: &str = ".current";
const VERSIONS: &str = ".versions";

pub(super) fn write(folder: &Folder, bundle: &Bundle) -> Result<Stored, SinkError> {
    let root = folder.path.as_path();
    let versions = root.join(VERSIONS);
    for path in [root, &versions] {
        make_folder(path, folder.folder_mode())?;
    }
    let _lock = Lock::take(root, LOCK_DEADLINE)?;
    for path in [root, &versions] {
        files::remove_leftovers(path)?;
    }
    refuse_older(folder, folder.read()?.as_ref(), bundle)?;
    let plan = &folder.plan(bundle);
    let foreign = has_foreign(folder, plan)?;
    let before = current(root)?;
    let there = root.join(CURRENT);
    let is_there = plan.iter().all(|file| file.is_at(&there.join(&file.name)));
    if is_there && links(root)? == names(plan) {
        return Ok(Stored::Unchanged);
    }
    if foreign {
        // One by one they become links to copies of themselves, so that the flip below still changes all at once.
        let served = served(root, plan)?;
        flip(root, &add_version(folder, &served)?)?;
        put_links(root, &names(&served))?;
    }
    if foreign || !is_there {
        flip(root, &add_version(folder, plan)?)?;
    }
    put_links(root, &names(plan))?;
    for stale in links(root)?.difference(&names(plan)) {
        files::remove(&root.join(stale))?;
    }
    prune(&versions, &[before, current(root)?])?;
    Ok(Stored::Written)
}

/// Whether something at our names is not a link of ours. Without `--take-over` it is refused, a folder always is.
fn has_foreign(folder: &Folder, plan: &[Planned]) -> Result<bool, SinkError> {
    let mut foreign = false;
    for file in plan {
        let path = folder.path.join(&file.name);
        let what = match There::at(&path)? {
            There::Nothing => continue,
            There::Link(target) if target == Path::new(CURRENT).join(&file.name) => continue,
            There::Link(_) => "a link that we did not make",
            There::File => "a file that we did not make",
            There::Folder => "a folder",
            There::Other => "no file",
        };
        if !folder.options.take_over || what == "a folder" || what == "no file" {
            return Err(SinkError::InTheWay { path, what });
        }
        foreign = true;
    }
    Ok(foreign)
}

/// What readers see now, with its mode and group.
fn served(root: &Path, plan: &[Planned]) -> Result<Vec<Planned>, StoreError> {
    let mut served = Vec::new();
    for file in plan {
        let path = root.join(&file.name);
        if let Some(content) = read_file(&path)? {
            let found = fs::metadata(&path).map_err(StoreError::io("read", &path))?;
            let (mode, group) = (found.mode() & 0o777, Some(found.gid()));
            served.push(Planned { name: file.name.clone(), content, mode, group });
        }
    }
    Ok(served)
}

/// Makes a folder with all files; it has its name only once it is whole.
fn add_version(folder: &Folder, plan: &[Planned]) -> Result<PathBuf, StoreError> {
    let name = Path::new(VERSIONS).join(format!("{:016x}", rand::random::<u64>()));
    let path = folder.path.join(&name);
    let unfinished = files::temporary_beside(&path);
    files::make_temporary_folder(&unfinished, folder.folder_mode())?;
    for file in plan {
        file.create_at(&unfinished.join(&file.name))?;
        fail_point::pass("store::sink::dir::file");
    }
    files::sync_folder(&unfinished)?;
    files::rename(&unfinished, &path)?;
    fail_point::pass("store::sink::dir::version");
    Ok(name)
}

/// The moment at which every reader sees the new bundle.
fn flip(root: &Path, version: &Path) -> Result<(), StoreError> {
    put_link(&root.join(CURRENT), version)?;
    files::sync_folder(root)?;
    fail_point::pass("store::sink::dir::flipped");
    Ok(())
}

/// Each link by itself shows the bundle that is there, so that all of them may become durable together.
fn put_links(root: &Path, names: &BTreeSet<String>) -> Result<(), StoreError> {
    let there = links(root)?;
    for name in names.difference(&there) {
        put_link(&root.join(name), &Path::new(CURRENT).join(name))?;
        fail_point::pass("store::sink::dir::linked");
    }
    if names.is_subset(&there) { Ok(()) } else { files::sync_folder(root) }
}

fn put_link(path: &Path, target: &Path) -> Result<(), StoreError> {
    let temporary = files::temporary_beside(path);
    symlink(target, &temporary).map_err(StoreError::io("link", path))?;
    fs::rename(&temporary, path).map_err(StoreError::io("write", path))
}

/// The folder that readers see now, as the link says it.
fn current(root: &Path) -> Result<Option<PathBuf>, SinkError> {
    let path = root.join(CURRENT);
    match There::at(&path)? {
        There::Nothing => Ok(None),
        There::Link(target) => Ok(Some(target)),
        There::File | There::Folder | There::Other => {
            Err(SinkError::InTheWay { path, what: "no link that we made" })
        }
    }
}

/// The names in `root` that are links of ours.
fn links(root: &Path) -> Result<BTreeSet<String>, StoreError> {
    let mut links = BTreeSet::new();
    for name in files::entries(root)? {
        if let There::Link(target) = There::at(&root.join(&name))?
            && target == Path::new(CURRENT).join(&name)
        {
            links.insert(name);
        }
    }
    Ok(links)
}

fn names(plan: &[Planned]) -> BTreeSet<String> {
    plan.iter().map(|file| file.name.clone()).collect()
}

/// Keeps the current version and the one before it, which a reader may still be in.
fn prune(versions: &Path, kept: &[Option<PathBuf>]) -> Result<(), StoreError> {
    for name in files::entries(versions)? {
        let link = Path::new(VERSIONS).join(&name);
        if !kept.iter().flatten().any(|kept| *kept == link) {
            let path = versions.join(&name);
            fs::remove_dir_all(&path).map_err(StoreError::io("remove", &path))?;
        }
    }
    Ok(())
}
