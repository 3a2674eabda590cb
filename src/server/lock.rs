//! One `serve` a store: a lock on a file beside it, which the system gives back when the process ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::OFlags;

use crate::store::{FILE_MODE, folder_of, give_to_owner};

/// Held for as long as the process serves.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a store, or says which process has it. By whichever path the store is named, it is the same lock.
pub fn take(store: &Path) -> anyhow::Result<Lock> {
    let store = &real(store).with_context(|| format!("{}: can't be looked for", store.display()))?;
    let mut path = store.as_os_str().to_owned();
    path.push(".serving");
    let path = Path::new(&path);
    let mut file = open(store, path)
        .with_context(|| format!("{}: can't be written; remove it where nothing serves the store", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // Who it is is only for whom it refuses: on a full disk it is held without.
            let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = (&mut file).take(20).read_to_string(&mut holder);
            bail!("{} is served by process {holder} already; stop that one first", store.display());
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("{}: can't be locked", path.display())),
    }
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

/// Opens the file of the lock. Root takes it too, in a folder that the service may write: so nothing is followed or
/// emptied that is not a file of this one name, and one that root makes is the service's.
fn open(store: &Path, path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(flags).mode(FILE_MODE);
    match options.clone().create_new(true).open(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        made => {
            let made = made?;
            give_to_owner(&made, if store.exists() { store } else { folder_of(store) })?;
            made.set_permissions(fs::Permissions::from_mode(FILE_MODE))?;
            return Ok(made);
        }
    }
    let file = options.open(path)?;
    let is = file.metadata()?;
    if is.is_file() && is.nlink() == 1 { Ok(file) } else { Err(io::Error::other("it is no file of its own")) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    #[test]
    fn a_store_is_served_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("switchhook.db");
        let first = take(&store).expect("the lock");
        let refused = take(&store).expect_err("taken").to_string();
        assert!(refused.contains(&format!("process {} already", std::process::id())), "{refused}");
        drop(first);
        take(&store).expect("free again");
    }

    #[test]
    fn a_store_is_served_once_by_whichever_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let [store, link, other] = ["switchhook.db", "link.db", "other"].map(|name| folder.path().join(name));
        fs::write(&store, "").expect("written");
        symlink(&store, &link).expect("linked");
        symlink(folder.path(), &other).expect("linked");
        let _first = take(&store).expect("the lock");
        for path in [link, other.join("switchhook.db"), folder.path().join("./switchhook.db")] {
            take(&path).expect_err("taken");
        }
    }

    #[test]
    fn no_other_file_is_emptied() {
        for link in [|of: &Path, to: &Path| symlink(of, to), |of: &Path, to: &Path| fs::hard_link(of, to)] {
            let folder = tempfile::tempdir().expect("a folder");
            let [store, victim] = ["switchhook.db", "victim"].map(|name| folder.path().join(name));
            fs::write(&victim, "what matters").expect("written");
            link(&victim, &folder.path().join("switchhook.db.serving")).expect("linked");
            let refused = format!("{:#}", take(&store).expect_err("no file of its own"));
            assert!(refused.contains("switchhook.db.serving: can't be written"), "{refused}");
            assert_eq!(fs::read_to_string(&victim).expect("text"), "what matters");
        }
    }

    #[test]
    fn what_root_makes_is_the_service_s() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("switchhook.db");
        fs::write(&store, "").expect("written");
        if fs::metadata(&store).expect("it is there").uid() != 0 {
            return;
        }
        chown(&store, Some(12_345), Some(12_346)).expect("root may");
        take(&store).expect("the lock");
        let made = fs::metadata(folder.path().join("switchhook.db.serving")).expect("it is there");
        assert_eq!((made.uid(), made.gid(), made.mode() & 0o777), (12_345, 12_346, 0o660));
    }
}
