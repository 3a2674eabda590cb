//! How much is logged: in detail for an hour at most. Until when is kept here, so that a restart does not forget it.

use serde_json::json;
use sqlx::SqliteConnection;

use super::Store;
use super::error::StoreError;
use super::intents::{IntentKind, IntentState, New};
use super::reboot::SYSTEM;
use super::rights::Stop;
use super::tx::{Change, Outcome, Write};
use crate::access::{Context, Reply};
use crate::model::Wall;

/// How long logging in detail lasts, in milliseconds.
pub const DETAILED_MS: i64 = 3_600_000;
/// The key in `meta` of the end of logging in detail.
const DETAILED_UNTIL: &str = "logging_detailed_until";

/// Logs in detail from now on for an hour, or normally.
pub(super) async fn set(write: &mut Write<'_>, is_detailed: bool) -> Result<Reply, Stop> {
    let now = Wall(write.now());
    let was_detailed = detailed_until(write.conn()).await?.is_some_and(|until| is_within(now, until));
    if is_detailed {
        let until = now.0.saturating_add(DETAILED_MS).to_string();
        let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2";
        sqlx::query(sql).bind(DETAILED_UNTIL).bind(until).execute(write.conn()).await?;
    } else {
        forget(write.conn()).await?;
    }
    let action = if is_detailed { "logging.detailed" } else { "logging.normal" };
    ask(write, action, Some(level(was_detailed)), Some(level(is_detailed)), level(is_detailed)).await
}

/// Asks for another log file.
pub(super) async fn new_file(write: &mut Write<'_>) -> Result<Reply, Stop> {
    ask(write, "logging.file_closed", None, None, NEW_FILE).await
}

/// What an intent that asks for another log file is about.
pub const NEW_FILE: &str = "new file";

fn level(is_detailed: bool) -> &'static str {
    if is_detailed { "detailed" } else { "normal" }
}

async fn ask(
    write: &mut Write<'_>,
    action: &str,
    before: Option<&str>,
    after: Option<&str>,
    subject: &str,
) -> Result<Reply, Stop> {
    let change = Change { action, target: SYSTEM, before, after, event: (action, json!({})) };
    let number = write.change(change).await?;
    let intent = New {
        kind: IntentKind::Logging,
        state: IntentState::Requested,
        subject,
        payload: "",
        due_at: None,
        change: Some(number.0),
        after: None,
    };
    write.intent(&intent).await?;
    Ok(Reply::Changed(number))
}

/// A time that is further away than it can have been asked for is that of a clock that was wrong: it is over.
fn is_within(now: Wall, until: Wall) -> bool {
    (1..=DETAILED_MS).contains(&until.0.saturating_sub(now.0))
}

async fn detailed_until(conn: &mut SqliteConnection) -> Result<Option<Wall>, StoreError> {
    let sql = "SELECT value FROM meta WHERE key = $1";
    let text: Option<String> = sqlx::query_scalar(sql).bind(DETAILED_UNTIL).fetch_optional(conn).await?;
    // What can't be read is over.
    Ok(text.map(|text| Wall(text.parse().unwrap_or(0))))
}

async fn forget(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM meta WHERE key = $1").bind(DETAILED_UNTIL).execute(conn).await?;
    Ok(())
}

impl Store {
    /// Whether to log in detail now. Where its hour is over, that is noted in the audit trail and told the hooks, once.
    pub async fn is_logging_detailed(&self, ctx: &Context) -> Result<bool, StoreError> {
        let mut read = self.read().await?;
        let until = detailed_until(&mut read).await?;
        drop(read);
        match until {
            None => return Ok(false),
            Some(until) if is_within(ctx.now, until) => return Ok(true),
            Some(_) => {}
        }
        let mut write = self.write(ctx).await?;
        match detailed_until(write.conn()).await? {
            None => return Ok(false),
            // It was asked for again meanwhile.
            Some(until) if is_within(ctx.now, until) => return Ok(true),
            Some(_) => {}
        }
        forget(write.conn()).await?;
        write.note("logging.normal", Some(SYSTEM), Outcome::Ok).await?;
        write.event("logging.normal", SYSTEM, None, json!({ "why": "its hour is over" })).await?;
        write.commit().await?;
        Ok(false)
    }
}
