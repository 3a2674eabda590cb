//! Handsets: which there are in the whole store, and whose they are.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::Store;
use super::accounts::{self, Account};
use super::admin::AdminError;
use super::error::StoreError;
use super::people;
use super::rights::Stop;
use super::tx::{Change, Write};
use crate::access::Refusal;
use crate::model::{AccountId, ChangeNumber, Mac, SiteId};

/// Handsets that one list names.
const LISTED_MAX: i64 = 200;

/// A handset as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandsetRow {
    /// Its hardware address.
    pub mac: String,
    /// What it is.
    pub name: String,
    /// Whose it is; null where it is nobody's.
    pub extension: Option<String>,
    /// The site of that extension.
    pub site: Option<String>,
}

type HandsetTuple = (String, String, Option<String>, Option<String>);

impl Store {
    /// The handsets of a site's accounts and those of nobody, by hardware address.
    pub async fn handsets(&self, site: SiteId) -> Result<Vec<HandsetRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT h.mac, h.name, a.extension, s.name FROM handsets h
                   LEFT JOIN accounts a ON a.id = h.account_id LEFT JOIN sites s ON s.id = a.site_id
                   WHERE a.site_id = $1 OR h.account_id IS NULL ORDER BY h.mac";
        let rows: Vec<HandsetTuple> = sqlx::query_as(sql).bind(site.0).fetch_all(&mut *read).await?;
        let shown = |(mac, name, extension, site)| HandsetRow { mac, name, extension, site };
        Ok(rows.into_iter().map(shown).collect())
    }
}

/// The first handsets of an account, or of nobody, by hardware address.
pub(super) async fn list(conn: &mut SqliteConnection, owner: Option<AccountId>) -> Result<Vec<Mac>, StoreError> {
    let macs: Vec<String> = match owner {
        Some(id) => {
            let sql = "SELECT mac FROM handsets WHERE account_id = $1 ORDER BY mac LIMIT $2";
            sqlx::query_scalar(sql).bind(id.0).bind(LISTED_MAX).fetch_all(conn).await?
        }
        None => {
            let sql = "SELECT mac FROM handsets WHERE account_id IS NULL ORDER BY mac LIMIT $1";
            sqlx::query_scalar(sql).bind(LISTED_MAX).fetch_all(conn).await?
        }
    };
    Ok(macs.iter().filter_map(|mac| Mac::parse(mac)).collect())
}

/// Whose a handset is; the outer `None` where there is no such handset.
pub(super) async fn owner(conn: &mut SqliteConnection, mac: Mac) -> Result<Option<Option<AccountId>>, StoreError> {
    let sql = "SELECT account_id FROM handsets WHERE mac = $1";
    let owner: Option<Option<i64>> = sqlx::query_scalar(sql).bind(mac.to_string()).fetch_optional(conn).await?;
    Ok(owner.map(|id| id.map(AccountId)))
}

/// Gives a handset that is nobody's to an account.
pub(super) async fn assign(write: &mut Write<'_>, mac: Mac, account: &Account) -> Result<ChangeNumber, Stop> {
    if owner(write.conn(), mac).await?.ok_or(Refusal::OtherUnknown)?.is_some() {
        return Err(Refusal::AlreadySo.into());
    }
    set_owner(write, mac, Some(account.id)).await?;
    let extension = Some(account.extension.as_str());
    Ok(changed(write, mac, Some(account), ("handset.assigned", None, extension)).await?)
}

/// Takes a handset from its account.
pub(super) async fn remove(write: &mut Write<'_>, mac: Mac, account: &Account) -> Result<ChangeNumber, Stop> {
    let owner = owner(write.conn(), mac).await?.ok_or(Refusal::OtherUnknown)?;
    if owner != Some(account.id) {
        return Err(Refusal::NothingThere.into());
    }
    set_owner(write, mac, None).await?;
    let extension = Some(account.extension.as_str());
    Ok(changed(write, mac, Some(account), ("handset.removed", extension, None)).await?)
}

/// Adds a handset that is nobody's yet.
pub(super) async fn add(write: &mut Write<'_>, mac: Mac, name: &str) -> Result<ChangeNumber, AdminError> {
    people::check_name(name, "name", 0)?;
    if owner(write.conn(), mac).await?.is_some() {
        return Err(AdminError::HandsetTaken(mac));
    }
    let sql = "INSERT INTO handsets (mac, name, added_at) VALUES ($1, $2, $3)";
    let now = write.now();
    sqlx::query(sql).bind(mac.to_string()).bind(name).bind(now).execute(write.conn()).await?;
    Ok(changed(write, mac, None, ("handset.added", None, Some(name))).await?)
}

/// Deletes a handset, from whomever has it.
pub(super) async fn delete(write: &mut Write<'_>, mac: Mac) -> Result<ChangeNumber, AdminError> {
    let owner = owner_of(write, mac).await?;
    let sql = "DELETE FROM handsets WHERE mac = $1 RETURNING name";
    let name: String = sqlx::query_scalar(sql).bind(mac.to_string()).fetch_one(write.conn()).await?;
    Ok(changed(write, mac, owner.as_ref(), ("handset.deleted", Some(&name), None)).await?)
}

/// The account that has a handset.
pub(super) async fn owner_of(write: &mut Write<'_>, mac: Mac) -> Result<Option<Account>, AdminError> {
    let owner = owner(write.conn(), mac).await?.ok_or(AdminError::UnknownHandset(mac))?;
    match owner {
        Some(id) => Ok(accounts::by_id(write.conn(), id).await?),
        None => Ok(None),
    }
}

async fn set_owner(write: &mut Write<'_>, mac: Mac, owner: Option<AccountId>) -> Result<(), StoreError> {
    let sql = "UPDATE handsets SET account_id = $2 WHERE mac = $1";
    sqlx::query(sql).bind(mac.to_string()).bind(owner.map(|id| id.0)).execute(write.conn()).await?;
    Ok(())
}

/// Writes the rows of a change to a handset: its name, what was and what is.
async fn changed(
    write: &mut Write<'_>,
    mac: Mac,
    account: Option<&Account>,
    (action, before, after): (&str, Option<&str>, Option<&str>),
) -> Result<ChangeNumber, StoreError> {
    let mac = mac.to_string();
    let (site, extension) = (account.map(|a| a.site_name.as_str()), account.map(|a| a.extension.as_str()));
    let event = (action, json!({ "mac": mac, "extension": extension, "site": site }));
    write.change_to(account.map(|a| a.id), Change { action, target: &mac, before, after, event }).await
}
