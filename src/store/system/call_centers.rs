//! Call centers: open or closed.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::items::{number_of, record};
use super::{Recorded, Store};
use crate::access::{ItemKind, Refusal, Reply};
use crate::model::{ChangeNumber, ItemNumber};
use crate::store::error::StoreError;
use crate::store::rights::Stop;
use crate::store::tx::Write;

/// A call center as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallCenterRow {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Whether it takes calls.
    pub open: bool,
}

async fn is_open(conn: &mut SqliteConnection, number: ItemNumber) -> Result<bool, Stop> {
    let sql = "SELECT is_open FROM call_centers WHERE number = $1";
    let row: Option<i64> = sqlx::query_scalar(sql).bind(i64::from(number.0)).fetch_optional(conn).await?;
    Ok(row.ok_or(Refusal::Unknown)? != 0)
}

pub(super) async fn open(conn: &mut SqliteConnection, number: ItemNumber) -> Result<Reply, Stop> {
    Ok(Reply::CallCenter { open: is_open(conn, number).await? })
}

pub(super) async fn set(write: &mut Write<'_>, number: ItemNumber, open: bool) -> Result<Reply, Stop> {
    if is_open(write.conn(), number).await? == open {
        return Err(Refusal::AlreadySo.into());
    }
    Ok(Reply::Changed(changed(write, number, open).await?))
}

async fn changed(write: &mut Write<'_>, number: ItemNumber, open: bool) -> Result<ChangeNumber, StoreError> {
    let sql = "UPDATE call_centers SET is_open = $2 WHERE number = $1";
    sqlx::query(sql).bind(i64::from(number.0)).bind(i64::from(open)).execute(write.conn()).await?;
    let what = if open { "opened" } else { "closed" };
    let text = (Some(state(!open)), Some(state(open)));
    record(write, ItemKind::CallCenter, what, number, text, json!({ "number": number.0, "open": open })).await
}

fn state(open: bool) -> &'static str {
    if open { "open" } else { "closed" }
}

pub(super) async fn undo(write: &mut Write<'_>, change: &Recorded) -> Result<ChangeNumber, Stop> {
    let number = number_of(&change.target)?;
    let present = is_open(write.conn(), number).await?;
    if change.after.as_deref() != Some(state(present)) {
        return Err(Refusal::ChangedSince.into());
    }
    Ok(changed(write, number, !present).await?)
}

impl Store {
    /// All call centers, by number.
    pub async fn call_centers(&self) -> Result<Vec<CallCenterRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT number, name, is_open FROM call_centers ORDER BY number";
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        Ok(rows.into_iter().map(|(number, name, open)| CallCenterRow { number, name, open: open != 0 }).collect())
    }
}
