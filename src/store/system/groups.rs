//! Hunt groups and their members, in the order in which they are rung.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::items::{must_be, number_of, record_of};
use super::{Recorded, Store};
use crate::access::{ItemKind, People, Refusal, Reply};
use crate::model::{AccountId, ChangeNumber, Extension, ItemNumber};
use crate::store::accounts::{self, Account};
use crate::store::error::StoreError;
use crate::store::people;
use crate::store::rights::Stop;
use crate::store::tx::Write;

/// Most members of a hunt group; all of them are told by phone.
pub(super) const MEMBERS_MAX: i64 = 200;

/// A hunt group as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupRow {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The extensions of its members, in their order.
    pub members: Vec<String>,
}

pub(super) async fn members(conn: &mut SqliteConnection, number: ItemNumber) -> Result<Reply, Stop> {
    must_be(conn, ItemKind::Group, number).await?;
    let sql = "SELECT a.id, a.extension FROM hunt_group_members m JOIN accounts a ON a.id = m.account_id
               WHERE m.number = $1 ORDER BY m.position LIMIT $2";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(i64::from(number.0)).bind(MEMBERS_MAX).fetch_all(&mut *conn).await?;
    // Another program may have put in more than are listed.
    let sql = "SELECT COUNT(*) FROM hunt_group_members WHERE number = $1";
    let count: i64 = sqlx::query_scalar(sql).bind(i64::from(number.0)).fetch_one(&mut *conn).await?;
    let listed = people::named(conn, rows).await?;
    Ok(Reply::People(People { count: u32::try_from(count).unwrap_or(u32::MAX), listed }))
}

/// The members' usernames, which are unique over all sites, in their order.
pub(super) async fn usernames(conn: &mut SqliteConnection, number: ItemNumber) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT a.username FROM hunt_group_members m JOIN accounts a ON a.id = m.account_id
               WHERE m.number = $1 ORDER BY m.position, a.id";
    Ok(sqlx::query_scalar(sql).bind(i64::from(number.0)).fetch_all(conn).await?)
}

/// The place of a member.
async fn place(conn: &mut SqliteConnection, number: ItemNumber, id: AccountId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT position FROM hunt_group_members WHERE number = $1 AND account_id = $2";
    Ok(sqlx::query_scalar(sql).bind(i64::from(number.0)).bind(id.0).fetch_optional(conn).await?)
}

async fn account(write: &mut Write<'_>, extension: &Extension) -> Result<Account, Stop> {
    let site = write.ctx.site;
    let found = accounts::by_extension(write.conn(), site, extension).await?;
    found.ok_or(Refusal::OtherUnknown.into())
}

pub(super) async fn add(write: &mut Write<'_>, number: ItemNumber, extension: &Extension) -> Result<Reply, Stop> {
    must_be(write.conn(), ItemKind::Group, number).await?;
    let account = account(write, extension).await?;
    if place(write.conn(), number, account.id).await?.is_some() {
        return Err(Refusal::AlreadySo.into());
    }
    let sql = "SELECT COUNT(*), COALESCE(MAX(position), 0) FROM hunt_group_members WHERE number = $1";
    let (count, last): (i64, i64) = sqlx::query_as(sql).bind(i64::from(number.0)).fetch_one(write.conn()).await?;
    if count >= MEMBERS_MAX {
        return Err(Refusal::TooMany.into());
    }
    let position = match last.checked_add(1) {
        Some(position) => position,
        None => renumber(write.conn(), number).await?,
    };
    Ok(Reply::Changed(put_in(write, number, &account, position).await?))
}

pub(super) async fn remove(write: &mut Write<'_>, number: ItemNumber, extension: &Extension) -> Result<Reply, Stop> {
    must_be(write.conn(), ItemKind::Group, number).await?;
    let account = account(write, extension).await?;
    let position = place(write.conn(), number, account.id).await?.ok_or(Refusal::NothingThere)?;
    Ok(Reply::Changed(take_out(write, number, &account, position).await?))
}

/// Gives the members the positions from 1 on, in the order that they have, and says which one is free then. Another
/// program may have used up the positions.
async fn renumber(conn: &mut SqliteConnection, number: ItemNumber) -> Result<i64, StoreError> {
    let sql = "SELECT account_id FROM hunt_group_members WHERE number = $1 ORDER BY position, account_id";
    let members: Vec<i64> = sqlx::query_scalar(sql).bind(i64::from(number.0)).fetch_all(&mut *conn).await?;
    let mut position = 1;
    for id in members {
        let sql = "UPDATE hunt_group_members SET position = $3 WHERE number = $1 AND account_id = $2";
        sqlx::query(sql).bind(i64::from(number.0)).bind(id).bind(position).execute(&mut *conn).await?;
        position += 1;
    }
    Ok(position)
}

async fn put_in(
    write: &mut Write<'_>,
    number: ItemNumber,
    account: &Account,
    position: i64,
) -> Result<ChangeNumber, StoreError> {
    let sql = "INSERT INTO hunt_group_members (number, position, account_id) VALUES ($1, $2, $3)";
    sqlx::query(sql).bind(i64::from(number.0)).bind(position).bind(account.id.0).execute(write.conn()).await?;
    told(write, "member_added", number, account, position).await
}

async fn take_out(
    write: &mut Write<'_>,
    number: ItemNumber,
    account: &Account,
    position: i64,
) -> Result<ChangeNumber, StoreError> {
    let sql = "DELETE FROM hunt_group_members WHERE number = $1 AND account_id = $2";
    sqlx::query(sql).bind(i64::from(number.0)).bind(account.id.0).execute(write.conn()).await?;
    told(write, "member_removed", number, account, position).await
}

async fn told(
    write: &mut Write<'_>,
    what: &str,
    number: ItemNumber,
    account: &Account,
    position: i64,
) -> Result<ChangeNumber, StoreError> {
    let member = format!("{} at {position}", account.extension);
    let member = Some(member.as_str());
    let text = if what == "member_added" { (None, member) } else { (member, None) };
    let data = json!({ "number": number.0, "extension": account.extension.as_str() });
    record_of(write, ItemKind::Group, what, number, Some(account.id), text, data).await
}

/// Takes out who was put in, or puts back who was taken out, at the old place.
pub(super) async fn undo(write: &mut Write<'_>, change: &Recorded) -> Result<ChangeNumber, Stop> {
    let number = number_of(&change.target)?;
    must_be(write.conn(), ItemKind::Group, number).await?;
    let was_added = change.after.is_some();
    let member = change.after.as_deref().or(change.before.as_deref()).and_then(|text| text.split_once(" at "));
    let (_, position) = member.ok_or(Refusal::CannotUndo)?;
    let position: i64 = position.parse().map_err(|_| Refusal::CannotUndo)?;
    // Who has the extension now may be another, or at another site.
    let id = change.target_id.ok_or(Refusal::CannotUndo)?;
    let account = accounts::by_id(write.conn(), id).await?.ok_or(Refusal::ChangedSince)?;
    match (was_added, place(write.conn(), number, account.id).await?) {
        (true, Some(position)) => Ok(take_out(write, number, &account, position).await?),
        (false, None) => Ok(put_in(write, number, &account, position).await?),
        (true, None) | (false, Some(_)) => Err(Refusal::ChangedSince.into()),
    }
}

impl Store {
    /// All hunt groups, by number.
    pub async fn groups(&self) -> Result<Vec<GroupRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT g.number, g.name, a.extension FROM hunt_groups g
                   LEFT JOIN hunt_group_members m ON m.number = g.number LEFT JOIN accounts a ON a.id = m.account_id
                   ORDER BY g.number, m.position";
        let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        let mut groups: Vec<GroupRow> = Vec::new();
        for (number, name, member) in rows {
            match groups.last_mut() {
                Some(group) if group.number == number => group.members.extend(member),
                _ => groups.push(GroupRow { number, name, members: member.into_iter().collect() }),
            }
        }
        Ok(groups)
    }
}
