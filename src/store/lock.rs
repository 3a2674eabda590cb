//! Who has a store: locks on two files beside it, which the system gives back when their process ends, however it ends.
//!
//! ```text
//!                               X.serving    X.opened
//! serve                         alone
//! a restore                     alone        alone
//! a verb                                     with other verbs
//! a verb that finds an older
//! schema, for the migration     alone        with other verbs
//! ```
//! Only whoever could serve the store brings it up to date: a process that serves it already knows the old schema.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use super::error::StoreError;
use super::open::{FILE_MODE, folder_of, give_to_owner};

/// How often a lock is tried that others give back soon: for 5 s.
const TRIES_MAX: u32 = 250;
/// From one try to the next.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The lock of the one process that serves a store, restores it or brings its schema up to date; given back when it is
/// dropped.
#[derive(Debug)]
pub struct Serving {
    _file: File,
}

impl Serving {
    /// Takes it, or says at once which process has it. By whichever path the store is named, it is the same lock.
    ///
    /// # Errors
    /// Another process has it, or its file can't be made or is none of its own.
    pub fn take(store: &Path) -> Result<Self, StoreError> {
        let (store, path) = beside(store, ".serving")?;
        let mut file = open(&store, &path).map_err(|why| unusable(&path, &why))?;
        match file.try_lock() {
            Ok(()) => {
                // Who it is is only for whom it refuses: on a full disk it is held without.
                let _ =
                    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = (&mut file).take(20).read_to_string(&mut holder);
                Err(StoreError::Served { path: store, holder })
            }
            Err(TryLockError::Error(why)) => Err(unusable(&path, &why)),
        }
    }
}

/// The lock of who has a store open, beside others or, for a restore, alone; given back when it is dropped.
#[derive(Debug)]
pub struct Opened {
    _file: File,
}

impl Opened {
    /// Takes it beside others. A restore is waited for, at most 5 s.
    ///
    /// # Errors
    /// The store is still being restored, or the lock's file is none of its own.
    pub(super) async fn beside_others(store: &Path) -> Result<Option<Self>, StoreError> {
        let (store, path) = beside(store, ".opened")?;
        let file = match open(&store, &path).or_else(|why| open_to_read(&path).map_err(|_| why)) {
            Ok(file) => file,
            // Who may make nothing there writes nothing to the store, and is in no restore's way.
            Err(why) if may_make_nothing(&why) => return Ok(None),
            Err(why) => return Err(unusable(&path, &why)),
        };
        if tried(&file, File::try_lock_shared).await.map_err(|why| unusable(&path, &why))? {
            Ok(Some(Self { _file: file }))
        } else {
            Err(StoreError::Restoring(store))
        }
    }

    /// Takes it alone. Who has the store open is waited for, at most 5 s.
    ///
    /// # Errors
    /// Somebody still has it open, or the lock's file can't be made or is none of its own.
    pub async fn alone(store: &Path) -> Result<Self, StoreError> {
        let (store, path) = beside(store, ".opened")?;
        let file = open(&store, &path).map_err(|why| unusable(&path, &why))?;
        if tried(&file, File::try_lock).await.map_err(|why| unusable(&path, &why))? {
            Ok(Self { _file: file })
        } else {
            Err(StoreError::Opened(store))
        }
    }
}

/// Whether the lock was to be had in so many tries.
async fn tried(file: &File, lock: impl Fn(&File) -> Result<(), TryLockError>) -> io::Result<bool> {
    for _ in 0..TRIES_MAX {
        match lock(file) {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_TRIES).await,
            Err(TryLockError::Error(why)) => return Err(why),
        }
    }
    Ok(false)
}

/// The store's path without links, and that of a file beside it.
fn beside(store: &Path, ending: &str) -> Result<(PathBuf, PathBuf), StoreError> {
    let real = real(store).map_err(|why| StoreError::NoAccess { path: store.to_owned(), why: why.to_string() })?;
    let mut path = real.as_os_str().to_owned();
    path.push(ending);
    Ok((real, PathBuf::from(path)))
}

/// The path without links; the store itself may not be there yet.
fn real(store: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(store) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let name = store.file_name().unwrap_or_default();
            Ok(fs::canonicalize(folder_of(store))?.join(name))
        }
        found => found,
    }
}

fn unusable(path: &Path, why: &io::Error) -> StoreError {
    StoreError::NoLock { path: path.to_owned(), why: why.to_string() }
}

fn may_make_nothing(why: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(why.kind(), PermissionDenied | ReadOnlyFilesystem | StorageFull | QuotaExceeded)
}

/// Opens the file of a lock. Root takes it too, in a folder that the service may write: so nothing is followed or
/// emptied that is not a file of this one name, and one that root makes is the service's.
fn open(store: &Path, path: &Path) -> io::Result<File> {
    let mut options = no_other_file();
    options.write(true).mode(FILE_MODE);
    match options.clone().create_new(true).open(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        made => {
            let made = made?;
            give_to_owner(&made, if store.exists() { store } else { folder_of(store) })?;
            made.set_permissions(fs::Permissions::from_mode(FILE_MODE))?;
            return Ok(made);
        }
    }
    of_its_own(options.open(path)?)
}

/// For who may read the store and not write it: a lock needs no more.
fn open_to_read(path: &Path) -> io::Result<File> {
    of_its_own(no_other_file().open(path)?)
}

fn no_other_file() -> OpenOptions {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags);
    options
}

fn of_its_own(file: File) -> io::Result<File> {
    let is = file.metadata()?;
    if is.is_file() && is.nlink() == 1 { Ok(file) } else { Err(io::Error::other("it is no file of its own")) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    /// The folder and a store in it, which is only a name.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("switchhook.db");
        (folder, store)
    }

    #[test]
    fn a_store_is_served_once() {
        let (_folder, store) = folder();
        let first = Serving::take(&store).expect("the lock");
        let refused = Serving::take(&store).expect_err("taken").to_string();
        assert!(refused.contains(&format!("process {} already", std::process::id())), "{refused}");
        drop(first);
        Serving::take(&store).expect("free again");
    }

    #[test]
    fn a_store_is_served_once_by_whichever_path() {
        let (folder, store) = folder();
        let [link, other] = ["link.db", "other"].map(|name| folder.path().join(name));
        fs::write(&store, "").expect("written");
        symlink(&store, &link).expect("linked");
        symlink(folder.path(), &other).expect("linked");
        let _first = Serving::take(&store).expect("the lock");
        for path in [link, other.join("switchhook.db"), folder.path().join("./switchhook.db")] {
            Serving::take(&path).expect_err("taken");
        }
    }

    #[tokio::test]
    async fn who_has_the_store_open_shares_it_with_all_but_a_restore() {
        let (_folder, store) = folder();
        let first = Opened::beside_others(&store).await.expect("the lock");
        let second = Opened::beside_others(&store).await.expect("the lock");
        let refused = Opened::alone(&store).await.expect_err("it is open");
        assert!(matches!(refused, StoreError::Opened(_)), "{refused}");
        // Whoever ends meanwhile is waited for.
        let (alone, ()) = tokio::join!(Opened::alone(&store), async {
            tokio::time::sleep(BETWEEN_TRIES).await;
            drop((first, second));
        });
        let alone = alone.expect("free by then");
        let refused = Opened::beside_others(&store).await.expect_err("it is being restored");
        assert!(matches!(refused, StoreError::Restoring(_)), "{refused}");
        drop(alone);
        Opened::beside_others(&store).await.expect("free again").expect("with a lock");
    }

    #[tokio::test]
    async fn no_other_file_is_emptied() {
        for link in [|of: &Path, to: &Path| symlink(of, to), |of: &Path, to: &Path| fs::hard_link(of, to)] {
            let (folder, store) = folder();
            let victim = folder.path().join("victim");
            fs::write(&victim, "what matters").expect("written");
            for name in ["switchhook.db.serving", "switchhook.db.opened"] {
                link(&victim, &folder.path().join(name)).expect("linked");
            }
            let refused = Serving::take(&store).expect_err("no file of its own").to_string();
            assert!(refused.contains("switchhook.db.serving can't be used as a lock"), "{refused}");
            let refused = Opened::beside_others(&store).await.expect_err("no file of its own").to_string();
            assert!(refused.contains("switchhook.db.opened can't be used as a lock"), "{refused}");
            Opened::alone(&store).await.expect_err("no file of its own");
            assert_eq!(fs::read_to_string(&victim).expect("text"), "what matters");
        }
    }

    #[tokio::test]
    async fn what_root_makes_is_the_service_s() {
        let (folder, store) = folder();
        fs::write(&store, "").expect("written");
        if fs::metadata(&store).expect("it is there").uid() != 0 {
            return;
        }
        chown(&store, Some(12_345), Some(12_346)).expect("root may");
        Serving::take(&store).expect("the lock");
        Opened::beside_others(&store).await.expect("the lock");
        for name in ["switchhook.db.serving", "switchhook.db.opened"] {
            let made = fs::metadata(folder.path().join(name)).expect("it is there");
            assert_eq!((made.uid(), made.gid(), made.mode() & 0o777), (12_345, 12_346, 0o660), "{name}");
        }
    }
}
