//! Files that are whole or absent, and that nobody else can read or plant.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use dns01_core::fail_point;
use rustix::fs::OFlags;

use crate::StoreError;

/// What a killed writer leaves begins so; the next writer removes it.
const TEMPORARY: &str = ".tmp-";

/// Makes a folder and what is missing above it, whatever the umask; each is durable before something is put into it.
pub(crate) fn make_folder(path: &Path, mode: u32) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    if !parent.is_dir() {
        make_folder(parent, mode)?;
    }
    match make_temporary_folder(path, mode) {
        Err(StoreError::Io { cause, .. }) if cause.kind() == io::ErrorKind::AlreadyExists => {
            return Ok(());
        }
        made => made?,
    }
    fail_point::pass("store::dir::folder");
    sync_folder(parent)
}

/// Makes a folder, whatever the umask, that is durable only once it gets its real name with [`rename`].
pub(crate) fn make_temporary_folder(path: &Path, mode: u32) -> Result<(), StoreError> {
    DirBuilder::new().mode(mode).create(path).map_err(StoreError::io("make folder", path))?;
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(StoreError::io("change the mode of", path))
}

/// Refuses a folder that is none, belongs to another user, or that others can write into.
pub(crate) fn check_folder(path: &Path) -> Result<(), StoreError> {
    let found = fs::metadata(path).map_err(StoreError::io("read", path))?;
    if !found.is_dir() {
        return Err(StoreError::Io {
            act: "use as a folder",
            path: path.to_owned(),
            cause: io::Error::from(io::ErrorKind::NotADirectory),
        });
    }
    check_owner(path, found.uid())?;
    if found.mode() & 0o022 != 0 {
        return Err(StoreError::Unsafe {
            path: path.to_owned(),
            why: format!("its mode {:04o} lets others write into it", found.mode() & 0o7777),
            fix: format!("chmod go-w {}", path.display()),
        });
    }
    Ok(())
}

/// Refuses what belongs to neither us nor root.
pub(crate) fn check_owner(path: &Path, owner: u32) -> Result<(), StoreError> {
    let ours = rustix::process::geteuid().as_raw();
    if owner == ours || owner == 0 {
        return Ok(());
    }
    Err(StoreError::Unsafe {
        path: path.to_owned(),
        why: format!("it belongs to user {owner}, and this process runs as {ours}"),
        fix: format!("chown {ours} {}", path.display()),
    })
}

/// The content of a file that only its owner can read, cut right after `largest` octets; `None` where there is none.
/// A symbolic link is refused.
pub(crate) fn read(path: &Path, largest: usize) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match open_in_place(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(StoreError::Unsafe {
                path: path.to_owned(),
                why: "it is a symbolic link".into(),
                fix: format!("rm {}", path.display()),
            });
        }
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let found = file.metadata().map_err(StoreError::io("read", path))?;
    if !found.is_file() {
        return Err(StoreError::Unsafe {
            path: path.to_owned(),
            why: "it is no file".into(),
            fix: format!("rm -r {}", path.display()),
        });
    }
    check_owner(path, found.uid())?;
    if found.mode() & 0o077 != 0 {
        return Err(StoreError::Unsafe {
            path: path.to_owned(),
            why: format!("its mode {:04o} lets others read or change it", found.mode() & 0o7777),
            fix: format!("chmod 0600 {}", path.display()),
        });
    }
    let mut octets = Vec::new();
    (&file)
        .take(largest as u64 + 1)
        .read_to_end(&mut octets)
        .map_err(StoreError::io("read", path))?;
    Ok(Some(octets))
}

/// Opens for reading without following a symbolic link and without waiting at a pipe.
fn open_in_place(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Puts `octets` at `path`, whole or not at all: a new file beside it, made durable, renamed over it, the folder
/// made durable. `mode` holds from the moment the file exists.
pub(crate) fn replace(path: &Path, octets: &[u8], mode: u32) -> Result<(), StoreError> {
    let temporary = temporary_beside(path);
    let written = create(&temporary, octets, mode, None).and_then(|()| {
        fail_point::pass("store::dir::temporary");
        rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Gives what is at `from` the name `to`, durably, in the same folder or in none that is not durable itself.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("write", to))?;
    fail_point::pass("store::dir::renamed");
    sync_folder(parent_of(to))
}

/// Makes a new file, durable; fails where something is at `path` already. Nobody else can open it before it has its
/// group and its mode.
pub(crate) fn create(
    path: &Path,
    octets: &[u8],
    mode: u32,
    group: Option<u32>,
) -> Result<(), StoreError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .map_err(StoreError::io("write", path))?;
    file.write_all(octets).map_err(StoreError::io("write", path))?;
    if group.is_some() {
        fchown(&file, None, group).map_err(StoreError::io("change the group of", path))?;
    }
    if mode != 0o600 {
        file.set_permissions(Permissions::from_mode(mode))
            .map_err(StoreError::io("change the mode of", path))?;
    }
    file.sync_all().map_err(StoreError::io("write", path))
}

/// Removes a file, durably; done as well where there is none.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(parent_of(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io("remove", path)(error)),
    }
}

/// Removes what killed writers left in `folder`. Only under the lock: what is found then has no writer any more.
pub(crate) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(StoreError::io("read folder", folder))? {
        let entry = entry.map_err(StoreError::io("read folder", folder))?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let path = entry.path();
            let removed = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.map_err(StoreError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// The names in a folder; none where there is no folder.
pub(crate) fn entries(folder: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |cause| StoreError::Io { act: "read folder", path: folder.to_owned(), cause };
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    listing
        .map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// A name beside `path` that nothing has.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    parent_of(path).join(format!("{TEMPORARY}{:016x}", rand::random::<u64>()))
}

/// Makes renames and new names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(StoreError::io("write", folder))
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
