//! Putting a backup in the store's place, while nobody serves.
//!
//! ```text
//! copy beside the store ─► verify the copy ─► what was open in it is ended ─► fsync ─► old store linked aside ─► rename
//! ```
//! Until the rename the old store stands; after it the new one does. The old one is never deleted.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::backup::{BackupError, blocking, examine, file_of, open_regular, remove_if_there, sync_folder};
use super::owner::must_be_ours;
use crate::access::Context;
use crate::model::Wall;
use crate::store::{
    Backup, FILE_MODE, Given, Opened, Serving, Store, StoreError, StoreOptions, file_time, parse_backup_file,
};

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

/// Makes backup `id` the store, while nobody serves it and no verb has it open.
///
/// A store that can't be opened any more is no hindrance: the backup is found by its number in the names of the files.
///
/// # Errors
/// The backup is not whole, something still has the store open, or files can't be written; the store is as it was.
pub async fn restore(options: &StoreOptions, folder: &Path, now: Wall, id: i64) -> Result<Restored, BackupError> {
    must_be_ours(&options.path)?;
    let serving = Serving::take(&options.path)?;
    let _alone = Opened::alone(&options.path).await?;
    let known = match Store::open_alone(StoreOptions { pin_workers: 1, ..options.clone() }, &serving).await {
        Ok(store) => {
            let known = store.all_backups().await;
            store.close().await;
            known.unwrap_or_default()
        }
        Err(_) => Vec::new(),
    };
    let given = Store::given(&options.path).await.ok();
    let mut known = with_strays(folder, known, now).await?;
    let chosen = known.iter_mut().find(|backup| backup.id == id && backup.deleted_at.is_none());
    let chosen = chosen.ok_or(BackupError::Unknown(id))?;
    let file = file_of(folder, id, &chosen.file)?;
    chosen.verified_at = Some(now);
    let chosen = chosen.clone();

    let copy = beside(&options.path, ".restoring");
    let settled = Settled { from: &chosen, known: &known, given: given.as_ref() };
    let prepared = prepare(options, &file, &copy, now, settled, &serving).await;
    let swapped = match prepared {
        Ok(()) => swap(&options.path, &copy, now, given.as_ref()).await,
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
    known.retain(|backup| file_of(folder, backup.id, &backup.file).is_ok());
    let listed = folder.to_owned();
    let names = blocking(folder, move || names_in(&listed)).await?;
    for name in names {
        let Some((at, id)) = parse_backup_file(&name) else { continue };
        if known.iter().any(|backup| backup.id == id) {
            continue;
        }
        // One that is no store is none to choose from.
        let file = folder.join(&name);
        if let Ok((bytes, sha256)) = examine(&file, &file, id, None).await {
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

/// What the copy has to know before it is the store.
struct Settled<'a> {
    /// The backup that it is.
    from: &'a Backup,
    /// All that there are.
    known: &'a [Backup],
    /// What the store before it has given out; `None` where that can't be read.
    given: Option<&'a Given>,
}

/// Copies the backup beside the store, looks whether the copy is whole, and makes it fit to be the store. The backup itself
/// is opened once: what is under its name later is nobody's business.
async fn prepare(
    options: &StoreOptions,
    file: &Path,
    copy: &Path,
    now: Wall,
    settled: Settled<'_>,
    serving: &Serving,
) -> Result<(), BackupError> {
    let id = settled.from.id;
    let from = file.to_owned();
    let source = blocking(file, move || open_regular(&from)).await.map_err(|error| error.or_gone(id))?;
    let (to, store) = (copy.to_owned(), options.path.clone());
    blocking(copy, move || copy_file(source, &to, &store)).await?;
    examine(copy, file, id, Some(&settled.from.sha256)).await?;
    let store =
        Store::open_alone(StoreOptions { path: copy.to_owned(), pin_workers: 1, ..options.clone() }, serving).await?;
    let ctx = Context::without_call(now, store.site(), "cli");
    let settled = store.settle_restored(&ctx, settled.from, settled.known, settled.given).await;
    store.close().await;
    settled?;
    Store::fold(copy).await?;
    let written = copy.to_owned();
    blocking(copy, move || File::open(written)?.sync_all()).await
}

/// A new file with the owner and the rights of the store that is there.
fn copy_file(mut source: File, to: &Path, store: &Path) -> io::Result<()> {
    remove_store(to)?;
    let mut target = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(to)?;
    io::copy(&mut source, &mut target)?;
    dress(&target, store)?;
    target.sync_all()
}

/// Gives an open file the owner and the rights of the store, as far as a store has them. Never by its name: who may write
/// the folder might have put a link to any other file in its place meanwhile. What is no file is no model.
fn dress(target: &File, store: &Path) -> io::Result<()> {
    let Some(like) = fs::symlink_metadata(store).ok().filter(fs::Metadata::is_file) else {
        return target.set_permissions(fs::Permissions::from_mode(FILE_MODE));
    };
    let made = target.metadata()?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        fchown(target, Some(like.uid()), Some(like.gid()))?;
    }
    target.set_permissions(fs::Permissions::from_mode(like.mode() & FILE_MODE))
}

/// Keeps the old store aside and puts the new one in its place.
async fn swap(path: &Path, copy: &Path, now: Wall, given: Option<&Given>) -> Result<Option<PathBuf>, BackupError> {
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
    // What was written since would have its numbers given again.
    if is_whole && Store::given(path).await.ok().as_ref() != given {
        return Err(StoreError::Busy.into());
    }
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
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_in_the_place_of_the_copy_gets_no_owner_and_no_rights() {
        let folder = tempfile::tempdir().expect("a folder");
        let [store, copy, victim] = ["switchhook.db", "copy", "victim"].map(|name| folder.path().join(name));
        for path in [&store, &victim] {
            fs::write(path, "").expect("written");
        }
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).expect("rights");
        fs::set_permissions(&store, fs::Permissions::from_mode(0o660)).expect("rights");
        let is_root = folder.path().metadata().expect("it is there").uid() == 0;
        let owner = if is_root { 12_345 } else { folder.path().metadata().expect("it is there").uid() };
        if is_root {
            std::os::unix::fs::chown(&store, Some(owner), Some(owner)).expect("root may");
        }
        let target = File::create_new(&copy).expect("made");
        fs::rename(&copy, folder.path().join("taken")).expect("renamed");
        symlink(&victim, &copy).expect("linked");
        let before = fs::metadata(&victim).expect("it is there");
        dress(&target, &store).expect("dressed");
        let (made, after) = (target.metadata().expect("open"), fs::metadata(&victim).expect("it is there"));
        assert_eq!((made.uid(), made.mode() & 0o777), (owner, 0o660));
        assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()));
    }

    #[test]
    fn the_copy_has_no_rights_that_a_store_has_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let [store, other, link] = ["switchhook.db", "other", "link"].map(|name| folder.path().join(name));
        let rights = |path: &Path, mode: u32| {
            fs::write(path, "").expect("written");
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("rights");
        };
        rights(&store, 0o6777);
        rights(&other, 0o600);
        symlink(&other, &link).expect("linked");
        for (like, mode) in [(&store, 0o660), (&other, 0o600), (&link, 0o660), (&folder.path().join("none"), 0o660)] {
            let copy = folder.path().join("copy");
            let target = File::create_new(&copy).expect("made");
            dress(&target, like).expect("dressed");
            assert_eq!(target.metadata().expect("open").mode() & 0o7777, mode, "{}", like.display());
            fs::remove_file(copy).expect("removed");
        }
    }

    #[tokio::test]
    async fn a_store_that_was_written_since_it_was_looked_at_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, copy] = ["switchhook.db", "copy"].map(|name| folder.path().join(name));
        fs::write(&copy, "the backup").expect("written");
        let options = StoreOptions::new(&path);
        Store::create(options.clone()).await.expect("a store").close().await;
        let before = Store::given(&path).await.expect("numbers");
        let store = Store::open(options).await.expect("the store");
        let ctx = Context::without_call(Wall(0), store.site(), "cli");
        store.begin_backup(&ctx, None).await.expect("a number is given");
        store.close().await;
        let refused = swap(&path, &copy, Wall(0), Some(&before)).await;
        assert!(matches!(refused, Err(BackupError::Store(StoreError::Busy))), "{refused:?}");
        assert!(Store::given(&path).await.is_ok_and(|now| now != before), "it is still there");
        let now = Store::given(&path).await.expect("numbers");
        swap(&path, &copy, Wall(0), Some(&now)).await.expect("nobody has written since");
        assert_eq!(fs::read_to_string(&path).expect("text"), "the backup");
    }
    #[tokio::test]
    async fn twenty_restores_of_one_second_keep_the_store_aside_and_one_more_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, copy] = ["switchhook.db", "copy"].map(|name| folder.path().join(name));
        Store::create(StoreOptions::new(&path)).await.expect("a store").close().await;
        let given = Store::given(&path).await.expect("numbers");
        let aside = beside(&path, ".before-restore-19700101T000000Z");
        for earlier in std::iter::once(aside.clone()).chain((2..=19).map(|n| beside(&aside, &format!("-{n}")))) {
            fs::write(earlier, "the store of an earlier restore").expect("written");
        }
        fs::copy(&path, &copy).expect("a backup");
        let kept = swap(&path, &copy, Wall(0), Some(&given)).await.expect("kept aside");
        assert_eq!(kept, Some(beside(&aside, "-20")));
        fs::copy(&path, &copy).expect("a backup");
        let refused = swap(&path, &copy, Wall(0), Some(&given)).await;
        let why = refused.expect_err("one more").to_string();
        assert!(why.contains(".before-restore-19700101T000000Z-20: File exists"), "{why}");
        assert!(Store::given(&path).await.is_ok_and(|now| now == given), "the store stays");
        swap(&path, &copy, Wall(1000), Some(&given)).await.expect("a second later");
    }
}
