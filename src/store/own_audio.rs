//! What people have recorded of their own: the voicemail greeting and the spoken name, in versions.
//!
//! As with system recordings a version is never changed: keeping a take adds one and makes it live, going back makes an
//! older one live, and removing leaves none live.

use serde_json::json;
use sqlx::SqliteConnection;

use super::accounts::{Account, audio_of, bytes_of};
use super::error::StoreError;
use super::people::{self, Told};
use super::recordings::{check_length, duration_ms};
use super::rights::Stop;
use super::tx::Write;
use crate::access::{OwnAudio, Refusal};
use crate::model::{AccountId, Audio, ChangeNumber};

/// Versions of a greeting or a name that are kept; the live one besides.
const VERSIONS_KEPT_MAX: i64 = 5;
/// The change by which an older greeting is live again.
const RESTORED: &str = "greeting.restored";
/// The change by which no greeting is live.
const REMOVED: &str = "greeting.removed";

/// The name in the store and in the first word of the events.
fn name(which: OwnAudio) -> &'static str {
    match which {
        OwnAudio::Greeting => "greeting",
        OwnAudio::Name => "name",
    }
}

/// The event of any other version going live, and the change of a new one.
fn changed(which: OwnAudio) -> &'static str {
    match which {
        OwnAudio::Greeting => "greeting.changed",
        OwnAudio::Name => "name.changed",
    }
}

/// The live version; `None` where there is none.
pub(super) async fn live_version(
    conn: &mut SqliteConnection,
    id: AccountId,
    which: OwnAudio,
) -> Result<Option<i64>, StoreError> {
    let sql = match which {
        OwnAudio::Greeting => "SELECT greeting_version FROM accounts WHERE id = $1",
        OwnAudio::Name => "SELECT name_version FROM accounts WHERE id = $1",
    };
    let version: Option<Option<i64>> = sqlx::query_scalar(sql).bind(id.0).fetch_optional(conn).await?;
    Ok(version.flatten())
}

/// The live version's audio.
pub(super) async fn live(
    conn: &mut SqliteConnection,
    id: AccountId,
    which: OwnAudio,
) -> Result<Option<Audio>, StoreError> {
    let Some(version) = live_version(conn, id, which).await? else { return Ok(None) };
    let sql = "SELECT audio FROM account_audio WHERE account_id = $1 AND which = $2 AND version = $3";
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar(sql).bind(id.0).bind(name(which)).bind(version).fetch_optional(conn).await?;
    Ok(bytes.map(|bytes| audio_of(&bytes)))
}

/// The recorded name, which callers hear.
pub(super) async fn spoken_name(conn: &mut SqliteConnection, id: AccountId) -> Result<Option<Audio>, StoreError> {
    live(conn, id, OwnAudio::Name).await
}

/// Makes a take the live version.
pub(super) async fn keep(
    write: &mut Write<'_>,
    account: &Account,
    which: OwnAudio,
    audio: &Audio,
) -> Result<ChangeNumber, Stop> {
    if audio.0.is_empty() {
        return Err(Refusal::NothingThere.into());
    }
    check_length(write, audio)?;
    let before = live_version(write.conn(), account.id, which).await?;
    let (now, by) = (write.now(), write.who.name.clone().unwrap_or_default());
    let version: i64 = sqlx::query_scalar(
        "INSERT INTO account_audio (account_id, which, version, at, account, duration_ms, audio)
         VALUES ($1, $2, (SELECT COALESCE(MAX(version), 0) + 1 FROM account_audio WHERE account_id = $1 AND which = $2),
                 $3, $4, $5, $6) RETURNING version",
    )
    .bind(account.id.0)
    .bind(name(which))
    .bind(now)
    .bind(by)
    .bind(duration_ms(audio))
    .bind(bytes_of(audio))
    .fetch_one(write.conn())
    .await?;
    let sql = "DELETE FROM account_audio WHERE account_id = $1 AND which = $2 AND version <= $3 AND version <> $4";
    sqlx::query(sql)
        .bind(account.id.0)
        .bind(name(which))
        .bind(version - VERSIONS_KEPT_MAX)
        .bind(before.unwrap_or(0))
        .execute(write.conn())
        .await?;
    Ok(go_live(write, account, which, before, Some(version), changed(which)).await?)
}

/// Goes back to the newest greeting that is older than the live one; to the newest of all where none is live.
pub(super) async fn restore_greeting(write: &mut Write<'_>, account: &Account) -> Result<ChangeNumber, Stop> {
    let which = OwnAudio::Greeting;
    let before = live_version(write.conn(), account.id, which).await?;
    let sql = "SELECT version FROM account_audio WHERE account_id = $1 AND which = $2 AND version < $3
               ORDER BY version DESC LIMIT 1";
    let found: Option<i64> = sqlx::query_scalar(sql)
        .bind(account.id.0)
        .bind(name(which))
        .bind(before.unwrap_or(i64::MAX))
        .fetch_optional(write.conn())
        .await?;
    let version = found.ok_or(Refusal::NothingThere)?;
    Ok(go_live(write, account, which, before, Some(version), RESTORED).await?)
}

/// Leaves no greeting live.
pub(super) async fn remove_greeting(write: &mut Write<'_>, account: &Account) -> Result<ChangeNumber, Stop> {
    let which = OwnAudio::Greeting;
    let before = live_version(write.conn(), account.id, which).await?.ok_or(Refusal::NothingThere)?;
    Ok(go_live(write, account, which, Some(before), None, REMOVED).await?)
}

/// Puts back the version that was live; refused where it is no longer kept.
pub(super) async fn put_back(
    write: &mut Write<'_>,
    account: &Account,
    which: OwnAudio,
    version: Option<i64>,
) -> Result<ChangeNumber, Stop> {
    if let Some(version) = version {
        let sql = "SELECT version FROM account_audio WHERE account_id = $1 AND which = $2 AND version = $3";
        let kept: Option<i64> = sqlx::query_scalar(sql)
            .bind(account.id.0)
            .bind(name(which))
            .bind(version)
            .fetch_optional(write.conn())
            .await?;
        kept.ok_or(Refusal::CannotUndo)?;
    }
    let before = live_version(write.conn(), account.id, which).await?;
    let action = match (which, version) {
        (OwnAudio::Name, _) => changed(which),
        (OwnAudio::Greeting, Some(_)) => RESTORED,
        (OwnAudio::Greeting, None) => REMOVED,
    };
    Ok(go_live(write, account, which, before, version, action).await?)
}

async fn go_live(
    write: &mut Write<'_>,
    account: &Account,
    which: OwnAudio,
    before: Option<i64>,
    version: Option<i64>,
    action: &str,
) -> Result<ChangeNumber, StoreError> {
    let sql = match which {
        OwnAudio::Greeting => "UPDATE accounts SET greeting_version = $2 WHERE id = $1",
        OwnAudio::Name => "UPDATE accounts SET name_version = $2 WHERE id = $1",
    };
    sqlx::query(sql).bind(account.id.0).bind(version).execute(write.conn()).await?;
    let told_version = |version: i64| format!("version {version}");
    let (before, after) = (before.map(told_version), version.map(told_version));
    let told = Told {
        action,
        before: before.as_deref(),
        after: after.as_deref(),
        ..Told::new(changed(which), json!({ "version": version, "action": action }))
    };
    people::changed(write, account, told).await
}
