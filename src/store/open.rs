//! Opening a store: the file, its rights, its schema.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::OFlags;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::sync::watch;

use super::error::{StoreError, primary_code};
use super::lock::{Opened, Serving};
use super::{AdminError, Inner, READERS_MAX, Store, StoreOptions, pins, sites};
use crate::model::SiteId;

/// The migrations with their numbers, ascending; the schema's number is that of the last one that was applied. They only
/// go forward.
pub(super) const MIGRATIONS: [(i64, &str); 6] = [
    (1, include_str!("../../migrations/sqlite/0001_first.sql")),
    (2, include_str!("../../migrations/sqlite/0002_people.sql")),
    (3, include_str!("../../migrations/sqlite/0003_phone_system.sql")),
    (4, include_str!("../../migrations/sqlite/0004_backups.sql")),
    (5, include_str!("../../migrations/sqlite/0005_login_sources.sql")),
    (6, include_str!("../../migrations/sqlite/0006_refusals.sql")),
];
/// The write-ahead log is cut back to this after a checkpoint.
const WAL_BYTES_MAX: &str = "67108864";
/// Of the store and its copies: the owner and the group read and write; hashes of PINs are nobody else's business. SQLite
/// makes the files beside it with the same rights.
pub const FILE_MODE: u32 = 0o660;
/// Of a folder that is made for the store or its backups: what is made in it is the group's too.
const FOLDER_MODE: u32 = 0o2770;
/// How long a request waits for a connection besides the busy time-out.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

impl Store {
    /// Opens a store that is there, beside others, and brings an older schema up to date where nobody serves it. As long
    /// as it is open, no restore puts another in its place.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        is_there(&options.path)?;
        let opened = Opened::beside_others(&options.path).await?;
        Self::start_found(options, Holds::Opened(opened)).await
    }

    /// Opens a store that is there for the one process that serves it. Its lock comes first: it may be the lock of a
    /// restore, which is about to put another file in the store's place.
    pub async fn serve(options: StoreOptions) -> Result<(Self, Serving), StoreError> {
        is_there(&options.path)?;
        let serving = Serving::take(&options.path)?;
        Ok((Self::open_alone(options, &serving).await?, serving))
    }

    /// Opens a store, or a copy beside it, for who holds its lock. `_serving` says that somebody does.
    pub async fn open_alone(options: StoreOptions, _serving: &Serving) -> Result<Self, StoreError> {
        is_there(&options.path)?;
        Self::start_found(options, Holds::Serving).await
    }

    async fn start_found(options: StoreOptions, holds: Holds) -> Result<Self, StoreError> {
        match look(&options).await? {
            Look::Nothing => Err(StoreError::Missing(options.path)),
            found => Self::start(options, found, holds).await,
        }
    }

    /// Makes a store with its site, and the folder where that is missing. One without any account counts as not yet
    /// made, so that an `init` that was cut off can be run again.
    pub async fn create(options: StoreOptions) -> Result<Self, StoreError> {
        sites::check_name(&options.site).map_err(|error| StoreError::SiteName(error.to_string()))?;
        is_file(&options.path)?;
        make_file(&options.path)?;
        let opened = Opened::beside_others(&options.path).await?;
        let found = look(&options).await?;
        let is_new = found == Look::Nothing;
        let store = Self::start(options, found, Holds::Opened(opened)).await?;
        let mut read = store.read().await?;
        let account: Option<i64> =
            sqlx::query_scalar("SELECT id FROM accounts LIMIT 1").fetch_optional(&mut *read).await?;
        drop(read);
        if account.is_some() && !is_new { Err(StoreError::Exists(store.options().path.clone())) } else { Ok(store) }
    }

    /// The number of a site.
    pub async fn site_named(&self, name: &str) -> Result<SiteId, AdminError> {
        let mut read = self.read().await?;
        match site(&mut read, name).await? {
            Ok(id) => Ok(id),
            Err(known) => Err(AdminError::UnknownSite { site: name.to_owned(), known }),
        }
    }

    /// Takes the write lock only where something is to be migrated.
    async fn start(options: StoreOptions, found: Look, holds: Holds) -> Result<Self, StoreError> {
        let (turns, _) = watch::channel(0);
        let writer = pool(1, connect(&options).pragma("journal_size_limit", WAL_BYTES_MAX), turns.clone());
        let _serving = match (found, &holds) {
            (Look::Older(found), Holds::Opened(_)) => Some(to_migrate(&options.path, found)?),
            _ => None,
        };
        let site = match found {
            Look::Ready(site) => site,
            Look::Nothing | Look::Older(_) | Look::WithoutLog => {
                let path = &options.path;
                let mut conn = writer.acquire().await.map_err(|error| opening(path, error))?;
                migrate(&mut conn, &options).await.map_err(|error| error.at(path))?
            }
        };
        let reader = pool(READERS_MAX, connect(&options).read_only(true), watch::channel(0).0);
        let pins = pins::PinWorkers::start(options.pin_workers, options.pin_cost)?;
        let (intents, _) = watch::channel(0);
        let opened = match holds {
            Holds::Opened(opened) => opened,
            Holds::Serving => None,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                writer,
                turns,
                reader,
                opened: Mutex::new(opened),
                pins,
                trying: super::sources::Trying::default(),
                options,
                site,
                intents,
                #[cfg(test)]
                begun: Default::default(),
            }),
        })
    }
}

/// Which lock is held of a store that is opened.
enum Holds {
    /// That of who has it open, where one can be had.
    Opened(Option<Opened>),
    /// That of the one process that may serve it; held by the caller.
    Serving,
}

/// The lock that a migration needs, held for as long as that.
fn to_migrate(path: &Path, found: i64) -> Result<Serving, StoreError> {
    Serving::take(path).map_err(|error| match error {
        StoreError::Served { path, .. } => StoreError::OlderServed { path, found, known: known_schema() },
        error => error,
    })
}

fn is_there(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(_) => is_file(path),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Err(StoreError::Missing(path.to_owned())),
        Err(why) => Err(no_access(path, &why)),
    }
}

/// What a look at the file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// An empty file.
    Nothing,
    /// A schema that this program can bring up to date.
    Older(i64),
    /// This program's schema in a file that has no write-ahead log yet, as a backup's.
    WithoutLog,
    /// This program's schema, and the configured site.
    Ready(SiteId),
}

/// Refuses what is there and is no file: a pipe would be waited for, a folder be taken for a disk that fails.
pub(super) fn is_file(path: &Path) -> Result<(), StoreError> {
    let is_other = fs::metadata(path).is_ok_and(|there| !there.is_file());
    if is_other { Err(StoreError::NotAStore(path.to_owned())) } else { Ok(()) }
}

/// Looks at the file without writing to it, nor waiting for who does; where whoever made it was cut off in the middle of
/// that, what is left is rolled back first, for which it has to be written to.
async fn look(options: &StoreOptions) -> Result<Look, StoreError> {
    match look_by(options, true).await {
        Err(StoreError::ReadOnly) => look_by(options, false).await,
        found => found,
    }
}

async fn look_by(options: &StoreOptions, read_only: bool) -> Result<Look, StoreError> {
    let path = &options.path;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .read_only(read_only)
        .busy_timeout(options.busy_timeout)
        .disable_statement_logging();
    let mut conn = SqliteConnection::connect_with(&connect).await.map_err(|error| opening(path, error))?;
    let found = look_at(&mut conn, options).await.map_err(|error| match error {
        StoreError::Damaged(_) => StoreError::NotAStore(path.clone()),
        error => error,
    });
    // Nothing depends on how the look ends.
    let _ = conn.close().await;
    found
}

async fn look_at(conn: &mut SqliteConnection, options: &StoreOptions) -> Result<Look, StoreError> {
    let (path, known) = (options.path.clone(), known_schema());
    match found_schema(conn).await? {
        Found::Empty => Ok(Look::Nothing),
        Found::Foreign => Err(StoreError::NotAStore(path)),
        Found::Number(found) if found > known => Err(StoreError::Newer { path, found, known }),
        Found::Number(found) if found < known => Ok(Look::Older(found)),
        Found::Number(_) if !is_wal(conn).await? => Ok(Look::WithoutLog),
        Found::Number(_) => configured_site(conn, options).await.map(Look::Ready),
    }
}

/// Whether the file has a write-ahead log; a backup that was put in its place has none until something is written.
async fn is_wal(conn: &mut SqliteConnection) -> Result<bool, StoreError> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(conn).await?;
    Ok(mode.eq_ignore_ascii_case("wal"))
}

async fn configured_site(conn: &mut SqliteConnection, options: &StoreOptions) -> Result<SiteId, StoreError> {
    let found = site(conn, &options.site).await?;
    found.map_err(|known| StoreError::UnknownSite { site: options.site.clone(), known })
}

/// The number of a site, or the names of those that there are.
async fn site(conn: &mut SqliteConnection, name: &str) -> Result<Result<SiteId, String>, StoreError> {
    let sites: Vec<(i64, String)> = sqlx::query_as("SELECT id, name FROM sites ORDER BY name").fetch_all(conn).await?;
    if let Some((id, _)) = sites.iter().find(|(_, known)| known == name) {
        return Ok(Ok(SiteId(*id)));
    }
    let names: Vec<String> = sites.into_iter().map(|(_, name)| format!("`{name}`")).collect();
    Ok(Err(names.join(", ")))
}

pub(super) enum Found {
    Empty,
    Foreign,
    Number(i64),
}

pub(super) async fn found_schema(conn: &mut SqliteConnection) -> Result<Found, StoreError> {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&mut *conn).await?;
    if tables.is_empty() {
        return Ok(Found::Empty);
    }
    if !tables.iter().any(|name| name == "meta") {
        return Ok(Found::Foreign);
    }
    match written_schema(conn).await {
        Ok(Some(value)) => Ok(value.parse().map_or(Found::Foreign, Found::Number)),
        Ok(None) => Ok(Found::Foreign),
        Err(sqlx::Error::Database(said)) if primary_code(said.as_ref()) == Some(1) => Ok(Found::Foreign),
        Err(error) => Err(error.into()),
    }
}

async fn written_schema(conn: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT value FROM meta WHERE key = 'switchhook_schema'").fetch_optional(conn).await
}

/// Refuses to write a store that another version of the program has migrated since it was opened: what this one writes
/// there would be wrong, and what it reads too. One look at one row.
pub(super) async fn must_be_known(conn: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let (found, known) = (written_schema(conn).await?.unwrap_or_default(), known_schema());
    if found.parse() == Ok(known) {
        return Ok(());
    }
    Err(StoreError::OtherSchema { path: path.to_owned(), found, known })
}

pub(super) fn known_schema() -> i64 {
    MIGRATIONS.last().map_or(0, |(number, _)| *number)
}

/// Applies what is missing, in one transaction, and gives the number of the site.
async fn migrate(conn: &mut SqliteConnection, options: &StoreOptions) -> Result<SiteId, StoreError> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    let (known, found) = (known_schema(), found_schema(&mut tx).await?);
    let applied = match found {
        Found::Empty => 0,
        Found::Foreign => return Err(StoreError::NotAStore(options.path.clone())),
        Found::Number(found) if found > known => {
            return Err(StoreError::Newer { path: options.path.clone(), found, known });
        }
        Found::Number(found) => found,
    };
    for (_, migration) in MIGRATIONS.iter().filter(|(number, _)| *number > applied) {
        sqlx::raw_sql(*migration).execute(&mut *tx).await?;
    }
    if applied < known {
        let sql = "INSERT INTO meta (key, value) VALUES ('switchhook_schema', $1)
                   ON CONFLICT (key) DO UPDATE SET value = $1";
        sqlx::query(sql).bind(known.to_string()).execute(&mut *tx).await?;
    }
    if applied == 0 {
        sqlx::query("INSERT INTO sites (name) VALUES ($1)").bind(&options.site).execute(&mut *tx).await?;
    }
    let site = configured_site(&mut tx, options).await?;
    tx.commit().await?;
    Ok(site)
}

fn connect(options: &StoreOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .disable_statement_logging()
}

/// Connections to the store. `turns` counts how often one was given back and answered after that, however what was done
/// on it has ended.
fn pool(connections_max: u32, connect: SqliteConnectOptions, turns: watch::Sender<u64>) -> SqlitePool {
    SqlitePoolOptions::new()
        .after_release(move |conn, _| {
            let turns = turns.clone();
            Box::pin(async move {
                // Behind the rollback that may still be queued.
                conn.ping().await?;
                turns.send_modify(|turns| *turns = turns.wrapping_add(1));
                // SQLite ends a transaction by itself where the disk is full or fails (sqlite.org/lang_transaction.html,
                // section 3.2); a rollback is then refused, and the connection would count that transaction for ever.
                Ok(!conn.is_in_transaction())
            })
        })
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(connect)
}

/// Makes the folder and an empty file, so that the file has the owner and the rights that we want.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    make_folder(folder, folder).map_err(|why| StoreError::CannotMake { path: folder.to_owned(), why })?;
    let made = match OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new().append(true).open(path).map(drop),
        Err(why) => Err(why),
        // Whatever the umask is: a group that may read and write was asked for.
        Ok(file) => give_to_owner(&file, folder).and_then(|()| file.set_permissions(rights(FILE_MODE))),
    };
    made.map_err(|why| StoreError::CannotMake { path: path.to_owned(), why })
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn rights(mode: u32) -> Permissions {
    Permissions::from_mode(mode)
}

/// Gives what root has just made beside the store to the owner of `model` (the store, or its folder): the service runs as
/// that one. Goes by the open file, as the service might put a link in the place of its name. Nothing is done where
/// there is no `model`, or where this process is not root.
///
/// # Errors
/// The owner can't be read or changed.
pub fn give_to_owner(made: &File, model: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = match fs::metadata(model) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        owner => owner?,
    };
    let has = made.metadata()?;
    if (has.uid(), has.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    fchown(made, Some(owner.uid()), Some(owner.gid()))
}

/// Makes a folder where it is missing, for the owner of `model` and for its group.
///
/// # Errors
/// It can't be made.
pub fn make_folder(folder: &Path, model: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder_of(folder))?;
    match fs::create_dir(folder) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => return Ok(()),
        made => made?,
    }
    let flags = (OFlags::NOFOLLOW | OFlags::DIRECTORY).bits().cast_signed();
    let made = OpenOptions::new().read(true).custom_flags(flags).open(folder)?;
    give_to_owner(&made, model)?;
    // A service that may set no such bit (systemd's RestrictSUIDSGID) does without: its files are of its own group.
    made.set_permissions(rights(FOLDER_MODE)).or_else(|_| made.set_permissions(rights(FOLDER_MODE & 0o777)))
}

fn no_access(path: &Path, why: &std::io::Error) -> StoreError {
    StoreError::NoAccess { path: path.to_owned(), why: why.to_string() }
}

/// What a failed open means to the person who has to mend it.
pub(super) fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    const SQLITE_CANTOPEN: i32 = 14;
    let cannot_open = match &error {
        sqlx::Error::Database(said) => primary_code(said.as_ref()) == Some(SQLITE_CANTOPEN),
        _ => false,
    };
    match StoreError::from(error) {
        StoreError::Damaged(_) => StoreError::NotAStore(path.to_owned()),
        StoreError::Disk(why) if cannot_open => StoreError::NoAccess { path: path.to_owned(), why },
        error => error.at(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_migration_is_applied_under_the_number_of_its_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let names = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
        let number = |name: std::ffi::OsString| name.to_string_lossy().split('_').next().and_then(|n| n.parse().ok());
        let mut files: Vec<i64> = names.filter_map(number).collect();
        files.sort_unstable();
        assert_eq!(MIGRATIONS.map(|(number, _)| number), *files);
    }
}
