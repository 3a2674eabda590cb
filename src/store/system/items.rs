//! What all things with a number have in common: listing, adding, deleting.

use serde_json::json;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{SystemError, groups, trunks};
use crate::access::{ItemKind, Refusal, Reply, TrunkKind};
use crate::model::{AccountId, Audio, ChangeNumber, ItemNumber};
use crate::store::error::StoreError;
use crate::store::people::check_name;
use crate::store::rights::Stop;
use crate::store::tx::{Change, Write};
use crate::store::{AdminError, AdminReply};

/// The highest number.
pub const ITEM_NUMBER_MAX: u32 = 99_999_999;
/// Most things of one kind.
pub const ITEMS_MAX: u32 = 10_000;

/// What is added.
pub(super) struct New<'a> {
    pub(super) name: &'a str,
    pub(super) uri: Option<&'a str>,
    pub(super) spoken_name: Option<&'a Audio>,
}

/// The table of a kind.
pub(super) fn table(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Recording => "recordings",
        ItemKind::Attendant => "attendants",
        ItemKind::Group => "hunt_groups",
        ItemKind::CallCenter => "call_centers",
        ItemKind::Trunk(TrunkKind::Line) => "lines",
        ItemKind::Trunk(TrunkKind::Gateway) => "gateways",
        ItemKind::Trunk(TrunkKind::Proxy) => "proxies",
    }
}

/// The numbers of a kind, ascending.
pub(super) async fn list(conn: &mut SqliteConnection, kind: ItemKind) -> Result<Reply, Stop> {
    let sql = format!("SELECT number FROM {} ORDER BY number LIMIT $1", table(kind));
    let numbers: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(i64::from(ITEMS_MAX)).fetch_all(conn).await?;
    Ok(Reply::Numbers(numbers.into_iter().filter_map(|number| u32::try_from(number).ok()).collect()))
}

/// The name, where there is such a thing.
pub(super) async fn name(
    conn: &mut SqliteConnection,
    kind: ItemKind,
    number: ItemNumber,
) -> Result<Option<String>, StoreError> {
    let sql = format!("SELECT name FROM {} WHERE number = $1", table(kind));
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(i64::from(number.0)).fetch_optional(conn).await?)
}

/// Refuses where there is no such thing.
pub(super) async fn must_be(conn: &mut SqliteConnection, kind: ItemKind, number: ItemNumber) -> Result<(), Stop> {
    name(conn, kind, number).await?.map(drop).ok_or(Refusal::Unknown.into())
}

pub(super) async fn add(
    write: &mut Write<'_>,
    kind: ItemKind,
    number: ItemNumber,
    item: &New<'_>,
) -> Result<AdminReply, AdminError> {
    if !(1..=ITEM_NUMBER_MAX).contains(&number.0) {
        return Err(SystemError::BadNumber.into());
    }
    check_name(item.name, "name", 1)?;
    if let Some(uri) = item.uri {
        trunks::check_uri(uri)?;
    }
    if name(write.conn(), kind, number).await?.is_some() {
        return Err(SystemError::ItemTaken(kind, number).into());
    }
    let sql = format!("SELECT COUNT(*) FROM {}", table(kind));
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(write.conn()).await?;
    if count >= i64::from(ITEMS_MAX) {
        return Err(SystemError::TooMany.into());
    }
    match kind {
        ItemKind::Trunk(kind) => trunks::insert(write, kind, number, item).await?,
        ItemKind::Recording | ItemKind::Attendant | ItemKind::Group | ItemKind::CallCenter => {
            if item.uri.is_some() || item.spoken_name.is_some() {
                return Err(SystemError::NoUri.into());
            }
            let sql = format!("INSERT INTO {} (number, name) VALUES ($1, $2)", table(kind));
            let query = sqlx::query(AssertSqlSafe(sql)).bind(i64::from(number.0)).bind(item.name);
            query.execute(write.conn()).await?;
        }
    }
    let data = json!({ "number": number.0, "name": item.name, "uri": item.uri });
    Ok(AdminReply::Changed(record(write, kind, "added", number, (None, Some(item.name)), data).await?))
}

pub(super) async fn delete(
    write: &mut Write<'_>,
    kind: ItemKind,
    number: ItemNumber,
) -> Result<AdminReply, AdminError> {
    // What goes with it has no change of its own, so this one says what it was.
    let members = if kind == ItemKind::Group { groups::usernames(write.conn(), number).await? } else { Vec::new() };
    let sql = format!("DELETE FROM {} WHERE number = $1 RETURNING name", table(kind));
    let name: Option<String> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(i64::from(number.0)).fetch_optional(write.conn()).await?;
    let name = name.ok_or(SystemError::UnknownItem(kind, number))?;
    let mut data = json!({ "number": number.0, "name": name });
    let mut before = name;
    for member in &members {
        before.push_str(&format!(", with {member}"));
    }
    if kind == ItemKind::Group {
        data["members"] = json!(members);
    }
    Ok(AdminReply::Changed(record(write, kind, "deleted", number, (Some(&before), None), data).await?))
}

/// Writes the change `KIND.WHAT` and its event of the same name.
pub(super) async fn record(
    write: &mut Write<'_>,
    kind: ItemKind,
    what: &str,
    number: ItemNumber,
    text: (Option<&str>, Option<&str>),
    data: serde_json::Value,
) -> Result<ChangeNumber, StoreError> {
    record_of(write, kind, what, number, None, text, data).await
}

/// The same for a change that is about an account too.
pub(super) async fn record_of(
    write: &mut Write<'_>,
    kind: ItemKind,
    what: &str,
    number: ItemNumber,
    account: Option<AccountId>,
    (before, after): (Option<&str>, Option<&str>),
    data: serde_json::Value,
) -> Result<ChangeNumber, StoreError> {
    let action = format!("{}.{what}", kind.name());
    let target = number.0.to_string();
    write.change_to(account, Change { action: &action, target: &target, before, after, event: (&action, data) }).await
}

/// The number that a change was about.
pub(super) fn number_of(target: &str) -> Result<ItemNumber, Stop> {
    target.parse().map(ItemNumber).map_err(|_| Refusal::CannotUndo.into())
}
