//! Putting a backup in the store's place, while nobody serves.
//!
//! ```text
//! verify ─► copy beside the store ─► what was open in it is ended ─► fsync ─► old store linked aside ─► rename
//! ```
//! Until the rename the old store stands; after it the new one does. The old one is never deleted.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::backup::{BackupError, blocking, examine, remove_if_there, sync_folder};
use crate::access::Context;
use crate::model::Wall;
use crate::store::{Backup, FILE_MODE, Store, StoreError, StoreOptions, backup_file, file_time, parse_file_time};

/// What belongs to a store's file besides it, by the ending of its name.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Names that are tried for the old store; more restores in one second are refused.
const NAMES_MAX: u32 = 20;

/// What a restore has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup that is the store now.
    pub backup: Backup,
    /// Where the store is that was there before; `None` where there was none.
    pub kept_aside: Option<PathBuf>,
}

/// Makes backup `id` the store. The caller holds the store's lock, so that nobody serves it or will meanwhile.
///
/// A store that can't be opened any more is no hindrance: the backup is found by its number in the names of the files.
///
/// # Errors
/// The backup is not whole, something still has the store open, or files can't be written; the store is as it was.
pub async fn restore(options: &StoreOptions, folder: &Path, now: Wall, id: i64) -> Result<Restored, BackupError> {
    let known = match Store::open(StoreOptions { pin_workers: 1, ..options.clone() }).await {
        Ok(store) => {
            let known = store.all_backups().await;
            store.close().await;
            known.unwrap_or_default()
        }
        Err(_) => Vec::new(),
    };
    let mut known = with_strays(folder, known, now).await?;
    let chosen = known.iter_mut().find(|backup| backup.id == id && backup.deleted_at.is_none());
    let chosen = chosen.ok_or(BackupError::Unknown(id))?;
    let file = folder.join(&chosen.file);
    examine(&file, id, Some(&chosen.sha256)).await?;
    chosen.verified_at = Some(now);
    let chosen = chosen.clone();

    let copy = beside(&options.path, ".restoring");
    let prepared = prepare(options, &file, &copy, now, &chosen, &known).await;
    let swapped = match prepared {
        Ok(()) => swap(&options.path, &copy, now).await,
        Err(error) => Err(error),
    };
    if swapped.is_err() {
        let left = copy.clone();
        // Best effort: the next restore begins with the same.
        let _ = blocking(&copy, move || remove_store(&left)).await;
    }
    Ok(Restored { backup: chosen, kept_aside: swapped? })
}

/// The backups that there are rows of, and those of which only the file is there.
async fn with_strays(folder: &Path, mut known: Vec<Backup>, now: Wall) -> Result<Vec<Backup>, BackupError> {
    let listed = folder.to_owned();
    let names = blocking(folder, move || names_in(&listed)).await?;
    for name in names {
        let Some((at, id)) = parse_name(&name) else { continue };
        if known.iter().any(|backup| backup.id == id) {
            continue;
        }
        // One that is no store is none to choose from.
        if let Ok((bytes, sha256)) = examine(&folder.join(&name), id, None).await {
            let verified_at = Some(now);
            known.push(Backup { id, at, file: name, bytes, sha256, verified_at, deleted_at: None });
        }
    }
    Ok(known)
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names: io::Result<Vec<OsString>> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let mut names: Vec<String> = names?.into_iter().filter_map(|name| name.into_string().ok()).collect();
    // The newest first, as the first of a number counts.
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// The time and the number in the name of a backup's file.
fn parse_name(name: &str) -> Option<(Wall, i64)> {
    let (time, id) = name.strip_prefix("switchhook-")?.strip_suffix(".db")?.split_once("Z-")?;
    let (at, id) = (parse_file_time(time)?, id.parse().ok()?);
    (backup_file(at, id) == name).then_some((at, id))
}

/// Copies the backup beside the store and makes it fit to be the store.
async fn prepare(
    options: &StoreOptions,
    file: &Path,
    copy: &Path,
    now: Wall,
    chosen: &Backup,
    known: &[Backup],
) -> Result<(), BackupError> {
    let (from, to, store) = (file.to_owned(), copy.to_owned(), options.path.clone());
    blocking(copy, move || copy_file(&from, &to, &store)).await?;
    let store = Store::open(StoreOptions { path: copy.to_owned(), pin_workers: 1, ..options.clone() }).await?;
    let ctx = Context {
        now,
        site: store.site(),
        source: "cli".to_owned(),
        caller: None,
        call: None,
        other_calls: 0,
        is_private: false,
    };
    let settled = store.settle_restored(&ctx, chosen, known).await;
    store.close().await;
    settled?;
    Store::fold(copy).await?;
    let written = copy.to_owned();
    blocking(copy, move || File::open(written)?.sync_all()).await
}

/// A new file with the owner and the rights of the store that is there.
fn copy_file(from: &Path, to: &Path, store: &Path) -> io::Result<()> {
    remove_store(to)?;
    let mut source = File::open(from)?;
    let mut target = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(to)?;
    io::copy(&mut source, &mut target)?;
    if let Ok(store) = fs::metadata(store) {
        let made = target.metadata()?;
        if (made.uid(), made.gid()) != (store.uid(), store.gid()) {
            chown(to, Some(store.uid()), Some(store.gid()))?;
        }
        target.set_permissions(store.permissions())?;
    }
    target.sync_all()
}

/// Keeps the old store aside and puts the new one in its place.
async fn swap(path: &Path, copy: &Path, now: Wall) -> Result<Option<PathBuf>, BackupError> {
    let aside = free_name(&beside(path, &format!(".before-restore-{}Z", file_time(now))));
    let is_whole = match Store::fold(path).await {
        Ok(()) => true,
        Err(error @ (StoreError::Busy | StoreError::NoAccess { .. } | StoreError::ReadOnly | StoreError::Full)) => {
            // A missing file can't be opened either.
            if path.exists() {
                return Err(error.into());
            }
            false
        }
        // It is beyond reading: it is kept as it is.
        Err(_) => false,
    };
    let (path, copy, kept) = (path.to_owned(), copy.to_owned(), aside.clone());
    let was_there = blocking(&aside, move || {
        let was_there = path.exists();
        if is_whole {
            keep_whole(&path, &kept)?;
        } else {
            keep_as_it_is(&path, &kept)?;
        }
        if let Err(why) = fs::rename(&copy, &path) {
            if !path.exists() {
                // Nothing to put back where there was no store.
                let _ = fs::rename(&kept, &path);
            }
            return Err(why);
        }
        sync_folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        Ok(was_there)
    })
    .await?;
    Ok(was_there.then_some(aside))
}

/// This name, or the first one like it that no file has.
fn free_name(name: &Path) -> PathBuf {
    let mut free = name.to_owned();
    for number in 2..=NAMES_MAX {
        if !free.exists() {
            break;
        }
        free = beside(name, &format!("-{number}"));
    }
    free
}

/// A second name, so that there is a store at every moment; where a file has one name only, it is moved.
fn keep_whole(path: &Path, aside: &Path) -> io::Result<()> {
    // A log that is there again would be taken for the new store's.
    if COMPANIONS.iter().any(|ending| beside(path, ending).exists()) {
        return Err(io::Error::other("another process has opened the store meanwhile"));
    }
    match fs::hard_link(path, aside) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Err(why),
        Err(_) => fs::rename(path, aside),
        Ok(()) => Ok(()),
    }
}

/// A log that was not folded in must not be taken for the new store's: it goes aside with its file, before it.
fn keep_as_it_is(path: &Path, aside: &Path) -> io::Result<()> {
    if aside.exists() {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists));
    }
    for ending in COMPANIONS.into_iter().chain([""]) {
        match fs::rename(beside(path, ending), beside(aside, ending)) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Takes a store's file away with all that belongs to it.
fn remove_store(path: &Path) -> io::Result<()> {
    COMPANIONS.into_iter().chain([""]).try_for_each(|ending| remove_if_there(&beside(path, ending)))
}

/// The same path with a longer name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut longer = path.as_os_str().to_owned();
    longer.push(ending);
    PathBuf::from(longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_backups() {
        let name = "switchhook-20260301T233000Z-12.db";
        assert_eq!(parse_name(name), Some((Wall(1_772_407_800_000), 12)));
        for other in [
            "switchhook.db",
            "switchhook-20260301T233000Z-012.db",
            "switchhook-20260301T233000Z-.db",
            "switchhook-20260231T233000Z-12.db",
            ".switchhook-20260301T233000Z-12.db.tmp",
            "switchhook-20260301T233000Z-12.db-journal",
        ] {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }
}
