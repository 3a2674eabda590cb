//! Asking for a reboot and taking it back; [`crate::effects`] carries it out.

use serde_json::json;
use sqlx::SqliteConnection;

use super::accounts;
use super::error::StoreError;
use super::intents::{IntentKind, IntentState, New};
use super::rights::Stop;
use super::tx::{Change, Outcome, Who, Write};
use crate::access::{Context, Permission, Permissions, RebootWhen, Refusal, Reply};
use crate::model::AccountId;

/// What a reboot is about, in the audit trail and the events.
pub(super) const SYSTEM: &str = "system";

pub(super) async fn ask(conn: &mut SqliteConnection, ctx: &Context) -> Result<Reply, Stop> {
    let last = last(conn).await?;
    let failed = matches!(last, Some(IntentState::Failed | IntentState::Unknown));
    Ok(Reply::RebootState { other_calls: ctx.other_calls, waiting: last.is_some_and(is_on_its_way), failed })
}

/// How far the last one is that was asked for; only that one can be on its way.
async fn last(conn: &mut SqliteConnection) -> Result<Option<IntentState>, StoreError> {
    let sql = "SELECT state FROM intents WHERE kind = 'reboot' ORDER BY id DESC LIMIT 1";
    let state: Option<String> = sqlx::query_scalar(sql).fetch_optional(conn).await?;
    state.map(|state| IntentState::parse(&state)).transpose()
}

/// One that has begun is, though it can't be cancelled any more.
fn is_on_its_way(state: IntentState) -> bool {
    matches!(state, IntentState::Requested | IntentState::Waiting | IntentState::Claimed)
}

/// Writes the intent, unless one is on its way.
pub(super) async fn request(write: &mut Write<'_>, when: RebootWhen) -> Result<Reply, Stop> {
    if last(write.conn()).await?.is_some_and(is_on_its_way) {
        return Err(Refusal::AlreadySo.into());
    }
    let delay_s = write.options.reboot_delay_s;
    let (subject, state, due_at, delay_s) = match when {
        RebootWhen::Now => {
            let due = write.now().saturating_add(i64::from(delay_s) * 1000);
            ("now", IntentState::Requested, Some(due), delay_s)
        }
        RebootWhen::Idle => ("idle", IntentState::Waiting, None, 0),
    };
    let event = ("reboot.requested", json!({ "when": subject }));
    let change = Change { action: event.0, target: SYSTEM, before: None, after: Some(subject), event };
    let number = write.change(change).await?;
    let intent =
        New { kind: IntentKind::Reboot, state, subject, payload: "", due_at, change: Some(number.0), after: None };
    write.intent(&intent).await?;
    Ok(Reply::RebootRequested { delay_s, change: number })
}

/// Cancels what has not begun; one that is due counts as begun, whoever was told that it starts now has heard the truth.
pub(super) async fn cancel(write: &mut Write<'_>) -> Result<Reply, Stop> {
    let sql = "UPDATE intents SET state = 'cancelled', finished_at = $1, detail = $2
               WHERE kind = 'reboot' AND state IN ('requested', 'waiting') AND (due_at IS NULL OR due_at > $1)
               RETURNING subject";
    let by = write.who.name.clone().unwrap_or_default();
    let cancelled: Option<String> = sqlx::query_scalar(sql)
        .bind(write.now())
        .bind(format!("cancelled by {by}"))
        .fetch_optional(write.conn())
        .await?;
    let Some(subject) = cancelled else { return Err(Refusal::NothingThere.into()) };
    let event = ("reboot.cancelled", json!({ "when": subject }));
    let change = Change { action: "reboot.cancelled", target: SYSTEM, before: Some(&subject), after: None, event };
    Ok(Reply::Changed(write.change(change).await?))
}

/// Cancels a reboot that has not begun, where the account that asked for it is gone, disabled or may not reboot any
/// more; its audit row says `denied`.
pub(super) async fn cancelled_without_right(write: &mut Write<'_>, id: i64) -> Result<bool, StoreError> {
    let sql = "SELECT requested_by_id, requested_by, subject FROM intents
               WHERE id = $1 AND state IN ('requested', 'waiting')";
    let asked: Option<(Option<i64>, String, String)> =
        sqlx::query_as(sql).bind(id).fetch_optional(write.conn()).await?;
    let Some((Some(by), name, subject)) = asked else { return Ok(false) };
    let account = accounts::by_id(write.conn(), AccountId(by)).await?;
    if account.is_some_and(|a| a.enabled && Permissions::of(&a.roles).has(Permission::RebootRun)) {
        return Ok(false);
    }
    let sql = "UPDATE intents SET state = 'cancelled', finished_at = $2, detail = $3 WHERE id = $1";
    let detail = format!("{name} may not reboot any more");
    sqlx::query(sql).bind(id).bind(write.now()).bind(detail).execute(write.conn()).await?;
    write.who = Who { id: Some(by), name: Some(name) };
    write.note("reboot.cancelled", Some(SYSTEM), Outcome::Denied).await?;
    write.event("reboot.cancelled", SYSTEM, None, json!({ "when": subject })).await?;
    Ok(true)
}
