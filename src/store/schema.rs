//! Whether only that acts in a store which the migrations have put there: a trigger of other hands can do anything, and a
//! view of theirs can show anything.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::error::StoreError;
use super::open::MIGRATIONS;

/// Triggers and views that are told, at most.
const TOLD_MAX: usize = 20;

/// Type, name and text; text as bytes, as nobody knows who has written it.
type Part = (String, Vec<u8>, Option<Vec<u8>>);

/// The triggers and views that are not ours, are not as we have made them, or are missing; `None` where there are none.
pub(super) async fn foreign(conn: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let (found, ours) = (parts(conn).await?, made().await?);
    let same = |a: &Part, b: &Part| (&a.0, &a.1) == (&b.0, &b.1);
    let mut told = Vec::new();
    for part in &found {
        match ours.iter().find(|own| same(own, part)) {
            Some(own) if own.2 == part.2 => {}
            Some(_) => told.push(format!("{} was altered", name(part))),
            None => told.push(format!("{} is not switchhook's", name(part))),
        }
    }
    let missing = ours.iter().filter(|own| !found.iter().any(|part| same(own, part)));
    told.extend(missing.map(|part| format!("{} is missing", name(part))));
    let more = told.len().saturating_sub(TOLD_MAX);
    told.truncate(TOLD_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    Ok((!told.is_empty()).then(|| told.join(", ")))
}

fn name((kind, name, _): &Part) -> String {
    format!("{kind} {:?}", String::from_utf8_lossy(name))
}

async fn parts(conn: &mut SqliteConnection) -> Result<Vec<Part>, StoreError> {
    let sql = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY type, name";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

/// What the migrations make.
async fn made() -> Result<Vec<Part>, StoreError> {
    let connect = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
    let mut conn = SqliteConnection::connect_with(&connect).await?;
    for (_, migration) in MIGRATIONS {
        sqlx::raw_sql(migration).execute(&mut conn).await?;
    }
    let made = parts(&mut conn).await;
    // Nothing is kept of it.
    let _ = conn.close().await;
    made
}
