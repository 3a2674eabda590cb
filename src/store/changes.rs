//! The changes, by number.

use serde::Serialize;

use super::Store;
use super::clock::rfc3339;
use super::error::StoreError;
use crate::model::Wall;

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
