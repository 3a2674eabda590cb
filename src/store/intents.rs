//! Intents: what is to be done outside the store, committed with the change that asks for it, its outcome recorded.
//!
//! ```text
//! reboot  requested ─ due ─┐
//!         waiting  ─ idle ─┴► claimed ─► done | failed | unknown       requested, waiting ─► cancelled | failed
//!                                                       unknown ─► done
//! export, hook, backup, logging  requested ─► claimed ─► done | failed  claimed ─► requested (retry, restart)
//! ```

use serde_json::json;
use sqlx::SqliteConnection;

use super::error::StoreError;
use super::rights::{Caller, Stop};
use super::tx::{Who, Write};
use crate::access::{News, Reply};
use crate::model::AccountId;

/// Events that wait for one hook; beyond it the oldest are failed, where they have waited for longer than
/// [`HOOK_TIME_MS`]. As many as the largest import tells at once (`IMPORTED_MAX`), and 1000 more.
pub(super) const HOOK_BACKLOG_MAX: i64 = 11_000;
/// What has waited for less, in milliseconds, is not given up, however much it is: the hook had no time for it yet.
const HOOK_TIME_MS: i64 = 3_600_000;
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

/// Fails the oldest intents of a hook beyond [`HOOK_BACKLOG_MAX`]: its program has not kept up for long. To be called once
/// in a transaction: within one no hook can run.
pub(super) async fn cap_backlog(conn: &mut SqliteConnection, now: i64, hook: &str) -> Result<(), StoreError> {
    let sql = "UPDATE intents SET state = 'failed', finished_at = $2, detail = $3
               WHERE kind = 'hook' AND subject = $1 AND state = 'requested' AND requested_at < $5 AND id <=
               (SELECT id FROM intents WHERE kind = 'hook' AND subject = $1 AND state = 'requested'
                ORDER BY id DESC LIMIT 1 OFFSET $4)";
    let detail = format!("given up: {HOOK_BACKLOG_MAX} later events wait for this hook");
    let failed = sqlx::query(sql)
        .bind(hook)
        .bind(now)
        .bind(detail)
        .bind(HOOK_BACKLOG_MAX)
        .bind(now - HOOK_TIME_MS)
        .execute(conn)
        .await?
        .rows_affected();
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
    #[test]
    fn an_outcome_is_cut_to_its_bound() {
        let longest = "ö".repeat(500);
        assert_eq!(shortened(&longest), longest);
        assert_eq!(shortened(&format!("{longest}x")), longest);
    }
}
