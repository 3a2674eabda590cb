//! What [`crate::effects`] asks of the store: what is due, claiming it, and how it ended.

use serde::Serialize;
use serde_json::json;
use sqlx::Sqlite;
use sqlx::query::QueryScalar;
use sqlx::sqlite::SqliteArguments;

use super::Store;
use super::clock::rfc3339;
use super::error::StoreError;
use super::intents::{IntentKind, IntentState, hook_key, shortened};
use super::reboot::{self, SYSTEM};
use super::rights::Caller;
use super::tx::{Outcome, Who};
use super::wanted::Wanted;
use crate::access::Context;
use crate::model::{RecordingNumber, Wall};

/// Finished intents that are kept for `command list`; the audit trail keeps reboots for ever.
const FINISHED_INTENTS_MAX: i64 = 10_000;
/// How long a hook waits for the export of its recording, in milliseconds.
const EXPORT_WAIT_MS_MAX: i64 = 600_000;
/// The longest time from one try to the next, in seconds. What seems to be due later still was put off under a clock
/// that has been set back since, and is due now.
pub const RETRY_S_MAX: i64 = 300;

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

    /// Asks for the export of a recording as it is now, unless one is asked for already.
    pub async fn export_again(&self, ctx: &Context, number: RecordingNumber) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let number = number.0.to_string();
        let sql = "SELECT id FROM intents WHERE kind = 'export' AND subject = $1 AND state = 'requested' LIMIT 1";
        let open: Option<i64> = sqlx::query_scalar(sql).bind(&number).fetch_optional(write.conn()).await?;
        if open.is_none() {
            write.who = Caller::shell().who();
            write.export(&number).await?;
        }
        write.commit().await
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
                    AND (due_at IS NULL OR due_at <= $2 OR due_at > $3) ORDER BY id LIMIT 1";
        self.claim(ctx, sqlx::query_scalar(next).bind(kind.name()).bind(ctx.now.0).bind(never_due(ctx))).await
    }

    /// Claims the oldest open intent of the hook with this command, where it is due: none overtakes one that is to be
    /// tried again. It waits for the export of its own recording, so that who is told of it finds the file, but not
    /// longer than ten minutes.
    pub async fn claim_hook(&self, ctx: &Context, run: &[String]) -> Result<Option<Due>, StoreError> {
        let next = "SELECT h.id FROM intents h WHERE h.id =
                    (SELECT MIN(id) FROM intents WHERE kind = 'hook' AND subject = $1
                     AND state IN ('requested', 'claimed'))
                    AND h.state = 'requested' AND (h.due_at IS NULL OR h.due_at <= $2 OR h.due_at > $4)
                    AND (h.requested_at <= $3 OR NOT EXISTS
                    (SELECT 1 FROM intents e WHERE e.id = h.after_id AND e.state IN ('requested', 'claimed')))";
        let waited = ctx.now.0.saturating_sub(EXPORT_WAIT_MS_MAX);
        let next = sqlx::query_scalar(next).bind(hook_key(run)).bind(ctx.now.0).bind(waited).bind(never_due(ctx));
        self.claim(ctx, next).await
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

/// Nothing is put off beyond this moment.
fn never_due(ctx: &Context) -> i64 {
    ctx.now.0.saturating_add(RETRY_S_MAX * 1000)
}
