//! What can go wrong with the store.

use std::path::{Path, PathBuf};

/// Why the store can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing is there yet.
    #[error("there is no store at {0}: make one with `switchhook init`")]
    Missing(PathBuf),
    /// A store with accounts in it is there already.
    #[error("there is a store at {0} already: nothing was changed; move it away to begin anew")]
    Exists(PathBuf),
    /// Written by a newer program; it is not touched.
    #[error(
        "the store at {path} has schema {found} and this program knows schemas up to {known}: run a newer switchhook; nothing was changed"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema of this program.
        known: i64,
    },
    /// Older than this program, and served by an older one: nobody may bring it up to date under that.
    #[error(
        "the store at {path} has schema {found}, this program needs {known}, and a process of an older switchhook serves it: stop the service first; nothing was changed"
    )]
    OlderServed {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The one that this program needs.
        known: i64,
    },
    /// Another version of the program has migrated it since it was opened.
    #[error(
        "the store at {path} has schema {found} by now and this process writes schema {known}: another version of switchhook has changed it; nothing was changed, start the new version"
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
        /// The one that this program writes.
        known: i64,
    },
    /// Another process serves it, or restores it.
    #[error("{path} is served by process {holder} already; stop that one first")]
    Served {
        /// The file, without links.
        path: PathBuf,
        /// The number of that process.
        holder: String,
    },
    /// It is to be replaced, and somebody has it open.
    #[error(
        "another switchhook command has the store at {0} open: nothing was changed; wait for its end and try again"
    )]
    Opened(PathBuf),
    /// It is being replaced.
    #[error("the store at {0} is being restored: nothing was done; try again when that has ended")]
    Restoring(PathBuf),
    /// A lock's file can't be made or opened, or is another file's name.
    #[error("{path} can't be used as a lock: {why}; remove it where nobody has the store open")]
    NoLock {
        /// The lock's file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Some other file is there.
    #[error("{0} is not a switchhook store: nothing was changed; set store.url to another file")]
    NotAStore(PathBuf),
    /// The configured address of the store can't be used. It is not told: there may be a password in it.
    #[error("store.url can't be used: {0}; it must be `sqlite:///absolute/path` or `sqlite:relative/path`")]
    Url(String),
    /// The folder is missing and can't be made, or the file can't be made in it.
    #[error("can't make {path}: {why}; give this user the right to write there, or set store.url to another place")]
    CannotMake {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file or its folder lacks the rights that a store needs.
    #[error("can't write the store at {path}: {why}; give this user read and write rights on the file and its folder")]
    NoAccess {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The disk is full.
    #[error("the disk is full: nothing was changed; make room and try again")]
    Full,
    /// The file system or the file is read-only.
    #[error(
        "the store is read-only: nothing was changed; give this user read and write rights on the file and its folder"
    )]
    ReadOnly,
    /// Another process held the store for longer than the busy time-out.
    #[error("the store is held by another process: nothing was changed; try again")]
    Busy,
    /// A file of the store can't be opened, read, written or brought to the disk.
    #[error("the disk fails ({0}): it was not done; look for its errors in the system's log, then try again")]
    Disk(String),
    /// The file is damaged.
    #[error("the store is damaged: {0}; restore a backup")]
    Damaged(String),
    /// The PIN workers' queue is full, or a worker is gone.
    #[error("too many PINs are being checked: nothing was changed; try again")]
    PinsBusy,
    /// A row that only a hand other than this program's can have written.
    #[error("the store holds {0}: repair it by hand or restore a backup")]
    Inconsistent(String),
    /// The configured site is not in the store.
    #[error("there is no site `{site}` in the store, it has {known}: set site.name to one of these")]
    UnknownSite {
        /// The configured name.
        site: String,
        /// The names that there are.
        known: String,
    },
    /// No store is made for a site of that name.
    #[error("site.name can't be used: {0}; no store was made")]
    SiteName(String),
    /// Audio longer than the store takes.
    #[error("the audio lasts longer than {0} s: nothing was changed; shorten it")]
    AudioTooLong(u32),
    /// The system gave no random bytes.
    #[error("the system gave no random numbers: nothing was changed")]
    NoRandom,
    /// Everything else that the database says.
    #[error("the database says: {0}")]
    Database(String),
}

impl StoreError {
    /// The same, with the file that can't be written where it was not known before.
    pub(super) fn at(self, path: &Path) -> Self {
        match self {
            StoreError::ReadOnly => StoreError::NoAccess { path: path.to_owned(), why: "it is read-only".to_owned() },
            error => error,
        }
    }
}

// SQLite's primary result codes (sqlite.org/rescode.html).
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_READONLY: i32 = 8;
const SQLITE_IOERR: i32 = 10;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_CANTOPEN: i32 = 14;
/// The locks of the write-ahead log were not to be had in many tries.
const SQLITE_PROTOCOL: i32 = 15;
const SQLITE_NOTADB: i32 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => StoreError::Busy,
            sqlx::Error::Database(said) => match primary_code(said.as_ref()) {
                Some(SQLITE_BUSY | SQLITE_LOCKED | SQLITE_PROTOCOL) => StoreError::Busy,
                Some(SQLITE_IOERR | SQLITE_CANTOPEN) => StoreError::Disk(said.message().to_owned()),
                Some(SQLITE_READONLY) => StoreError::ReadOnly,
                Some(SQLITE_FULL) => StoreError::Full,
                Some(SQLITE_CORRUPT | SQLITE_NOTADB) => StoreError::Damaged(said.message().to_owned()),
                _ => StoreError::Database(said.message().to_owned()),
            },
            _ => StoreError::Database(error.to_string()),
        }
    }
}

/// The low byte of SQLite's extended result code.
pub(super) fn primary_code(error: &dyn sqlx::error::DatabaseError) -> Option<i32> {
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}
