//! The changes, by number.

use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::clock::{civil, rfc3339};
use super::error::StoreError;
use super::rights::{Caller, Stop};
use super::{Store, people};
use crate::access::{Refusal, Reply, ToldChange};
use crate::model::{ChangeNumber, Wall};

/// Changes that a caller hears at once.
const TOLD_MAX: i64 = 5;
/// Among how many changes those are looked for, where others' sites make many.
pub(super) const PASSED_OVER_MAX: i64 = 10_000;

/// A change as `change list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeRow {
    /// The number that was spoken when it was made.
    pub number: i64,
    /// RFC 3339.
    pub at: String,
    /// An extension, or `cli`.
    pub account: String,
    /// The action's name.
    pub action: String,
    /// What was changed.
    pub target: String,
    /// What it was before; never a PIN.
    pub before: Option<String>,
    /// What it is now; never a PIN.
    pub after: Option<String>,
    /// The change that undid it.
    pub undone_by: Option<i64>,
}

type ChangeTuple = (i64, i64, String, String, String, Option<String>, Option<String>, Option<i64>);

impl Store {
    /// The last `last` changes (all where `None`) of `account` (of all where `None`), oldest first.
    pub async fn changes(&self, account: Option<&str>, last: Option<u32>) -> Result<Vec<ChangeRow>, StoreError> {
        let mut read = self.read().await?;
        let limit = last.map_or(i64::MAX, i64::from);
        let query = match account {
            Some(account) => sqlx::query_as(
                "SELECT number, at, account, action, target, before, after, undone_by FROM changes
                 WHERE account = $1 ORDER BY number DESC LIMIT $2",
            )
            .bind(account),
            None => sqlx::query_as(
                "SELECT number, at, account, action, target, before, after, undone_by FROM changes
                 WHERE number > $1 ORDER BY number DESC LIMIT $2",
            )
            .bind(0_i64),
        };
        let rows: Vec<ChangeTuple> = query.bind(limit).fetch_all(&mut *read).await?;
        let shown = |(number, at, account, action, target, before, after, undone_by): ChangeTuple| ChangeRow {
            number,
            at: rfc3339(Wall(at)),
            account,
            action,
            target,
            before,
            after,
            undone_by,
        };
        Ok(rows.into_iter().rev().map(shown).collect())
    }
}

type ToldTuple = (i64, i64, Option<i64>, String, String, String);

/// What every query here asks of a change: that it was not made to an account of another site than `$1` (null: any).
const OF_THE_SITE: &str = "SELECT c.number, c.at, c.account_id, c.account, c.action, c.target FROM changes c
    LEFT JOIN accounts a ON a.id = c.target_id WHERE ($1 IS NULL OR a.site_id IS NULL OR a.site_id = $1)";

/// The last changes that the caller may hear of, newest first. What was made to accounts of other sites is passed over, among
/// the last [`PASSED_OVER_MAX`] changes.
pub(super) async fn last(conn: &mut SqliteConnection, caller: &Caller) -> Result<Reply, Stop> {
    let site = caller.only_site().map(|site| site.0);
    let rows: Vec<ToldTuple> = if caller.hears_all() {
        let sql = format!(
            "{OF_THE_SITE} AND c.number > (SELECT COALESCE(MAX(number), 0) FROM changes) - $2
             ORDER BY c.number DESC LIMIT $3"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(site).bind(PASSED_OVER_MAX);
        query.bind(TOLD_MAX).fetch_all(&mut *conn).await?
    } else {
        let sql = format!("{OF_THE_SITE} AND c.account_id = $2 ORDER BY c.number DESC LIMIT $3");
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(site).bind(caller.own()?.id.0);
        query.bind(TOLD_MAX).fetch_all(&mut *conn).await?
    };
    let mut all = Vec::new();
    for row in rows {
        all.push(as_told(conn, row).await?);
    }
    Ok(Reply::Changes(all))
}

/// One change, where the caller may hear of it.
pub(super) async fn told(
    conn: &mut SqliteConnection,
    caller: &Caller,
    number: ChangeNumber,
) -> Result<ToldChange, Stop> {
    let sql = format!("{OF_THE_SITE} AND c.number = $2");
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(caller.only_site().map(|site| site.0)).bind(number.0);
    let row: Option<ToldTuple> = query.fetch_optional(&mut *conn).await?;
    let row = row.filter(|(_, _, by, ..)| caller.hears_of(*by)).ok_or(Refusal::Unknown)?;
    Ok(as_told(conn, row).await?)
}

async fn as_told(conn: &mut SqliteConnection, row: ToldTuple) -> Result<ToldChange, StoreError> {
    let (number, at, by, account, action, target) = row;
    let by = match by {
        Some(id) => people::named(conn, vec![(id, account)]).await?.pop(),
        None => None,
    };
    Ok(ToldChange { number: ChangeNumber(number), by, action, target, at: civil(Wall(at)) })
}
