//! The store's file as a whole: copying it while it is used, looking at a copy, and making one the store.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::error::StoreError;
use super::open::{FILE_MODE, Found, found_schema, is_file, known_schema, opening};
use super::rights::Caller;
use super::tx::Outcome;
use super::{BACKUP_NUMBER_MAX, Backup, Store, audit};
use crate::access::Context;

/// How long a process that still has the store open is waited for.
const FOLD_TIMEOUT: Duration = Duration::from_millis(1000);
/// The tables whose numbers people and hooks know things by.
const NUMBERED: [&str; 3] = ["accounts", "changes", "intents"];
/// How far the numbers go up where it is not known how far they were: more than any store gives between two backups.
const NUMBERS_SKIPPED: i64 = 1_000_000;
/// The highest number that is believed; one above it was written by other hands.
const NUMBER_MAX: i64 = 1_000_000_000_000;

/// What a store has given out and must not be given again by the one that takes its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The highest number of each of its tables.
    numbers: Vec<(String, i64)>,
    /// The number and the hash of the last row of its audit trail.
    audit_end: Option<(i64, String)>,
}

impl Given {
    fn highest(&self, table: &str) -> i64 {
        self.numbers.iter().find(|(name, _)| name == table).map_or(0, |(_, number)| *number)
    }
}

impl Store {
    /// Copies the store, as it is at one moment, into a new file at `path`. It is read on a connection of its own, so
    /// that nobody who writes meanwhile waits. A file that is there already is an error.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let cannot = |why| StoreError::CannotMake { path: path.to_owned(), why };
        let Some(name) = path.to_str() else {
            return Err(cannot(std::io::Error::other("its name is no text in UTF-8")));
        };
        // So that it has the mode that we want: the database fills an empty file.
        let options = self.options();
        let made = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path);
        made.map_err(cannot)?;
        let connect = reading(&options.path).busy_timeout(options.busy_timeout);
        let mut conn = SqliteConnection::connect_with(&connect).await?;
        let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(&mut conn).await;
        // Nothing depends on how a reader ends.
        let _ = conn.close().await;
        copied?;
        Ok(())
    }

    /// Reads a copy from end to end: whether it is whole, and a store that this program can open.
    pub async fn check_copy(path: &Path) -> Result<(), StoreError> {
        is_file(path)?;
        let mut conn = SqliteConnection::connect_with(&reading(path)).await.map_err(|error| opening(path, error))?;
        let checked = check(&mut conn, path).await;
        let _ = conn.close().await;
        checked
    }

    /// Folds the write-ahead log of the store at `path` into its file, so that the file alone is the whole store.
    /// [`StoreError::Busy`] where any other process has it open.
    pub async fn fold(path: &Path) -> Result<(), StoreError> {
        is_file(path)?;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Delete)
            .busy_timeout(FOLD_TIMEOUT)
            .disable_statement_logging();
        let mut conn = SqliteConnection::connect_with(&connect).await.map_err(|error| opening(path, error))?;
        let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode").fetch_one(&mut conn).await;
        let _ = conn.close().await;
        if mode?.eq_ignore_ascii_case("delete") { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// What the store at `path` has given out.
    pub async fn given(path: &Path) -> Result<Given, StoreError> {
        is_file(path)?;
        let mut conn = SqliteConnection::connect_with(&reading(path)).await.map_err(|error| opening(path, error))?;
        let given = read_given(&mut conn).await;
        let _ = conn.close().await;
        given
    }

    /// Makes this copy of a store fit to be the store again: what was to be done when it was made is not done any more,
    /// what was to be told is not told any more, it knows the backups that there are now, and from which it was made. What
    /// the store in whose place it comes has `given` out it gives to nobody else; `None` where that can't be read.
    pub async fn settle_restored(
        &self,
        ctx: &Context,
        from: &Backup,
        known: &[Backup],
        given: Option<&Given>,
    ) -> Result<(), StoreError> {
        // Before all else: a write begins with numbers for what other programs had written.
        self.raise_numbers(given).await?;
        let mut write = self.write(ctx).await?;
        write.who = Caller::shell().who();
        let detail = format!("the store was restored from backup {}", from.id);
        // Without its boot id nobody takes a later start of the machine for what was asked for.
        let sql = "UPDATE intents SET state = CASE state WHEN 'claimed' THEN 'unknown' ELSE 'cancelled' END,
                   boot_id = NULL, finished_at = $1, detail = $2
                   WHERE state IN ('requested', 'waiting', 'claimed')";
        sqlx::query(sql).bind(ctx.now.0).bind(&detail).execute(write.conn()).await?;
        sqlx::query("UPDATE intents SET news = 3 WHERE news IN (1, 2)").execute(write.conn()).await?;
        let sql = "UPDATE backups SET deleted_at = $1 WHERE bytes IS NULL AND deleted_at IS NULL";
        sqlx::query(sql).bind(ctx.now.0).execute(write.conn()).await?;
        for backup in known {
            let sql = "INSERT INTO backups (id, at, file, bytes, sha256, verified_at, deleted_at)
                       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET at = $2, file = $3,
                       bytes = $4, sha256 = $5, verified_at = $6, deleted_at = $7";
            sqlx::query(sql)
                .bind(backup.id)
                .bind(backup.at.0)
                .bind(&backup.file)
                .bind(backup.bytes)
                .bind(&backup.sha256)
                .bind(backup.verified_at.map(|at| at.0))
                .bind(backup.deleted_at.map(|at| at.0))
                .execute(write.conn())
                .await?;
        }
        let replaced = given.and_then(|given| given.audit_end.as_ref());
        if let Some((seq, hash)) = replaced {
            // By it the trail that was kept aside is known.
            write.note("audit.replaced", Some(&format!("{seq} {hash}")), Outcome::Ok).await?;
        }
        let target = from.id.to_string();
        write.note("backup.restored", Some(&target), Outcome::Ok).await?;
        let replaced = replaced.map(|(seq, hash)| json!({ "seq": seq, "hash": hash }));
        let data = json!({ "id": from.id, "file": from.file, "sha256": from.sha256, "replaced": replaced });
        write.event("backup.restored", &target, None, data).await?;
        write.commit().await
    }

    async fn raise_numbers(&self, given: Option<&Given>) -> Result<(), StoreError> {
        let mut tx = self.inner.writer.begin_with("BEGIN IMMEDIATE").await?;
        let own = read_given(&mut tx).await?;
        for table in NUMBERED {
            let own = own.highest(table);
            let highest = match given.map(|given| given.highest(table)) {
                Some(highest) if highest <= NUMBER_MAX => highest.max(own),
                _ => own.saturating_add(NUMBERS_SKIPPED),
            };
            raise(&mut tx, table, highest).await?;
        }
        // Where they are not known, the names of the files tell.
        let highest = given.map_or(0, |given| given.highest("backups")).max(own.highest("backups"));
        if highest <= BACKUP_NUMBER_MAX {
            raise(&mut tx, "backups", highest).await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn raise(conn: &mut SqliteConnection, table: &str, highest: i64) -> Result<(), StoreError> {
    let sql = "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1";
    let raised = sqlx::query(sql).bind(table).bind(highest).execute(&mut *conn).await?.rows_affected();
    if raised == 0 {
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
        sqlx::query(sql).bind(table).bind(highest).execute(conn).await?;
    }
    Ok(())
}

async fn read_given(conn: &mut SqliteConnection) -> Result<Given, StoreError> {
    let numbers = sqlx::query_as("SELECT name, seq FROM sqlite_sequence ORDER BY name").fetch_all(&mut *conn).await?;
    Ok(Given { numbers, audit_end: audit::end(conn).await? })
}

fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging()
}

async fn check(conn: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let faults: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(&mut *conn).await?;
    if faults != ["ok"] {
        return Err(StoreError::Damaged(faults.join("; ")));
    }
    let known = known_schema();
    match found_schema(conn).await? {
        Found::Empty | Found::Foreign => Err(StoreError::NotAStore(path.to_owned())),
        Found::Number(found) if found > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        Found::Number(_) => Ok(()),
    }
}
