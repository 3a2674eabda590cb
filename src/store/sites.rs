//! Sites: the servers of a network that share one store.

use serde::Serialize;
use serde_json::json;

use super::Store;
use super::accounts::{audio_of, bytes_of};
use super::admin::{AdminError, NAME_CHARS_MAX};
use super::error::StoreError;
use super::people;
use super::recordings::check_length;
use super::tx::{Change, Write};
use crate::model::{Audio, ChangeNumber, EXTENSION_DIGITS_MAX, SiteId};

/// Longest name of a site, in characters: a username `EXT@SITE` must fit its own limit.
const SITE_CHARS_MAX: usize = NAME_CHARS_MAX - EXTENSION_DIGITS_MAX - 1;

/// A site as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteRow {
    /// Its name.
    pub name: String,
    /// How many accounts it has.
    pub accounts: i64,
}

/// What callers hear of the site that they have called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenSite {
    /// How many sites there are; one alone is not spoken.
    pub sites: i64,
    /// Which one of them it is, counted from 1 in the order in which they were added.
    pub number: i64,
    /// Its recorded name.
    pub spoken_name: Option<Audio>,
}

impl Store {
    /// All sites, by name.
    pub async fn sites(&self) -> Result<Vec<SiteRow>, StoreError> {
        let mut read = self.read().await?;
        let sql =
            "SELECT s.name, (SELECT COUNT(*) FROM accounts a WHERE a.site_id = s.id) FROM sites s ORDER BY s.name";
        let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        Ok(rows.into_iter().map(|(name, accounts)| SiteRow { name, accounts }).collect())
    }

    /// What callers hear of a site after `welcome`.
    pub async fn spoken_site(&self, site: SiteId) -> Result<SpokenSite, StoreError> {
        let mut read = self.read().await?;
        let sql =
            "SELECT (SELECT COUNT(*) FROM sites), (SELECT COUNT(*) FROM sites b WHERE b.id <= s.id), s.spoken_name
                   FROM sites s WHERE s.id = $1";
        let row: Option<(i64, i64, Option<Vec<u8>>)> =
            sqlx::query_as(sql).bind(site.0).fetch_optional(&mut *read).await?;
        let row = row.ok_or_else(|| StoreError::Inconsistent(format!("no site of number {}", site.0)))?;
        let (sites, number, spoken_name) = row;
        Ok(SpokenSite { sites, number, spoken_name: spoken_name.map(|bytes| audio_of(&bytes)) })
    }
}

/// Checks the name of a site.
pub(super) fn check_name(name: &str) -> Result<(), AdminError> {
    people::check_name(name, "site's name", 1)?;
    if name.chars().count() > SITE_CHARS_MAX {
        return Err(AdminError::SiteNameTooLong(SITE_CHARS_MAX));
    }
    Ok(())
}

/// Adds a site.
pub(super) async fn add(
    write: &mut Write<'_>,
    name: &str,
    spoken_name: Option<&Audio>,
) -> Result<ChangeNumber, AdminError> {
    check_name(name)?;
    if let Some(audio) = spoken_name {
        if audio.0.is_empty() {
            return Err(AdminError::EmptyAudio);
        }
        check_length(write, audio)?;
    }
    let sql = "SELECT id FROM sites WHERE name = $1";
    let taken: Option<i64> = sqlx::query_scalar(sql).bind(name).fetch_optional(write.conn()).await?;
    if taken.is_some() {
        return Err(AdminError::SiteTaken(name.to_owned()));
    }
    let sql = "INSERT INTO sites (name, spoken_name) VALUES ($1, $2)";
    sqlx::query(sql).bind(name).bind(spoken_name.map(bytes_of)).execute(write.conn()).await?;
    let event = ("site.added", json!({ "site": name }));
    let change = Change { action: "site.added", target: name, before: None, after: Some(name), event };
    Ok(write.change(change).await?)
}
