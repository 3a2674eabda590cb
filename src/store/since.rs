//! Whether the thing that a change was about was changed by somebody since, even where it is the same again by now: to
//! undo the first change would take back that later one as well.

use std::collections::{HashMap, HashSet};

use super::error::StoreError;
use super::rights::Stop;
use super::settings;
use super::tx::Write;
use super::undo::Recorded;
use crate::access::Refusal;
use crate::model::ChangeNumber;

/// A change with more later ones than this is not undone: all of them would have to be looked at, while everybody who
/// writes waits.
pub(super) const LATER_MAX: i64 = 100_000;

/// A later change of the same kind.
struct Later {
    number: i64,
    target: String,
    target_id: Option<i64>,
    before: Option<String>,
    after: Option<String>,
    undone_by: Option<i64>,
}

type LaterTuple = (i64, String, Option<i64>, Option<String>, Option<String>, Option<i64>);

/// Refuses where a change between `number` and `made`, its undo, was about the same thing and has not been undone.
pub(super) async fn nothing_must_be_between(
    write: &mut Write<'_>,
    number: ChangeNumber,
    recorded: &Recorded,
    made: ChangeNumber,
) -> Result<(), Stop> {
    if made.0.saturating_sub(number.0 + 1) > LATER_MAX {
        return Err(Refusal::CannotUndo.into());
    }
    let later = later(write, number, recorded, made).await?;
    let later: Vec<Later> = later.into_iter().filter(|later| is_same_thing(recorded, later)).collect();
    // An undo comes after what it undoes; a row that says otherwise was not written by us, and must not lead in a circle.
    let undo_of = |later: &Later| later.undone_by.filter(|by| *by > later.number).map(|by| (later.number, by));
    let undone: HashMap<i64, i64> = later.iter().filter_map(undo_of).collect();
    let undos: HashSet<i64> = undone.values().copied().collect();
    // One that was undone counts again where its undo was undone, and so on; the undo itself is no change of its own.
    let holds = |later: &Later| {
        let undoes = |number: &i64| undone.get(number).copied();
        std::iter::successors(undoes(&later.number), undoes).count().is_multiple_of(2)
    };
    if later.iter().any(|later| !undos.contains(&later.number) && holds(later)) {
        Err(Refusal::ChangedSince.into())
    } else {
        Ok(())
    }
}

async fn later(
    write: &mut Write<'_>,
    number: ChangeNumber,
    recorded: &Recorded,
    made: ChangeNumber,
) -> Result<Vec<Later>, StoreError> {
    let [first, second, third] = family(&recorded.action);
    let sql = "SELECT number, target, target_id, before, after, undone_by FROM changes
               WHERE number > $1 AND number < $2 AND action IN ($3, $4, $5) AND (target = $6 OR target_id = $7)
               ORDER BY number";
    let rows: Vec<LaterTuple> = sqlx::query_as(sql)
        .bind(number.0)
        .bind(made.0)
        .bind(first)
        .bind(second)
        .bind(third)
        .bind(&recorded.target)
        .bind(recorded.target_id.map(|id| id.0))
        .fetch_all(write.conn())
        .await?;
    let later = |(number, target, target_id, before, after, undone_by): LaterTuple| Later {
        number,
        target,
        target_id,
        before,
        after,
        undone_by,
    };
    Ok(rows.into_iter().map(later).collect())
}

/// The actions that change what this one changes, some twice.
fn family(action: &str) -> [&str; 3] {
    match action {
        "recording.changed" | "recording.restored" => ["recording.changed", "recording.restored", action],
        "greeting.changed" | "greeting.restored" | "greeting.removed" => {
            ["greeting.changed", "greeting.restored", "greeting.removed"]
        }
        "user.enabled" | "user.disabled" => ["user.enabled", "user.disabled", action],
        "role.assigned" | "role.removed" => ["role.assigned", "role.removed", action],
        "handset.assigned" | "handset.removed" => ["handset.assigned", "handset.removed", action],
        "group.member_added" | "group.member_removed" => ["group.member_added", "group.member_removed", action],
        "callcenter.opened" | "callcenter.closed" => ["callcenter.opened", "callcenter.closed", action],
        "line.enabled" | "line.disabled" => ["line.enabled", "line.disabled", action],
        "gateway.enabled" | "gateway.disabled" => ["gateway.enabled", "gateway.disabled", action],
        "proxy.enabled" | "proxy.disabled" => ["proxy.enabled", "proxy.disabled", action],
        _ => [action; 3],
    }
}

fn is_same_thing(recorded: &Recorded, later: &Later) -> bool {
    let is_same_target = recorded.target == later.target;
    let is_same_account = recorded.target_id.map(|id| id.0) == later.target_id;
    match recorded.action.split_once('.') {
        // Whoever had it.
        Some(("handset", _)) => is_same_target,
        Some(("group", _)) => is_same_target && is_same_account,
        Some(("role", _)) => {
            let role = |after: &Option<String>, before: &Option<String>| after.clone().or_else(|| before.clone());
            is_same_account && role(&recorded.after, &recorded.before) == role(&later.after, &later.before)
        }
        Some(("forwarding", _)) => is_same_account && share_a_kind(recorded.after.as_deref(), later.after.as_deref()),
        _ if recorded.target_id.is_some() => is_same_account,
        _ => is_same_target,
    }
}

/// Whether two changes of forwarding have a kind of it in common; what can't be read may have.
fn share_a_kind(one: Option<&str>, other: Option<&str>) -> bool {
    match (one.and_then(settings::forwards_of), other.and_then(settings::forwards_of)) {
        (Some(one), Some(other)) => one.iter().any(|(kind, _)| other.iter().any(|(other, _)| kind == other)),
        _ => true,
    }
}
