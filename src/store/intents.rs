//! Intents: what is to be done outside the store, committed with the change that asks for it, its outcome recorded.
//!
//! ```text
//! reboot  requested ─ due ─┐
//!         waiting  ─ idle ─┴► claimed ─► done | failed | unknown       requested, waiting ─► cancelled | failed
//!                                                       unknown ─► done
//! export, hook, backup, logging  requested ─► claimed ─► done | failed  claimed ─► requested (retry, restart)
//! ```

use serde::Serialize;
use serde_json::json;
use sqlx::query::QueryScalar;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use super::Store;
use super::clock::rfc3339;
use super::error::StoreError;
use super::reboot::{self, SYSTEM};
use super::rights::{Caller, Stop};
use super::tx::{Outcome, Who, Write};
use super::wanted::Wanted;
use crate::access::{Context, News, Reply};
use crate::model::{AccountId, Wall};

/// Finished intents that are kept for `command list`; the audit trail keeps reboots for ever.
const FINISHED_INTENTS_MAX: i64 = 10_000;
/// Events that wait for one hook; beyond it the oldest are failed.
const HOOK_BACKLOG_MAX: i64 = 1000;
/// How long a hook waits for the export of its recording, in milliseconds; longer than all tries of an export.
const EXPORT_WAIT_MS_MAX: i64 = 600_000;
/// Longest outcome that is kept, in characters.
const DETAIL_CHARS_MAX: usize = 500;

/// What kind of thing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentKind {
    /// Reboot the machine.
    Reboot,
    /// Write a recording where the PBX reads it.
    Export,
    /// Tell a program.
    Hook,
    /// Copy the store into one verified file.
    Backup,
    /// Change the log's level, or begin another log file.
    Logging,
}

impl IntentKind {
    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            IntentKind::Reboot => "reboot",
            IntentKind::Export => "export",
            IntentKind::Hook => "hook",
            IntentKind::Backup => "backup",
            IntentKind::Logging => "logging",
        }
    }
}

/// How far an intent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentState {
    /// To be done, when it is due.
    Requested,
    /// To be done when no call is left.
    Waiting,
    /// Being done.
    Claimed,
    /// Done.
    Done,
    /// Not done.
    Failed,
    /// Perhaps done; never done again by itself.
    Unknown,
    /// Taken back before it began.
    Cancelled,
}

impl IntentState {
    const ALL: [IntentState; 7] = [
        IntentState::Requested,
        IntentState::Waiting,
        IntentState::Claimed,
        IntentState::Done,
        IntentState::Failed,
        IntentState::Unknown,
        IntentState::Cancelled,
    ];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            IntentState::Requested => "requested",
            IntentState::Waiting => "waiting",
            IntentState::Claimed => "claimed",
            IntentState::Done => "done",
            IntentState::Failed => "failed",
            IntentState::Unknown => "unknown",
            IntentState::Cancelled => "cancelled",
        }
    }

    pub(super) fn parse(name: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| StoreError::Inconsistent(format!("the intent state `{name}`")))
    }
}

/// An intent to be written.
pub(super) struct New<'a> {
    pub(super) kind: IntentKind,
    pub(super) state: IntentState,
    pub(super) subject: &'a str,
    pub(super) payload: &'a str,
    pub(super) due_at: Option<i64>,
    pub(super) change: Option<i64>,
    /// The export that a hook waits for.
    pub(super) after: Option<i64>,
}

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    who: &Who,
    now: i64,
    intent: &New<'_>,
) -> Result<i64, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO intents (kind, state, subject, payload, requested_by_id, requested_by, requested_at, due_at,
         change_number, after_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
    )
    .bind(intent.kind.name())
    .bind(intent.state.name())
    .bind(intent.subject)
    .bind(intent.payload)
    .bind(who.id)
    .bind(who.name.as_deref().unwrap_or_default())
    .bind(now)
    .bind(intent.due_at)
    .bind(intent.change)
    .bind(intent.after)
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// Fails the oldest intents of a hook beyond [`HOOK_BACKLOG_MAX`]: its program has not kept up for long.
pub(super) async fn cap_backlog(conn: &mut SqliteConnection, now: i64, hook: &str) -> Result<(), StoreError> {
    let sql = "UPDATE intents SET state = 'failed', finished_at = $2, detail = $3
               WHERE kind = 'hook' AND subject = $1 AND state = 'requested' AND id <=
               (SELECT id FROM intents WHERE kind = 'hook' AND subject = $1 AND state = 'requested'
                ORDER BY id DESC LIMIT 1 OFFSET $4)";
    let detail = format!("given up: {HOOK_BACKLOG_MAX} later events wait for this hook");
    let failed =
        sqlx::query(sql).bind(hook).bind(now).bind(detail).bind(HOOK_BACKLOG_MAX).execute(conn).await?.rows_affected();
    if failed > 0 {
        tracing::error!(
            hook,
            failed,
            kept = HOOK_BACKLOG_MAX,
            "a hook does not keep up: its oldest events are given up"
        );
    }
    Ok(())
}

/// The name by which a hook is known in the store.
pub(super) fn hook_key(run: &[String]) -> String {
    json!(run).to_string()
}

/// Whether an event's name fits a pattern, in which `*` stands for any run of characters.
pub fn matches(pattern: &str, event: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == event };
    let Some(mut left) = event.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

/// The news for someone who has just logged in; offered again until [`news_heard`].
pub(super) async fn take_news(write: &mut Write<'_>, id: AccountId) -> Result<Vec<News>, StoreError> {
    let sql = "UPDATE intents SET news = 2 WHERE requested_by_id = $1 AND news IN (1, 2) RETURNING id, kind, state";
    let mut rows: Vec<(i64, String, String)> = sqlx::query_as(sql).bind(id.0).fetch_all(write.conn()).await?;
    rows.sort_unstable();
    let mut news = Vec::new();
    for (_, kind, state) in rows {
        let is_backup = kind == IntentKind::Backup.name();
        news.push(match IntentState::parse(&state)? {
            IntentState::Done if is_backup => News::BackupDone,
            IntentState::Failed | IntentState::Unknown if is_backup => News::BackupFailed,
            IntentState::Done => News::RebootDone,
            IntentState::Failed => News::RebootFailed,
            IntentState::Unknown => News::RebootUnknown,
            IntentState::Requested | IntentState::Waiting | IntentState::Claimed | IntentState::Cancelled => continue,
        });
    }
    Ok(news)
}

/// Marks what was offered at the login as heard, not what has ended since.
pub(super) async fn news_heard(write: &mut Write<'_>, caller: &Caller) -> Result<Reply, Stop> {
    let sql = "UPDATE intents SET news = 3 WHERE requested_by_id = $1 AND news = 2";
    sqlx::query(sql).bind(caller.own()?.id.0).execute(write.conn()).await?;
    Ok(Reply::Done)
}

/// An intent that may be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its number: the key by which what is done twice is known.
    pub id: i64,
    /// How far it is.
    pub state: IntentState,
    /// What it is about: a recording's number, a hook's command.
    pub subject: String,
    /// What a hook is told.
    pub payload: String,
    /// When it was asked for.
    pub requested_at: Wall,
    /// Not before.
    pub due_at: Option<Wall>,
    /// The boot id: since it began to wait, or of the claim.
    pub boot_id: Option<String>,
    /// How often it was tried, this time included.
    pub tries: u32,
}

type DueTuple = (i64, String, String, String, i64, Option<i64>, Option<String>, i64);

fn due((id, state, subject, payload, requested_at, due_at, boot_id, tries): DueTuple) -> Result<Due, StoreError> {
    Ok(Due {
        id,
        state: IntentState::parse(&state)?,
        subject,
        payload,
        requested_at: Wall(requested_at),
        due_at: due_at.map(Wall),
        boot_id,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
    })
}

/// An intent as `command list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandRow {
    /// Its number.
    pub id: i64,
    /// `reboot`, `export`, `hook`, `backup` or `logging`.
    pub kind: String,
    /// How far it is.
    pub state: String,
    /// An extension, or `cli`.
    pub requested_by: String,
    /// RFC 3339.
    pub requested_at: String,
    /// RFC 3339; null while it is not finished.
    pub finished_at: Option<String>,
    /// What came of it.
    pub detail: Option<String>,
    /// A recording's number, a hook's command, `now` or `idle`, `store`, `detailed`, `normal` or `new file`.
    pub subject: String,
}

type CommandTuple = (i64, String, String, String, i64, Option<i64>, Option<String>, String);

/// Looks for the number of the next intent.
type NextId = QueryScalar<'static, Sqlite, i64, SqliteArguments>;

/// What [`crate::effects`] asks for.
impl Store {
    /// All intents that are kept, oldest first.
    pub async fn commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT id, kind, state, requested_by, requested_at, finished_at, detail, subject FROM intents
                   ORDER BY id";
        let rows: Vec<CommandTuple> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        let shown = |(id, kind, state, requested_by, at, finished_at, detail, subject): CommandTuple| CommandRow {
            id,
            kind,
            state,
            requested_by,
            requested_at: rfc3339(Wall(at)),
            finished_at: finished_at.map(|at| rfc3339(Wall(at))),
            detail,
            subject,
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Reboots that have not ended.
    pub async fn open_reboots(&self) -> Result<Vec<Due>, StoreError> {
        self.reboots(
            "SELECT id, state, subject, payload, requested_at, due_at, boot_id, tries FROM intents
             WHERE kind = 'reboot' AND state IN ('requested', 'waiting', 'claimed') ORDER BY id",
        )
        .await
    }

    /// Reboots of which it is not known whether they happened.
    pub async fn unknown_reboots(&self) -> Result<Vec<Due>, StoreError> {
        self.reboots(
            "SELECT id, state, subject, payload, requested_at, due_at, boot_id, tries FROM intents
             WHERE kind = 'reboot' AND state = 'unknown' ORDER BY id",
        )
        .await
    }

    async fn reboots(&self, sql: &'static str) -> Result<Vec<Due>, StoreError> {
        let mut read = self.read().await?;
        let rows: Vec<DueTuple> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        rows.into_iter().map(due).collect()
    }

    /// Notes since which boot a reboot waits, where that is not noted yet.
    pub async fn stamp_reboot(&self, ctx: &Context, id: i64, boot_id: &str) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE intents SET boot_id = $2 WHERE id = $1 AND boot_id IS NULL";
        sqlx::query(sql).bind(id).bind(boot_id).execute(write.conn()).await?;
        write.commit().await
    }

    /// Claims a reboot under the machine's boot id, with its audit row; `false` where it was cancelled or claimed
    /// meanwhile, and where who asked may not reboot any more: then it is cancelled here. Only after `true` may the
    /// command run.
    pub async fn claim_reboot(&self, ctx: &Context, id: i64, boot_id: &str) -> Result<bool, StoreError> {
        let mut write = self.write(ctx).await?;
        if reboot::cancelled_without_right(&mut write, id).await? {
            write.commit().await?;
            return Ok(false);
        }
        let sql = "UPDATE intents SET state = 'claimed', boot_id = $2, due_at = $3, tries = tries + 1
                   WHERE id = $1 AND state IN ('requested', 'waiting') RETURNING requested_by_id, requested_by";
        let claimed: Option<(Option<i64>, String)> =
            sqlx::query_as(sql).bind(id).bind(boot_id).bind(ctx.now.0).fetch_optional(write.conn()).await?;
        let Some((account, name)) = claimed else { return Ok(false) };
        write.who = Who { id: account, name: Some(name) };
        write.note("reboot.started", Some(SYSTEM), Outcome::Ok).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Records how a reboot ended, with its audit row, the news for who asked and the event for the hooks. Nothing
    /// happens where it has ended already, but for one that is unknown and is now known to be done.
    pub async fn finish_reboot(
        &self,
        ctx: &Context,
        id: i64,
        state: IntentState,
        detail: &str,
    ) -> Result<(), StoreError> {
        let (action, outcome) = match state {
            IntentState::Done => ("reboot.done", Outcome::Ok),
            IntentState::Failed => ("reboot.failed", Outcome::Failed),
            IntentState::Requested
            | IntentState::Waiting
            | IntentState::Claimed
            | IntentState::Unknown
            | IntentState::Cancelled => ("reboot.unknown", Outcome::Failed),
        };
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE intents SET state = $2, finished_at = $3, detail = $4, news = 1
                   WHERE id = $1 AND (state IN ('requested', 'waiting', 'claimed') OR (state = 'unknown' AND $2 = 'done'))
                   RETURNING requested_by_id, requested_by, change_number";
        let ended: Option<(Option<i64>, String, Option<i64>)> = sqlx::query_as(sql)
            .bind(id)
            .bind(state.name())
            .bind(ctx.now.0)
            .bind(shortened(detail))
            .fetch_optional(write.conn())
            .await?;
        let Some((account, name, change)) = ended else { return Ok(()) };
        write.who = Who { id: account, name: Some(name) };
        write.note(action, Some(SYSTEM), outcome).await?;
        write.event(action, SYSTEM, change, json!({ "detail": shortened(detail) })).await?;
        write.commit().await
    }

    /// Claims the next export that is due.
    pub async fn claim_export(&self, ctx: &Context) -> Result<Option<Due>, StoreError> {
        self.claim_oldest(ctx, IntentKind::Export).await
    }

    /// Claims the next backup.
    pub async fn claim_backup(&self, ctx: &Context) -> Result<Option<Due>, StoreError> {
        self.claim_oldest(ctx, IntentKind::Backup).await
    }

    /// Claims the next change of the log.
    pub async fn claim_logging(&self, ctx: &Context) -> Result<Option<Due>, StoreError> {
        self.claim_oldest(ctx, IntentKind::Logging).await
    }

    async fn claim_oldest(&self, ctx: &Context, kind: IntentKind) -> Result<Option<Due>, StoreError> {
        let next = "SELECT id FROM intents WHERE kind = $1 AND state = 'requested'
                    AND (due_at IS NULL OR due_at <= $2) ORDER BY id LIMIT 1";
        self.claim(ctx, sqlx::query_scalar(next).bind(kind.name()).bind(ctx.now.0)).await
    }

    /// Claims the oldest open intent of the hook with this command, where it is due: none overtakes one that is to be
    /// tried again. It waits for the export of its own recording, so that who is told of it finds the file, but not
    /// longer than ten minutes.
    pub async fn claim_hook(&self, ctx: &Context, run: &[String]) -> Result<Option<Due>, StoreError> {
        let next = "SELECT h.id FROM intents h WHERE h.id =
                    (SELECT MIN(id) FROM intents WHERE kind = 'hook' AND subject = $1
                     AND state IN ('requested', 'claimed'))
                    AND h.state = 'requested' AND (h.due_at IS NULL OR h.due_at <= $2)
                    AND (h.requested_at <= $3 OR NOT EXISTS
                    (SELECT 1 FROM intents e WHERE e.id = h.after_id AND e.state IN ('requested', 'claimed')))";
        let waited = ctx.now.0.saturating_sub(EXPORT_WAIT_MS_MAX);
        self.claim(ctx, sqlx::query_scalar(next).bind(hook_key(run)).bind(ctx.now.0).bind(waited)).await
    }

    /// Looks without the write lock first, so that an idle system writes nothing.
    async fn claim(&self, ctx: &Context, next: NextId) -> Result<Option<Due>, StoreError> {
        let mut read = self.read().await?;
        let id: Option<i64> = next.fetch_optional(&mut *read).await?;
        drop(read);
        let Some(id) = id else { return Ok(None) };
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE intents SET state = 'claimed', tries = tries + 1 WHERE id = $1 AND state = 'requested'
                   RETURNING id, state, subject, payload, requested_at, due_at, boot_id, tries";
        let row: Option<DueTuple> = sqlx::query_as(sql).bind(id).fetch_optional(write.conn()).await?;
        write.commit().await?;
        row.map(due).transpose()
    }

    /// Records how an export, a hook or a change of the log ended.
    pub async fn finish(&self, ctx: &Context, id: i64, state: IntentState, detail: &str) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE intents SET state = $2, finished_at = $3, detail = $4 WHERE id = $1 AND state = 'claimed'";
        sqlx::query(sql)
            .bind(id)
            .bind(state.name())
            .bind(ctx.now.0)
            .bind(shortened(detail))
            .execute(write.conn())
            .await?;
        let sql = "DELETE FROM intents WHERE id <= $1 AND news IN (0, 3)
                   AND state IN ('done', 'failed', 'unknown', 'cancelled')";
        sqlx::query(sql).bind(id - FINISHED_INTENTS_MAX).execute(write.conn()).await?;
        write.commit().await
    }

    /// Puts a claimed export or hook back, to be tried again at `due_at`.
    pub async fn retry(&self, ctx: &Context, id: i64, due_at: Wall, detail: &str) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = "UPDATE intents SET state = 'requested', due_at = $2, detail = $3
                   WHERE id = $1 AND state = 'claimed'";
        sqlx::query(sql).bind(id).bind(due_at.0).bind(shortened(detail)).execute(write.conn()).await?;
        write.commit().await
    }

    /// At the start of the process that carries out the effects: what was claimed by the one before is to be done
    /// again (a reboot never is), and what nobody is configured for any more has failed. From now on every process
    /// that writes to this store asks for the hooks of this one's options, and for exports where `export` is true.
    pub async fn recover_intents(&self, ctx: &Context, export: bool) -> Result<(), StoreError> {
        let wanted = Wanted { export, hooks: self.inner.options.hooks.clone() };
        let known: Vec<String> = wanted.hooks.iter().map(|hook| hook_key(&hook.run)).collect();
        let mut write = self.write(ctx).await?;
        wanted.write(write.conn()).await?;
        let sql = "UPDATE intents SET state = 'requested'
                   WHERE kind IN ('export', 'hook', 'backup', 'logging') AND state = 'claimed'";
        sqlx::query(sql).execute(write.conn()).await?;
        if !export {
            let sql = "UPDATE intents SET state = 'failed', finished_at = $1, detail = $2
                       WHERE kind = 'export' AND state = 'requested'";
            let detail = "recordings.export_folder is not configured any more";
            sqlx::query(sql).bind(ctx.now.0).bind(detail).execute(write.conn()).await?;
        }
        let sql = "SELECT id, subject FROM intents WHERE kind = 'hook' AND state = 'requested'";
        let waiting: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(write.conn()).await?;
        for (id, _) in waiting.into_iter().filter(|(_, subject)| !known.contains(subject)) {
            let sql = "UPDATE intents SET state = 'failed', finished_at = $2, detail = $3 WHERE id = $1";
            let detail = "this hook is not configured any more";
            sqlx::query(sql).bind(id).bind(ctx.now.0).bind(detail).execute(write.conn()).await?;
        }
        write.commit().await
    }
}

pub(super) fn shortened(detail: &str) -> String {
    detail.chars().take(DETAIL_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let fits = [
            ("recording.changed", "recording.changed"),
            ("recording.*", "recording.changed"),
            ("*.changed", "voicemail_pin.changed"),
            ("*", "reboot.done"),
            ("user.*abled", "user.disabled"),
            ("*pin*ch*", "voicemail_pin.changed"),
            ("reboot.done*", "reboot.done"),
        ];
        for (pattern, event) in fits {
            assert!(matches(pattern, event), "{pattern} {event}");
        }
        let not =
            [("recording.*", "recordings"), ("user.*", "role.assigned"), ("", "x"), ("a*a", "a"), ("*.x*y", "a.y")];
        for (pattern, event) in not {
            assert!(!matches(pattern, event), "{pattern} {event}");
        }
    }
}
