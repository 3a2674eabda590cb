//! Backups: the whole store in one file, read again from end to end before it counts.
//!
//! ```text
//! row ─► copy under a temporary name ─► fsync ─► sha256, integrity_check ─► rename ─► fsync of the folder ─► row done
//! ```
//! A file under its final name is whole. Calls go on meanwhile: the copy is read beside them. Only the last good ones
//! are kept, and nothing is ever deleted but files that have a row and the name that goes with its number: whoever writes
//! rows of his own into the store has no other file read or deleted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::owner::must_be_ours;
#[doc(inline)]
pub use super::restore::{Restored, restore};
use super::{POLL, Runner};
use crate::access::Context;
use crate::store::{Backup, BackupRow, Begun, Store, StoreError, make_folder, parse_backup_file};

/// Bytes read at once for the SHA-256.
const READ_BYTES: usize = 1 << 20;

/// Where backups are (`backup` in `[effects]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupOptions {
    /// Their folder; it is made where it is missing.
    pub folder: PathBuf,
    /// Good ones that are kept, at least one; and the last one of each of so many days.
    pub keep: u32,
}

/// Why a backup can't be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder or a file can't be read or written.
    #[error("{path}: {why}; make room, give this user the right to read and write there, or choose another folder")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// There is none of that number.
    #[error("there is no backup {0}: `switchhook backup list` shows those that there are")]
    Unknown(i64),
    /// The store names a file that no backup of that number has.
    #[error("backup {id} is none of ours: the store names {file:?} as its file, which is left alone; use another one")]
    NotOurs {
        /// Its number.
        id: i64,
        /// What the store says.
        file: String,
    },
    /// Its file is gone.
    #[error("backup {id} is gone: {path} is not there; make another with `switchhook backup create`")]
    Gone {
        /// Its number.
        id: i64,
        /// Where its file was.
        path: PathBuf,
    },
    /// Root is to work with the files of a store that is not root's.
    #[error(
        "root makes, verifies and restores backups of its own store only, and this one is another user's: run `{run_as} switchhook backup …`"
    )]
    OtherOwner {
        /// What runs a command as the owner.
        run_as: String,
    },
    /// Its file is not what was written.
    #[error("backup {id} is not good any more: {path} was altered since it was made; use another one")]
    Altered {
        /// Its number.
        id: i64,
        /// Its file.
        path: PathBuf,
    },
    /// The database finds a fault in it.
    #[error("backup {id} is not good: {path}: {why}; use another one")]
    Damaged {
        /// Its number.
        id: i64,
        /// Its file.
        path: PathBuf,
        /// What the database says.
        why: String,
    },
}

impl BackupError {
    /// The same, where a backup's file that is not there means that the backup is gone.
    pub(super) fn or_gone(self, id: i64) -> Self {
        match self {
            BackupError::File { path, why } if why.kind() == io::ErrorKind::NotFound => BackupError::Gone { id, path },
            error => error,
        }
    }
}

/// Makes a backup now, for the shell; works beside a process that serves.
///
/// # Errors
/// The store or the folder can't be read or written; nothing is left of it but its row.
pub async fn create(store: &Store, options: &BackupOptions, ctx: &Context) -> Result<BackupRow, BackupError> {
    must_be_ours(&store.options().path)?;
    let begun = store.begin_backup(ctx, None).await?;
    let made = attempt(store, &options.folder, &begun).await;
    record(store, ctx, &begun, &made).await?;
    made?;
    prune(store, options, ctx).await;
    let made = store.backups().await?.into_iter().find(|backup| backup.id == begun.id);
    made.map(BackupRow::from).ok_or(BackupError::Unknown(begun.id))
}

/// The backups whose files are to be there, oldest first.
///
/// # Errors
/// The store can't be read.
pub async fn list(store: &Store) -> Result<Vec<BackupRow>, BackupError> {
    Ok(store.backups().await?.into_iter().map(BackupRow::from).collect())
}

/// Reads a backup's file again from end to end, and notes what was found.
///
/// # Errors
/// It is not whole; it does not count as a good one any more.
pub async fn verify(store: &Store, options: &BackupOptions, ctx: &Context, id: i64) -> Result<BackupRow, BackupError> {
    must_be_ours(&store.options().path)?;
    let found = store.backups().await?.into_iter().find(|backup| backup.id == id);
    let backup = found.ok_or(BackupError::Unknown(id))?;
    let file = file_of(&options.folder, id, &backup.file)?;
    let examined = examine(&file, &file, id, Some(&backup.sha256)).await;
    match examined {
        Ok(_) => store.note_verified(ctx, id, true).await?,
        Err(BackupError::Gone { .. } | BackupError::Altered { .. } | BackupError::Damaged { .. }) => {
            store.note_verified(ctx, id, false).await?;
        }
        // That says nothing of the backup.
        Err(
            BackupError::Store(_)
            | BackupError::File { .. }
            | BackupError::Unknown(_)
            | BackupError::NotOurs { .. }
            | BackupError::OtherOwner { .. },
        ) => {}
    }
    examined?;
    Ok(Backup { verified_at: Some(ctx.now), ..backup }.into())
}

impl Runner {
    /// Carries out what is asked for by phone, one after the other.
    pub(super) async fn backups(self) {
        let mut commits = self.store.intents_changed();
        loop {
            commits.mark_unchanged();
            match self.backup_once().await {
                Ok(true) => {}
                Ok(false) => self.wait(&mut commits).await,
                Err(error) => {
                    tracing::error!(%error, "backups can't be looked for now");
                    self.wait(&mut commits).await;
                }
            }
        }
    }

    async fn backup_once(&self) -> Result<bool, StoreError> {
        let Some(due) = self.store.claim_backup(&self.context()).await? else { return Ok(false) };
        let begun = self.begin(due.id).await;
        let made = attempt(&self.store, &self.options.backup.folder, &begun).await;
        match &made {
            Ok((bytes, _)) => tracing::info!(backup = begun.id, bytes, "the store was backed up"),
            // Who asked is told at once rather than after further tries: a full disk does not mend itself.
            Err(error) => tracing::error!(backup = begun.id, %error, "the store was not backed up"),
        }
        while let Err(error) = record(&self.store, &self.context(), &begun, &made).await {
            tracing::error!(%error, "how a backup ended can't be recorded now");
            tokio::time::sleep(POLL).await;
        }
        if made.is_ok() {
            prune(&self.store, &self.options.backup, &self.context()).await;
        }
        Ok(true)
    }

    async fn begin(&self, intent: i64) -> Begun {
        loop {
            match self.store.begin_backup(&self.context(), Some(intent)).await {
                Ok(begun) => return begun,
                Err(error) => tracing::error!(%error, "a backup can't be begun now"),
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Records how a backup ended.
async fn record(
    store: &Store,
    ctx: &Context,
    begun: &Begun,
    made: &Result<(i64, String), BackupError>,
) -> Result<(), StoreError> {
    match made {
        Ok((bytes, sha256)) => store.complete_backup(ctx, begun.id, *bytes, sha256).await,
        Err(error) => store.fail_backup(ctx, begun.id, &error.to_string()).await,
    }
}

/// The path of a backup's file, where its row names the one that goes with its number.
pub(super) fn file_of(folder: &Path, id: i64, file: &str) -> Result<PathBuf, BackupError> {
    match parse_backup_file(file) {
        Some((_, number)) if number == id => Ok(folder.join(file)),
        _ => Err(BackupError::NotOurs { id, file: file.to_owned() }),
    }
}

/// Makes the file of a backup that has its row; of one that fails nothing is left.
async fn attempt(store: &Store, folder: &Path, begun: &Begun) -> Result<(i64, String), BackupError> {
    must_be_ours(&store.options().path)?;
    file_of(folder, begun.id, &begun.file)?;
    let made = make(store, folder, begun).await;
    if made.is_err() {
        let (left, file) = (folder.to_owned(), begun.file.clone());
        // Best effort: what is left is taken away by the pruning.
        let _ = blocking(folder, move || remove(&left, &file)).await;
    }
    made
}

/// Writes the file: its size and its SHA-256. What an earlier try of the same backup has left is written anew.
async fn make(store: &Store, folder: &Path, begun: &Begun) -> Result<(i64, String), BackupError> {
    let (path, temporary) = (folder.join(&begun.file), folder.join(temporary_name(&begun.file)));
    let (made, file, owner) = (folder.to_owned(), begun.file.clone(), store.options().path.clone());
    blocking(folder, move || make_folder(&made, &owner).and_then(|()| remove(&made, &file))).await?;
    store.copy_to(&temporary).await.map_err(|error| match error {
        StoreError::CannotMake { path, why } => BackupError::File { path, why },
        StoreError::Full => {
            BackupError::File { path: temporary.clone(), why: io::Error::from(io::ErrorKind::StorageFull) }
        }
        error => error.into(),
    })?;
    let copied = temporary.clone();
    blocking(&temporary, move || File::open(copied)?.sync_all()).await?;
    let made = examine(&temporary, &temporary, begun.id, None).await?;
    let folder = folder.to_owned();
    let target = path.clone();
    blocking(&path, move || fs::rename(&temporary, target).and_then(|()| sync_folder(&folder))).await?;
    Ok(made)
}

/// Reads a file from end to end: its size and its SHA-256, where it is a whole store and has the SHA-256 that it must
/// have. Errors name the file `told`, of which it may be a copy.
pub(super) async fn examine(
    path: &Path,
    told: &Path,
    id: i64,
    sha256: Option<&str>,
) -> Result<(i64, String), BackupError> {
    let read = path.to_owned();
    let (bytes, found) = blocking(told, move || digest(&read)).await.map_err(|error| error.or_gone(id))?;
    if sha256.is_some_and(|sha256| sha256 != found) {
        return Err(BackupError::Altered { id, path: told.to_owned() });
    }
    let damaged = |why: String| BackupError::Damaged { id, path: told.to_owned(), why };
    match Store::check_copy(path).await {
        Ok(()) => Ok((bytes, found)),
        Err(StoreError::Damaged(why)) => Err(damaged(why)),
        Err(StoreError::NotAStore(_)) => Err(damaged("it is no store".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the files that are older than those to be kept; what can't be deleted now is deleted after the next backup.
async fn prune(store: &Store, options: &BackupOptions, ctx: &Context) {
    if let Err(error) = try_prune(store, options, ctx).await {
        tracing::warn!(%error, "old backups were not deleted");
    }
}

async fn try_prune(store: &Store, options: &BackupOptions, ctx: &Context) -> Result<(), BackupError> {
    for old in store.backups_to_prune(ctx, options.keep).await? {
        let path = match file_of(&options.folder, old.id, &old.file) {
            Ok(path) => path,
            Err(error) => {
                tracing::warn!(%error, "a backup is not deleted");
                continue;
            }
        };
        let (folder, file) = (options.folder.clone(), old.file);
        blocking(&path, move || remove(&folder, &file)).await?;
        store.note_deleted(ctx, old.id).await?;
    }
    Ok(())
}

fn temporary_name(file: &str) -> String {
    format!(".{file}.tmp")
}

/// Takes a backup's file away, and what an unfinished try has left.
fn remove(folder: &Path, file: &str) -> io::Result<()> {
    let temporary = temporary_name(file);
    for name in [file, temporary.as_str(), format!("{temporary}-journal").as_str()] {
        remove_if_there(&folder.join(name))?;
    }
    Ok(())
}

/// Takes a file away, where there is one.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Opens a file to read it: nothing that is reached by a link, and nothing that would be waited for.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

/// The size of a file and its SHA-256.
fn digest(path: &Path) -> io::Result<(i64, String)> {
    let mut file = open_regular(path)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; READ_BYTES]);
    loop {
        let count = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        bytes += i64::try_from(count).unwrap_or(0);
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Works with files where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|why| Err(io::Error::other(why)));
    done.map_err(|why| BackupError::File { path: path.to_owned(), why })
}
