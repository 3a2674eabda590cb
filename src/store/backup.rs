//! Backups as rows: asking for one, how it went, which there are. [`crate::effects`] makes and reads the files.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::Store;
use super::clock::{civil, file_time, parse_file_time, rfc3339};
use super::error::StoreError;
use super::intents::{IntentKind, IntentState, New, shortened};
use super::reboot::SYSTEM;
use super::retention;
use super::rights::{self, Caller, Stop};
use super::tx::{Change, Outcome, Who, Write};
use crate::access::{Action, Actor, BackupState, Context, Refusal, Reply};
use crate::model::Wall;

/// A row without a file is given up after this, in milliseconds; no copy takes that long.
const ABANDONED_AFTER_MS: i64 = 86_400_000;
/// The highest number of a backup that is believed: who can write a file or a row could use all numbers up.
pub const BACKUP_NUMBER_MAX: i64 = 1_000_000_000_000;

/// A backup as `backup list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupRow {
    /// Its number.
    pub id: i64,
    /// When it was begun, RFC 3339.
    pub at: String,
    /// The name of its file.
    pub file: String,
    /// The size of its file.
    pub bytes: i64,
    /// The SHA-256 of its file, in lower-case hex.
    pub sha256: String,
    /// When it was last found whole, RFC 3339; null where it was found damaged, or was never looked at.
    pub verified_at: Option<String>,
}

/// A backup as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its number.
    pub id: i64,
    /// When it was begun.
    pub at: Wall,
    /// The name of its file.
    pub file: String,
    /// The size of its file.
    pub bytes: i64,
    /// The SHA-256 of its file, in lower-case hex.
    pub sha256: String,
    /// When it was last found whole.
    pub verified_at: Option<Wall>,
    /// When its file was deleted.
    pub deleted_at: Option<Wall>,
}

impl From<Backup> for BackupRow {
    fn from(backup: Backup) -> Self {
        let Backup { id, at, file, bytes, sha256, verified_at, deleted_at: _ } = backup;
        Self { id, at: rfc3339(at), file, bytes, sha256, verified_at: verified_at.map(rfc3339) }
    }
}

/// A backup that has a row and no file yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub id: i64,
    /// The name that its file will have.
    pub file: String,
}

/// The name of a backup's file: `switchhook-20260131T081500Z-7.db`.
pub fn backup_file(at: Wall, id: i64) -> String {
    format!("switchhook-{}Z-{id}.db", file_time(at))
}

/// The time and the number in the name of a backup's file; `None` for any other name.
pub fn parse_backup_file(name: &str) -> Option<(Wall, i64)> {
    let (time, id) = name.strip_prefix("switchhook-")?.strip_suffix(".db")?.split_once("Z-")?;
    let (at, id) = (parse_file_time(time)?, id.parse().ok()?);
    let is_ours = (1..=BACKUP_NUMBER_MAX).contains(&id) && backup_file(at, id) == name;
    is_ours.then_some((at, id))
}

/// Asks for a backup, unless one is on its way.
pub(super) async fn request(write: &mut Write<'_>) -> Result<Reply, Stop> {
    let sql = "SELECT id FROM intents WHERE kind = 'backup' AND state IN ('requested', 'claimed') LIMIT 1";
    let open: Option<i64> = sqlx::query_scalar(sql).fetch_optional(write.conn()).await?;
    if open.is_some() {
        return Err(Refusal::AlreadySo.into());
    }
    let action = "backup.requested";
    let change = Change { action, target: SYSTEM, before: None, after: None, event: (action, json!({})) };
    let change = write.change(change).await?;
    let intent = New {
        kind: IntentKind::Backup,
        state: IntentState::Requested,
        subject: "store",
        payload: "",
        due_at: None,
        change: Some(change.0),
        after: None,
    };
    Ok(Reply::BackupStarted { id: write.intent(&intent).await?, change })
}

/// The last backup whose file is there and was found whole.
pub(super) async fn last(conn: &mut SqliteConnection) -> Result<Reply, Stop> {
    // By number: the clock may have been set back.
    let sql = "SELECT at, bytes FROM backups WHERE bytes IS NOT NULL AND verified_at IS NOT NULL
               AND deleted_at IS NULL ORDER BY id DESC LIMIT 1";
    let row: Option<(i64, i64)> = sqlx::query_as(sql).fetch_optional(conn).await?;
    let last = row.and_then(|(at, bytes)| Some((civil(Wall(at))?, u64::try_from(bytes).unwrap_or(0))));
    Ok(Reply::LastBackup { last })
}

/// How far it is, and whether that is news for the caller, who hears it now.
async fn state_of(
    conn: &mut SqliteConnection,
    ctx: &Context,
    actor: &Actor,
    action: &Action,
    id: i64,
) -> Result<(BackupState, bool), Stop> {
    let caller = rights::authorise(conn, ctx, actor, action).await?;
    let sql = "SELECT i.state, i.news, i.requested_by_id, b.bytes FROM intents i
               LEFT JOIN backups b ON b.intent_id = i.id WHERE i.id = $1 AND i.kind = 'backup'";
    let row: Option<(String, i64, Option<i64>, Option<i64>)> =
        sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    let (state, news, asked_by, bytes) = row.ok_or(Refusal::Unknown)?;
    let state = match IntentState::parse(&state)? {
        IntentState::Requested | IntentState::Waiting | IntentState::Claimed => BackupState::Running,
        IntentState::Done => BackupState::Done(bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)),
        IntentState::Failed | IntentState::Unknown | IntentState::Cancelled => BackupState::Failed,
    };
    let is_own = asked_by.is_some() && asked_by == caller.who().id;
    Ok((state, is_own && state != BackupState::Running && matches!(news, 1 | 2)))
}

impl Store {
    /// [`Action::ReadBackup`]. Who has asked for it and hears here how it ended is not told again at the next login.
    pub(super) async fn read_backup(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        id: i64,
    ) -> Result<Reply, StoreError> {
        let mut read = self.read().await?;
        let outcome = state_of(&mut read, ctx, actor, action, id).await;
        drop(read);
        if matches!(outcome, Ok((_, true)))
            && let Err(error) = self.forget_news(ctx, id).await
        {
            tracing::warn!(intent = id, %error, "how a backup ended will be told again");
        }
        self.settle(ctx, actor, action, outcome.map(|(state, _)| Reply::Backup(state))).await
    }

    async fn forget_news(&self, ctx: &Context, id: i64) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE intents SET news = 3 WHERE id = $1 AND news IN (1, 2)";
        sqlx::query(sql).bind(id).execute(write.conn()).await?;
        write.commit().await
    }

    /// Makes the row of a backup that begins now. The intent that asks for it is its key: where that has begun one
    /// before, it is the same again.
    pub async fn begin_backup(&self, ctx: &Context, intent: Option<i64>) -> Result<Begun, StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "SELECT id, file FROM backups WHERE intent_id = $1";
        let before: Option<(i64, String)> = sqlx::query_as(sql).bind(intent).fetch_optional(write.conn()).await?;
        if let Some((id, file)) = before {
            return Ok(Begun { id, file });
        }
        let sql = "INSERT INTO backups (at, file, intent_id) VALUES ($1, '', $2) RETURNING id";
        let id: i64 = sqlx::query_scalar(sql).bind(ctx.now.0).bind(intent).fetch_one(write.conn()).await?;
        let file = backup_file(ctx.now, id);
        let sql = "UPDATE backups SET file = $2 WHERE id = $1";
        sqlx::query(sql).bind(id).bind(&file).execute(write.conn()).await?;
        write.commit().await?;
        Ok(Begun { id, file })
    }

    /// Records that a backup's file is whole and in its place, with its audit row and the event for the hooks; ends
    /// the intent that asked for it, which becomes news for who asked.
    pub async fn complete_backup(&self, ctx: &Context, id: i64, bytes: i64, sha256: &str) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE backups SET bytes = $2, sha256 = $3, verified_at = $4, deleted_at = NULL WHERE id = $1
                   RETURNING file, intent_id";
        let (file, intent): (String, Option<i64>) =
            sqlx::query_as(sql).bind(id).bind(bytes).bind(sha256).bind(ctx.now.0).fetch_one(write.conn()).await?;
        let change = end_intent(&mut write, intent, IntentState::Done, &file).await?;
        let target = id.to_string();
        write.note("backup.done", Some(&target), Outcome::Ok).await?;
        let data = json!({ "id": id, "file": file, "bytes": bytes, "sha256": sha256 });
        write.event("backup.done", &target, change, data).await?;
        write.commit().await
    }

    /// Records that a backup could not be made, likewise.
    pub async fn fail_backup(&self, ctx: &Context, id: i64, why: &str) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE backups SET deleted_at = $2 WHERE id = $1 RETURNING intent_id";
        let intent: Option<i64> = sqlx::query_scalar(sql).bind(id).bind(ctx.now.0).fetch_one(write.conn()).await?;
        let change = end_intent(&mut write, intent, IntentState::Failed, why).await?;
        let target = id.to_string();
        write.note("backup.failed", Some(&target), Outcome::Failed).await?;
        write.event("backup.failed", &target, change, json!({ "id": id, "detail": shortened(why) })).await?;
        write.commit().await
    }

    /// The backups whose files are there, oldest first.
    pub async fn backups(&self) -> Result<Vec<Backup>, StoreError> {
        let mut all = self.all_backups().await?;
        all.retain(|backup| backup.deleted_at.is_none());
        Ok(all)
    }

    /// All backups that ever were whole, oldest first; the files of those that are deleted are gone.
    pub async fn all_backups(&self) -> Result<Vec<Backup>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT id, at, file, bytes, sha256, verified_at, deleted_at FROM backups
                   WHERE bytes IS NOT NULL ORDER BY id";
        let rows: Vec<BackupTuple> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        Ok(rows.into_iter().map(backup).collect())
    }

    /// Records whether a backup's file was found whole, with its audit row.
    pub async fn note_verified(&self, ctx: &Context, id: i64, is_whole: bool) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        write.who = Caller::shell().who();
        let sql = "UPDATE backups SET verified_at = $2 WHERE id = $1";
        let at = is_whole.then_some(ctx.now.0);
        sqlx::query(sql).bind(id).bind(at).execute(write.conn()).await?;
        let outcome = if is_whole { Outcome::Ok } else { Outcome::Failed };
        write.note("backup.verified", Some(&id.to_string()), outcome).await?;
        write.commit().await
    }

    /// The backups that are not kept, oldest first: kept are of the good ones the newest `keep` (the last good one always)
    /// and the last one of each of the last `keep` days that have any. Which is newer their numbers say, so that a clock
    /// that was wrong for a while takes no new backup for an old one. One that is not good goes when it is older than the
    /// newest `keep`; what was begun a day ago and has no file goes too.
    pub async fn backups_to_prune(&self, ctx: &Context, keep: u32) -> Result<Vec<Begun>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT id, at, file, bytes, verified_at FROM backups WHERE deleted_at IS NULL ORDER BY id DESC";
        let rows: Vec<Kept> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        drop(read);
        let keep = usize::try_from(keep.max(1)).unwrap_or(usize::MAX);
        let is_good = |bytes: Option<i64>, verified_at: Option<i64>| bytes.is_some() && verified_at.is_some();
        let good: Vec<(i64, String)> =
            rows.iter().filter(|row| is_good(row.3, row.4)).map(|row| (row.0, day_of(Wall(row.1)))).collect();
        let days: Vec<&str> = good.iter().map(|(_, day)| day.as_str()).collect();
        let kept = retention::kept(&days, keep);
        let kept: HashSet<i64> = good.iter().zip(kept).filter(|(_, kept)| *kept).map(|((id, _), _)| *id).collect();
        let oldest_kept = good.get(keep - 1).map_or(i64::MIN, |(id, _)| *id);
        let abandoned = ctx.now.0.saturating_sub(ABANDONED_AFTER_MS);
        let goes = |(id, at, _, bytes, _): &Kept| match bytes {
            Some(_) => *id < oldest_kept && !kept.contains(id),
            None => *at < abandoned,
        };
        let gone = rows.into_iter().rev().filter(goes);
        Ok(gone.map(|(id, _, file, ..)| Begun { id, file }).collect())
    }

    /// Records that a backup's file was deleted to make room, with its audit row.
    pub async fn note_deleted(&self, ctx: &Context, id: i64) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE backups SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        let noted = sqlx::query(sql).bind(id).bind(ctx.now.0).execute(write.conn()).await?.rows_affected();
        if noted > 0 {
            write.note("backup.deleted", Some(&id.to_string()), Outcome::Ok).await?;
        }
        write.commit().await
    }
}

/// Such as `20260131`, in UTC.
fn day_of(at: Wall) -> String {
    file_time(at).chars().take(8).collect()
}

/// Number, time, file; size and time of the last verification where it is whole.
type Kept = (i64, i64, String, Option<i64>, Option<i64>);
type BackupTuple = (i64, i64, String, i64, String, Option<i64>, Option<i64>);

fn backup((id, at, file, bytes, sha256, verified_at, deleted_at): BackupTuple) -> Backup {
    let (verified_at, deleted_at) = (verified_at.map(Wall), deleted_at.map(Wall));
    Backup { id, at: Wall(at), file, bytes, sha256, verified_at, deleted_at }
}

/// Ends the intent that asked for a backup and makes it news; from here on the transaction is in the name of who asked
/// (the shell where there is no intent). Gives the number of the change.
async fn end_intent(
    write: &mut Write<'_>,
    intent: Option<i64>,
    state: IntentState,
    detail: &str,
) -> Result<Option<i64>, StoreError> {
    let Some(intent) = intent else {
        write.who = Caller::shell().who();
        return Ok(None);
    };
    let sql = "UPDATE intents SET state = $2, finished_at = $3, detail = $4, news = 1
               WHERE id = $1 AND state = 'claimed' RETURNING requested_by_id, requested_by, change_number";
    let ended: Option<(Option<i64>, String, Option<i64>)> = sqlx::query_as(sql)
        .bind(intent)
        .bind(state.name())
        .bind(write.now())
        .bind(shortened(detail))
        .fetch_optional(write.conn())
        .await?;
    let Some((id, name, change)) = ended else { return Ok(None) };
    write.who = Who { id, name: Some(name) };
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_backups() {
        let name = "switchhook-20260301T233000Z-12.db";
        assert_eq!(parse_backup_file(name), Some((Wall(1_772_407_800_000), 12)));
        let highest = name.replace("-12", "-1000000000000");
        assert_eq!(parse_backup_file(&highest), Some((Wall(1_772_407_800_000), 1_000_000_000_000)));
        for other in [
            "switchhook.db",
            "switchhook-20260301T233000Z-012.db",
            "switchhook-20260301T233000Z-.db",
            "switchhook-20260301T233000Z-0.db",
            "switchhook-20260301T233000Z--12.db",
            "switchhook-20260301T233000Z-1000000000001.db",
            "switchhook-20260301T233000Z-9223372036854775807.db",
            "switchhook-20260231T233000Z-12.db",
            "../switchhook-20260301T233000Z-12.db",
            ".switchhook-20260301T233000Z-12.db.tmp",
            "switchhook-20260301T233000Z-12.db-journal",
        ] {
            assert_eq!(parse_backup_file(other), None, "{other}");
        }
    }
}
