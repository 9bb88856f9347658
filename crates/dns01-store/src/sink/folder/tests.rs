use std::collections::BTreeSet;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dns01_core::{Exit, Explain as _};
use rustix::fs::{Mode, OFlags};

use super::*;
use crate::fixture::{bundle, name};
use dns01_core::{FileNames, FolderLayout, SinkFormat};

const FILES: [&str; 4] = ["cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"];

struct Room {
    folder: tempfile::TempDir,
    options: SinkOptions,
}

fn room(options: SinkOptions) -> Room {
    Room { folder: tempfile::tempdir().unwrap(), options }
}

impl Room {
    fn path(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    /// The folder with the files that readers open.
    fn served(&self) -> PathBuf {
        match self.options.layout {
            FolderLayout::Plain => self.path(),
            FolderLayout::Certbot => self.path().join("live/shop"),
        }
    }

    fn sink(&self) -> Folder {
        Folder::new(&self.path(), &self.options, &name("shop")).unwrap()
    }

    async fn store(&self, bundle: &Bundle) -> Result<Stored, SinkError> {
        self.sink().write(bundle).await
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.served().join(file)).unwrap()
    }

    async fn holds(&self, bundle: &Bundle) -> bool {
        let held = self.sink().held().await.unwrap();
        let key = bundle.key.as_ref().map(PrivateKey::spki_hash);
        held == Some(Held { chain: bundle.chain.clone(), key })
    }
}

fn layouts() -> [SinkOptions; 2] {
    [FolderLayout::Plain, FolderLayout::Certbot]
        .map(|layout| SinkOptions { layout, ..SinkOptions::default() })
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn the_four_files_are_there_and_only_the_owner_can_read_the_key() {
    for options in layouts() {
        let (room, bundle) = (room(options), bundle(1));
        assert!(room.sink().held().await.unwrap().is_none());
        assert!(!room.path().exists(), "reading makes nothing");
        assert_eq!(room.store(&bundle).await.unwrap(), Stored::Written);
        assert!(room.holds(&bundle).await);
        assert_eq!(room.read("cert.pem"), bundle.chain.leaf_pem());
        assert_eq!(room.read("chain.pem"), bundle.chain.issuers_pem());
        assert_eq!(room.read("fullchain.pem"), bundle.chain.pem());
        assert_eq!(room.read("privkey.pem"), bundle.key.as_ref().unwrap().pem().expose());
        assert_eq!(mode(&room.served().join("privkey.pem")), 0o600);
        assert_eq!(mode(&room.path()), 0o700);
    }
}

#[tokio::test]
async fn the_same_bundle_is_not_written_twice_and_damage_is_mended() {
    for options in layouts() {
        let (room, bundle) = (room(options), bundle(1));
        room.store(&bundle).await.unwrap();
        assert_eq!(room.store(&bundle).await.unwrap(), Stored::Unchanged);
        let key = room.served().join("privkey.pem");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(room.store(&bundle).await.unwrap(), Stored::Written);
        assert_eq!(mode(&key), 0o600);
        fs::write(room.served().join("fullchain.pem"), "garbage").unwrap();
        assert!(room.sink().held().await.unwrap().is_none());
        assert_eq!(room.store(&bundle).await.unwrap(), Stored::Written);
        fs::remove_file(room.served().join("cert.pem")).unwrap();
        assert_eq!(room.store(&bundle).await.unwrap(), Stored::Written);
        assert!(room.holds(&bundle).await);
        assert_eq!(room.store(&bundle).await.unwrap(), Stored::Unchanged);
    }
}

#[tokio::test]
async fn a_leaf_is_never_replaced_by_one_with_an_earlier_not_before() {
    for options in layouts() {
        let room = room(options);
        let (old, new) = (bundle(30), bundle(1));
        room.store(&new).await.unwrap();
        let error = room.store(&old).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Conflict, "{error}");
        assert!(room.holds(&new).await);
    }
}

#[tokio::test]
async fn the_version_before_is_kept_and_older_ones_are_not() {
    for options in layouts() {
        let room = room(options);
        for days in [5, 4, 3, 2] {
            room.store(&bundle(days)).await.unwrap();
        }
        let kept = match room.options.layout {
            FolderLayout::Plain => files::entries(&room.path().join(".versions")).unwrap().len(),
            FolderLayout::Certbot => {
                let names = files::entries(&room.path().join("archive/shop")).unwrap();
                assert!(names.contains(&"privkey4.pem".to_owned()), "{names:?}");
                names.iter().filter(|name| name.starts_with("privkey")).count()
            }
        };
        assert_eq!(kept, 2);
    }
}

#[test]
fn a_reader_never_sees_a_mixed_pair() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for options in layouts() {
        let room = room(options);
        let bundles = [bundle(1), bundle(1)];
        runtime.block_on(room.store(&bundles[0])).unwrap();
        let (done, seen) = (AtomicBool::new(false), AtomicU32::new(0));
        let place = match room.options.layout {
            FolderLayout::Plain => room.path().join(".current"),
            FolderLayout::Certbot => room.served(),
        };
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut both = BTreeSet::new();
                while !done.load(Ordering::Relaxed) {
                    let Some((chain, key)) = pair(&place) else { continue };
                    let bundle = bundles.iter().position(|bundle| bundle.chain.pem() == chain);
                    let bundle = bundle.expect("a chain is whole");
                    assert_eq!(key, bundles[bundle].key.as_ref().unwrap().pem().expose());
                    both.insert(bundle);
                    seen.fetch_add(1, Ordering::Relaxed);
                }
                assert_eq!(both.len(), 2);
            });
            let flips: Vec<_> =
                (1..=200).map(|flip| runtime.block_on(room.store(&bundles[flip % 2]))).collect();
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
            assert!(flips.iter().all(|flip| matches!(flip, Ok(Stored::Written))), "{flips:?}");
        });
        assert!(seen.into_inner() > 200);
    }
}

/// Chain and key as a reader gets them that opens the folder once; `None` where that folder is gone by then.
fn pair(place: &Path) -> Option<(String, String)> {
    let folder = rustix::fs::open(place, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).ok()?;
    let read = |name: &str| {
        let file = rustix::fs::openat(folder.as_fd(), name, OFlags::RDONLY, Mode::empty()).ok()?;
        let mut text = String::new();
        fs::File::from(file).read_to_string(&mut text).unwrap();
        Some(text)
    };
    Some((read("fullchain.pem")?, read("privkey.pem")?))
}

#[tokio::test]
async fn mode_group_names_and_the_combined_file_are_as_asked() {
    let room = room(SinkOptions {
        key_mode: Some(0o640),
        group: Some(rustix::process::getegid().as_raw().to_string()),
        formats: BTreeSet::from([SinkFormat::CombinedPem]),
        files: FileNames { key: "shop.key".into(), ..FileNames::default() },
        ..SinkOptions::default()
    });
    let bundle = bundle(1);
    room.store(&bundle).await.unwrap();
    assert!(room.holds(&bundle).await);
    for file in ["shop.key", "combined.pem"] {
        assert_eq!(mode(&room.path().join(file)), 0o640);
        assert!(room.read(file).starts_with("-----BEGIN PRIVATE KEY"));
    }
    assert!(room.read("combined.pem").ends_with(&bundle.chain.pem()));
    assert!(!room.path().join("privkey.pem").exists());
    assert_eq!(mode(&room.path()), 0o755);

    let renamed = Room { folder: room.folder, options: SinkOptions::default() };
    renamed.store(&bundle).await.unwrap();
    assert!(
        There::at(&renamed.path().join("shop.key"))
            .is_ok_and(|there| matches!(there, There::Nothing))
    );
    assert!(renamed.holds(&bundle).await);
}

#[tokio::test]
async fn a_chain_without_key_takes_the_old_key_away() {
    for options in layouts() {
        let room = room(options);
        room.store(&bundle(2)).await.unwrap();
        let keyless = Bundle { key: None, ..bundle(1) };
        room.store(&keyless).await.unwrap();
        assert!(room.holds(&keyless).await);
        assert!(fs::symlink_metadata(room.served().join("privkey.pem")).is_err());
        assert_eq!(room.store(&keyless).await.unwrap(), Stored::Unchanged);
    }
}

#[tokio::test]
async fn what_somebody_else_put_there_is_refused_unless_taken_over() {
    for options in layouts() {
        for is_link in [false, true] {
            let mut room = room(options.clone());
            fs::create_dir_all(room.served()).unwrap();
            for file in FILES {
                let path = room.served().join(file);
                if is_link {
                    symlink("/dev/null", path).unwrap();
                } else {
                    fs::write(path, file).unwrap();
                }
            }
            let error = room.store(&bundle(1)).await.unwrap_err();
            assert_eq!(error.exit(), Exit::Conflict, "{error}");
            assert!(error.hint().unwrap().contains("--take-over"));
            assert!(is_link || FILES.iter().all(|file| room.read(file) == *file));

            room.options.take_over = true;
            let ours = bundle(1);
            room.store(&ours).await.unwrap();
            assert!(room.holds(&ours).await);
            room.options.take_over = false;
            assert_eq!(room.store(&ours).await.unwrap(), Stored::Unchanged);
        }
    }
}

#[tokio::test]
async fn a_folder_in_the_way_is_never_removed() {
    let room = room(SinkOptions { take_over: true, ..SinkOptions::default() });
    let path = room.path().join("privkey.pem");
    fs::create_dir_all(&path).unwrap();
    let error = room.store(&bundle(1)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Conflict, "{error}");
    assert!(error.hint().unwrap().contains("move"));
    assert!(path.is_dir());
}

#[tokio::test]
async fn what_certbot_renews_is_refused_unless_taken_over() {
    let options = SinkOptions { layout: FolderLayout::Certbot, ..SinkOptions::default() };
    let mut room = room(options);
    fs::create_dir_all(room.path().join("renewal")).unwrap();
    fs::write(room.path().join("renewal/shop.conf"), "").unwrap();
    let error = room.store(&bundle(1)).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Conflict, "{error}");
    room.options.take_over = true;
    room.store(&bundle(1)).await.unwrap();
}

#[tokio::test]
async fn what_a_killed_run_left_is_removed() {
    for options in layouts() {
        let (room, old, new) = (room(options), bundle(2), bundle(1));
        room.store(&old).await.unwrap();
        let half = match room.options.layout {
            FolderLayout::Plain => room.path().join(".versions/.tmp-0123/fullchain.pem"),
            FolderLayout::Certbot => room.path().join("live/.shop.new/fullchain.pem"),
        };
        fs::create_dir_all(half.parent().unwrap()).unwrap();
        fs::write(&half, "half").unwrap();
        if room.options.layout == FolderLayout::Certbot {
            fs::write(room.path().join("archive/shop/fullchain2.pem"), "half").unwrap();
        }
        room.store(&new).await.unwrap();
        assert!(!half.exists() && room.holds(&new).await);
    }
}

#[test]
fn groups_are_found_by_name_and_number() {
    assert_eq!(group_id("root").unwrap(), 0);
    assert_eq!(group_id("1234").unwrap(), 1234);
    assert_eq!(group_id("no-such-group").unwrap_err().exit(), Exit::Config);
}
