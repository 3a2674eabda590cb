//! Opening a store: the file, its rights, its schema.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::sync::watch;

use super::error::{StoreError, primary_code};
use super::{AdminError, Inner, READERS_MAX, Store, StoreOptions, pins};
use crate::model::SiteId;

/// The migrations, in order; the schema's number is how many were applied. They only go forward.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/sqlite/0001_first.sql")];
/// The write-ahead log is cut back to this after a checkpoint.
const WAL_BYTES_MAX: &str = "67108864";
/// The owner and the group read and write; hashes of PINs are nobody else's business. The umask takes its share.
const FILE_MODE: u32 = 0o660;
/// How long a request waits for a connection besides the busy time-out.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

impl Store {
    /// Opens a store that is there, and brings an older schema up to date.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        match fs::metadata(&options.path) {
            Ok(_) => {}
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Missing(options.path));
            }
            Err(why) => return Err(no_access(&options.path, &why)),
        }
        if schema(&options).await? == Schema::Nothing {
            return Err(StoreError::Missing(options.path));
        }
        Self::start(options).await
    }

    /// Makes a store with its site, and the folder where that is missing. One without any account counts as not yet
    /// made, so that an `init` that was cut off can be run again.
    pub async fn create(options: StoreOptions) -> Result<Self, StoreError> {
        make_file(&options.path)?;
        let schema = schema(&options).await?;
        let store = Self::start(options).await?;
        let mut read = store.read().await?;
        let account: Option<i64> =
            sqlx::query_scalar("SELECT id FROM accounts LIMIT 1").fetch_optional(&mut *read).await?;
        drop(read);
        match (schema, account) {
            (Schema::Known, Some(_)) => Err(StoreError::Exists(store.options().path.clone())),
            (Schema::Known | Schema::Nothing, _) => Ok(store),
        }
    }

    /// The number of a site.
    pub async fn site_named(&self, name: &str) -> Result<SiteId, AdminError> {
        let mut read = self.read().await?;
        let sql = "SELECT id FROM sites WHERE name = $1";
        let id: Option<i64> = sqlx::query_scalar(sql).bind(name).fetch_optional(&mut *read).await?;
        id.map(SiteId).ok_or_else(|| AdminError::UnknownSite(name.to_owned()))
    }

    async fn start(options: StoreOptions) -> Result<Self, StoreError> {
        let path = options.path.clone();
        let writer = pool(1, connect(&options).pragma("journal_size_limit", WAL_BYTES_MAX));
        let mut conn = writer.acquire().await.map_err(|error| opening(&path, error))?;
        let site = migrate(&mut conn, &options).await.map_err(|error| match error {
            StoreError::ReadOnly => StoreError::NoAccess { path, why: "it is read-only".to_owned() },
            error => error,
        })?;
        drop(conn);
        let reader = pool(READERS_MAX, connect(&options).read_only(true));
        let pins = pins::PinWorkers::start(options.pin_workers, options.pin_cost)?;
        let (intents, _) = watch::channel(0);
        Ok(Self { inner: Arc::new(Inner { writer, reader, pins, options, site, intents }) })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schema {
    /// An empty file.
    Nothing,
    /// One that this program can bring up to date.
    Known,
}

/// Looks at the file without writing to it.
async fn schema(options: &StoreOptions) -> Result<Schema, StoreError> {
    let path = &options.path;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(options.busy_timeout)
        .disable_statement_logging();
    let mut conn = SqliteConnection::connect_with(&connect).await.map_err(|error| opening(path, error))?;
    let found = found_schema(&mut conn).await.map_err(|error| match error {
        StoreError::Damaged(_) => StoreError::NotAStore(path.clone()),
        error => error,
    });
    // Nothing depends on how the look ends.
    let _ = conn.close().await;
    let known = known_schema();
    match found? {
        Found::Empty => Ok(Schema::Nothing),
        Found::Foreign => Err(StoreError::NotAStore(path.clone())),
        Found::Number(found) if found > known => Err(StoreError::Newer { path: path.clone(), found, known }),
        Found::Number(_) => Ok(Schema::Known),
    }
}

enum Found {
    Empty,
    Foreign,
    Number(i64),
}

async fn found_schema(conn: &mut SqliteConnection) -> Result<Found, StoreError> {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&mut *conn).await?;
    if tables.is_empty() {
        return Ok(Found::Empty);
    }
    if !tables.iter().any(|name| name == "meta") {
        return Ok(Found::Foreign);
    }
    let sql = "SELECT value FROM meta WHERE key = 'switchhook_schema'";
    match sqlx::query_scalar::<_, String>(sql).fetch_optional(conn).await {
        Ok(Some(value)) => Ok(value.parse().map_or(Found::Foreign, Found::Number)),
        Ok(None) => Ok(Found::Foreign),
        Err(sqlx::Error::Database(said)) if primary_code(said.as_ref()) == Some(1) => Ok(Found::Foreign),
        Err(error) => Err(error.into()),
    }
}

fn known_schema() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
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
    let missing = MIGRATIONS.iter().skip(usize::try_from(applied).unwrap_or(usize::MAX));
    for migration in missing {
        sqlx::raw_sql(*migration).execute(&mut *tx).await?;
    }
    if applied < known {
        let sql = "INSERT INTO meta (key, value) VALUES ('switchhook_schema', $1)
                   ON CONFLICT (key) DO UPDATE SET value = $1";
        sqlx::query(sql).bind(known.to_string()).execute(&mut *tx).await?;
    }
    let sql = "SELECT id FROM sites WHERE name = $1";
    let site: Option<i64> = sqlx::query_scalar(sql).bind(&options.site).fetch_optional(&mut *tx).await?;
    let site = match site {
        Some(site) => site,
        None if applied == 0 => {
            let sql = "INSERT INTO sites (name) VALUES ($1) RETURNING id";
            sqlx::query_scalar(sql).bind(&options.site).fetch_one(&mut *tx).await?
        }
        None => return Err(StoreError::UnknownSite(options.site.clone())),
    };
    tx.commit().await?;
    Ok(SiteId(site))
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

fn pool(connections_max: u32, connect: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(connect)
}

/// Makes the folder and an empty file, so that the file has the mode that we want.
fn make_file(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let cannot = |why| StoreError::CannotMake { path: folder.to_owned(), why };
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let cannot = |why| StoreError::CannotMake { path: path.to_owned(), why };
    fs::OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path).map(drop).map_err(cannot)
}

fn no_access(path: &Path, why: &std::io::Error) -> StoreError {
    StoreError::NoAccess { path: path.to_owned(), why: why.to_string() }
}

/// What a failed open means to the person who has to mend it.
fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    const SQLITE_CANTOPEN: i32 = 14;
    let cannot_open = match &error {
        sqlx::Error::Database(said) => primary_code(said.as_ref()) == Some(SQLITE_CANTOPEN),
        _ => false,
    };
    match StoreError::from(error) {
        StoreError::ReadOnly => StoreError::NoAccess { path: path.to_owned(), why: "it is read-only".to_owned() },
        StoreError::Damaged(_) => StoreError::NotAStore(path.to_owned()),
        StoreError::Database(why) if cannot_open => StoreError::NoAccess { path: path.to_owned(), why },
        error => error,
    }
}
