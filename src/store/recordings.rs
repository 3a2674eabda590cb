//! System recordings: their versions, the drafts, and which version is live.
//!
//! A version is never changed. Keeping a take adds one and makes it live; going back makes an older one live.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::accounts::{audio_of, bytes_of};
use super::clock::{civil, rfc3339};
use super::error::StoreError;
use super::own_audio::spoken_name;
use super::rights::{Caller, Stop};
use super::tx::{Change, Outcome, Write};
use super::{Store, admin::AdminError};
use crate::access::{Refusal, Reply, RestoreTo};
use crate::model::{AccountId, Audio, Extension, RecordingNumber, SAMPLE_RATE, Wall};

/// Versions of a recording whose audio is kept; the factory one and the live one besides.
const VERSIONS_KEPT_MAX: i64 = 20;
/// Drafts that one account may have waiting; the oldest makes room.
const DRAFTS_MAX: i64 = 20;

/// Which version to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionWanted {
    /// The newest one that is older than the live one.
    Previous,
    /// The factory one.
    Factory,
    /// The one of that number.
    Number(u32),
}

impl From<RestoreTo> for VersionWanted {
    fn from(to: RestoreTo) -> Self {
        match to {
            RestoreTo::Previous => VersionWanted::Previous,
            RestoreTo::Factory => VersionWanted::Factory,
        }
    }
}

pub(super) async fn list_numbers(conn: &mut SqliteConnection) -> Result<Reply, Stop> {
    let numbers: Vec<i64> = sqlx::query_scalar("SELECT number FROM recordings ORDER BY number").fetch_all(conn).await?;
    Ok(Reply::Numbers(numbers.into_iter().filter_map(number_of).map(|n| n.0).collect()))
}

pub(super) async fn open(conn: &mut SqliteConnection, caller: &Caller, number: RecordingNumber) -> Result<Reply, Stop> {
    let live = live_version(conn, number).await?.ok_or(Refusal::Unknown)?;
    let factory = match live {
        Some(version) => is_factory(conn, number, version).await?,
        None => false,
    };
    let draft: Option<Vec<u8>> = match &caller.account {
        Some(account) => {
            let sql = "SELECT audio FROM drafts WHERE account_id = $1 AND number = $2";
            sqlx::query_scalar(sql).bind(account.id.0).bind(i64::from(number.0)).fetch_optional(conn).await?
        }
        None => None,
    };
    Ok(Reply::Recording { factory, draft: draft.map(|bytes| audio_of(&bytes)) })
}

pub(super) async fn listen(conn: &mut SqliteConnection, number: RecordingNumber) -> Result<Reply, Stop> {
    match live_version(conn, number).await?.ok_or(Refusal::Unknown)? {
        Some(version) => Ok(Reply::Audio(version_audio(conn, number, version).await?)),
        None => Ok(Reply::Audio(None)),
    }
}

pub(super) async fn who_changed(conn: &mut SqliteConnection, number: RecordingNumber) -> Result<Reply, Stop> {
    let sql = "SELECT live_version, changed_by_id, changed_by, changed_at FROM recordings WHERE number = $1";
    let row: Option<(Option<i64>, Option<i64>, String, i64)> =
        sqlx::query_as(sql).bind(i64::from(number.0)).fetch_optional(&mut *conn).await?;
    let (live, by_id, by, at) = row.ok_or(Refusal::Unknown)?;
    if live.is_none() {
        return Ok(Reply::Who { by: None, spoken_name: None, at: None });
    }
    let name = match by_id {
        Some(id) => spoken_name(conn, AccountId(id)).await?,
        None => None,
    };
    Ok(Reply::Who { by: Extension::parse(&by), spoken_name: name, at: civil(Wall(at)) })
}

/// Makes a take the live version and ends the caller's draft.
pub(super) async fn keep(
    write: &mut Write<'_>,
    caller: &Caller,
    number: RecordingNumber,
    audio: &Audio,
) -> Result<Reply, Stop> {
    let live = live_version(write.conn(), number).await?.ok_or(Refusal::Unknown)?;
    if audio.0.is_empty() {
        return Err(Refusal::NothingThere.into());
    }
    check_length(write, audio)?;
    let version = add_version(write, number, audio, false).await?;
    if let Some(account) = &caller.account {
        let sql = "DELETE FROM drafts WHERE account_id = $1 AND number = $2";
        sqlx::query(sql).bind(account.id.0).bind(i64::from(number.0)).execute(write.conn()).await?;
    }
    Ok(Reply::Changed(go_live(write, number, live, version, "recording.changed").await?))
}

/// Makes an older version live.
pub(super) async fn restore(
    write: &mut Write<'_>,
    number: RecordingNumber,
    wanted: VersionWanted,
) -> Result<Reply, Stop> {
    let live = live_version(write.conn(), number).await?.ok_or(Refusal::Unknown)?;
    let (sql, bound) = match wanted {
        VersionWanted::Previous => (
            "SELECT version FROM recording_versions WHERE number = $1 AND version < $2 AND audio IS NOT NULL
             ORDER BY version DESC LIMIT 1",
            live.unwrap_or(0),
        ),
        VersionWanted::Factory => (
            "SELECT version FROM recording_versions WHERE number = $1 AND version > $2 AND factory = 1
             AND audio IS NOT NULL ORDER BY version LIMIT 1",
            0,
        ),
        VersionWanted::Number(version) => (
            "SELECT version FROM recording_versions WHERE number = $1 AND version = $2 AND audio IS NOT NULL",
            i64::from(version),
        ),
    };
    let found: Option<i64> =
        sqlx::query_scalar(sql).bind(i64::from(number.0)).bind(bound).fetch_optional(write.conn()).await?;
    let version = found.filter(|version| Some(*version) != live).ok_or(Refusal::NothingThere)?;
    Ok(Reply::Changed(go_live(write, number, live, version, "recording.restored").await?))
}

pub(super) async fn save_draft(
    write: &mut Write<'_>,
    caller: &Caller,
    number: RecordingNumber,
    audio: &Audio,
) -> Result<Reply, Stop> {
    let account = caller.own()?.id;
    live_version(write.conn(), number).await?.ok_or(Refusal::Unknown)?;
    if audio.0.is_empty() {
        return Err(Refusal::NothingThere.into());
    }
    check_length(write, audio)?;
    let now = write.now();
    sqlx::query(
        "INSERT INTO drafts (account_id, number, at, audio) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, number) DO UPDATE SET at = $3, audio = $4",
    )
    .bind(account.0)
    .bind(i64::from(number.0))
    .bind(now)
    .bind(bytes_of(audio))
    .execute(write.conn())
    .await?;
    sqlx::query(
        "DELETE FROM drafts WHERE account_id = $1 AND number NOT IN
         (SELECT number FROM drafts WHERE account_id = $1 ORDER BY at DESC, number LIMIT $2)",
    )
    .bind(account.0)
    .bind(DRAFTS_MAX)
    .execute(write.conn())
    .await?;
    write.note("recording.draft_saved", Some(&number.0.to_string()), Outcome::Ok).await?;
    Ok(Reply::Done)
}

pub(super) async fn discard_draft(
    write: &mut Write<'_>,
    caller: &Caller,
    number: RecordingNumber,
) -> Result<Reply, Stop> {
    let sql = "DELETE FROM drafts WHERE account_id = $1 AND number = $2";
    let account = caller.own()?.id;
    let gone = sqlx::query(sql).bind(account.0).bind(i64::from(number.0)).execute(write.conn()).await?;
    if gone.rows_affected() == 0 {
        return Err(Refusal::NothingThere.into());
    }
    write.note("recording.draft_discarded", Some(&number.0.to_string()), Outcome::Ok).await?;
    Ok(Reply::Done)
}

/// Refuses audio that no recorder of ours makes.
pub(super) fn check_length(write: &Write<'_>, audio: &Audio) -> Result<(), StoreError> {
    let max = write.options.recording_s_max;
    let samples_max = usize::try_from(u64::from(max) * u64::from(SAMPLE_RATE)).unwrap_or(usize::MAX);
    if audio.0.len() > samples_max { Err(StoreError::AudioTooLong(max)) } else { Ok(()) }
}

/// Adds the next version; the audio of versions beyond the kept ones is dropped, never the factory's or the live one's.
pub(super) async fn add_version(
    write: &mut Write<'_>,
    number: RecordingNumber,
    audio: &Audio,
    factory: bool,
) -> Result<i64, StoreError> {
    let (now, account) = (write.now(), write.who.name.clone().unwrap_or_default());
    let version: i64 = sqlx::query_scalar(
        "INSERT INTO recording_versions (number, version, factory, at, account, duration_ms, audio)
         VALUES ($1, (SELECT COALESCE(MAX(version), 0) + 1 FROM recording_versions WHERE number = $1),
                 $2, $3, $4, $5, $6) RETURNING version",
    )
    .bind(i64::from(number.0))
    .bind(i64::from(factory))
    .bind(now)
    .bind(account)
    .bind(duration_ms(audio))
    .bind(bytes_of(audio))
    .fetch_one(write.conn())
    .await?;
    sqlx::query(
        "UPDATE recording_versions SET audio = NULL WHERE number = $1 AND version <= $2 AND factory = 0
         AND audio IS NOT NULL AND version <> (SELECT COALESCE(live_version, 0) FROM recordings WHERE number = $1)",
    )
    .bind(i64::from(number.0))
    .bind(version - VERSIONS_KEPT_MAX)
    .execute(write.conn())
    .await?;
    Ok(version)
}

/// Makes a version live, with the change, the event and the export; one step.
pub(super) async fn go_live(
    write: &mut Write<'_>,
    number: RecordingNumber,
    before: Option<i64>,
    version: i64,
    action: &str,
) -> Result<crate::model::ChangeNumber, StoreError> {
    let (now, who) = (write.now(), write.who.clone());
    sqlx::query(
        "UPDATE recordings SET live_version = $2, changed_by_id = $3, changed_by = $4, changed_at = $5
         WHERE number = $1",
    )
    .bind(i64::from(number.0))
    .bind(version)
    .bind(who.id)
    .bind(who.name.unwrap_or_default())
    .bind(now)
    .execute(write.conn())
    .await?;
    let target = number.0.to_string();
    write.export(&target).await?;
    let (before, after) = (before.map(|v| format!("version {v}")), format!("version {version}"));
    let event = ("recording.changed", json!({ "number": number.0, "version": version, "action": action }));
    let change = Change { action, target: &target, before: before.as_deref(), after: Some(&after), event };
    let made = write.change(change).await?;
    let sql = "UPDATE recording_versions SET change_number = $3
               WHERE number = $1 AND version = $2 AND change_number IS NULL";
    sqlx::query(sql).bind(i64::from(number.0)).bind(version).bind(made.0).execute(write.conn()).await?;
    Ok(made)
}

/// The live version of a recording; `None` where there is no such recording.
pub(super) async fn live_version(
    conn: &mut SqliteConnection,
    number: RecordingNumber,
) -> Result<Option<Option<i64>>, StoreError> {
    let sql = "SELECT live_version FROM recordings WHERE number = $1";
    Ok(sqlx::query_scalar(sql).bind(i64::from(number.0)).fetch_optional(conn).await?)
}

/// Whether the version that is asked for by its number, or as the factory one, is the live one.
pub(super) async fn is_live(
    conn: &mut SqliteConnection,
    number: RecordingNumber,
    wanted: VersionWanted,
) -> Result<bool, StoreError> {
    let Some(Some(live)) = live_version(conn, number).await? else { return Ok(false) };
    match wanted {
        VersionWanted::Previous => Ok(false),
        VersionWanted::Factory => is_factory(conn, number, live).await,
        VersionWanted::Number(version) => Ok(i64::from(version) == live),
    }
}

async fn is_factory(conn: &mut SqliteConnection, number: RecordingNumber, version: i64) -> Result<bool, StoreError> {
    let sql = "SELECT factory FROM recording_versions WHERE number = $1 AND version = $2";
    let factory: Option<i64> =
        sqlx::query_scalar(sql).bind(i64::from(number.0)).bind(version).fetch_optional(conn).await?;
    Ok(factory == Some(1))
}

async fn version_audio(
    conn: &mut SqliteConnection,
    number: RecordingNumber,
    version: i64,
) -> Result<Option<Audio>, StoreError> {
    let sql = "SELECT audio FROM recording_versions WHERE number = $1 AND version = $2";
    let bytes: Option<Option<Vec<u8>>> =
        sqlx::query_scalar(sql).bind(i64::from(number.0)).bind(version).fetch_optional(conn).await?;
    Ok(bytes.flatten().map(|bytes| audio_of(&bytes)))
}

fn number_of(stored: i64) -> Option<RecordingNumber> {
    u32::try_from(stored).ok().map(RecordingNumber)
}

/// How long audio lasts, in whole milliseconds.
pub(super) fn duration_ms(audio: &Audio) -> i64 {
    i64::try_from(audio.duration().as_millis()).unwrap_or(i64::MAX)
}

/// A recording as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordingRow {
    /// The number that callers key.
    pub number: u32,
    /// What it is.
    pub name: String,
    /// The live version; null where nothing has been recorded.
    pub version: Option<i64>,
    /// Whether the live version is the factory one.
    pub factory: bool,
    /// How long the live version lasts.
    pub duration_ms: Option<i64>,
    /// An extension, or `cli`.
    pub changed_by: String,
    /// RFC 3339.
    pub changed_at: String,
    /// Whether somebody's draft is waiting.
    pub draft: bool,
}

/// A version as `recording history` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionRow {
    /// 1, 2, 3 …
    pub version: i64,
    /// Whether it is the live one.
    pub live: bool,
    /// Whether it is the factory one.
    pub factory: bool,
    /// How long it lasts.
    pub duration_ms: i64,
    /// RFC 3339.
    pub at: String,
    /// An extension, or `cli`.
    pub account: String,
    /// The change that made it.
    pub change: Option<i64>,
    /// Whether its audio is still kept.
    pub kept: bool,
}

type RecordingTuple = (i64, String, Option<i64>, Option<i64>, Option<i64>, String, i64, i64);
type VersionTuple = (i64, i64, i64, i64, String, Option<i64>, i64);

impl Store {
    /// All recordings, by number.
    pub async fn recordings(&self) -> Result<Vec<RecordingRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT r.number, r.name, r.live_version, v.factory, v.duration_ms, r.changed_by, r.changed_at,
                   (SELECT COUNT(*) FROM drafts d WHERE d.number = r.number) FROM recordings r
                   LEFT JOIN recording_versions v ON v.number = r.number AND v.version = r.live_version
                   ORDER BY r.number";
        let rows: Vec<RecordingTuple> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        let shown = |(number, name, version, factory, duration_ms, changed_by, at, drafts): RecordingTuple| {
            Some(RecordingRow {
                number: u32::try_from(number).ok()?,
                name,
                version,
                factory: factory == Some(1),
                duration_ms,
                changed_by,
                changed_at: rfc3339(Wall(at)),
                draft: drafts > 0,
            })
        };
        Ok(rows.into_iter().filter_map(shown).collect())
    }

    /// One recording.
    pub async fn recording(&self, number: RecordingNumber) -> Result<RecordingRow, AdminError> {
        let all = self.recordings().await?;
        all.into_iter().find(|row| row.number == number.0).ok_or(AdminError::UnknownRecording(number))
    }

    /// The versions of a recording, oldest first.
    pub async fn recording_history(&self, number: RecordingNumber) -> Result<Vec<VersionRow>, AdminError> {
        let mut read = self.read().await?;
        let live = live_version(&mut read, number).await?.ok_or(AdminError::UnknownRecording(number))?;
        let sql = "SELECT version, factory, duration_ms, at, account, change_number,
                   CASE WHEN audio IS NULL THEN 0 ELSE 1 END FROM recording_versions WHERE number = $1 ORDER BY version";
        let rows: Vec<VersionTuple> =
            sqlx::query_as(sql).bind(i64::from(number.0)).fetch_all(&mut *read).await.map_err(StoreError::from)?;
        let shown = |(version, factory, duration_ms, at, account, change, kept): VersionTuple| VersionRow {
            version,
            live: live == Some(version),
            factory: factory == 1,
            duration_ms,
            at: rfc3339(Wall(at)),
            account,
            change,
            kept: kept != 0,
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// The audio of a version (of the live one where `None`).
    pub async fn recording_audio(
        &self,
        number: RecordingNumber,
        version: Option<u32>,
    ) -> Result<Option<Audio>, AdminError> {
        let mut read = self.read().await?;
        let live = live_version(&mut read, number).await?.ok_or(AdminError::UnknownRecording(number))?;
        match version.map(i64::from).or(live) {
            Some(version) => Ok(version_audio(&mut read, number, version).await?),
            None => Ok(None),
        }
    }
}
