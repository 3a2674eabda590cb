//! What other programs write becomes numbered changes.
//!
//! Triggers note each write of theirs in `outside_writes`; here the notes become changes of `outside`, with their audit
//! rows and events, in the order in which they were written. That is done at the begin of the next write of ours, so
//! that no change of ours is numbered before one that it came after, and now and then by the process that serves.

use serde_json::json;
use sqlx::SqliteConnection;

use crate::access::Context;
use crate::model::{AccountId, Wall};
use crate::store::Store;
use crate::store::clock::rfc3339;
use crate::store::error::StoreError;
use crate::store::tx::{Change, Who, Write};

/// Who is named in the changes of other programs.
pub(in crate::store) const OUTSIDE: &str = "outside";
/// Notes that are taken at once; more wait for the next write.
const TAKEN_MAX: i64 = 1000;

/// Text as bytes: SQLite lets others write what is no UTF-8, and one such note must not keep all others from being taken.
type Note = (i64, i64, Vec<u8>, Vec<u8>, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);

/// Whether anything was written by others.
async fn is_any(conn: &mut SqliteConnection) -> Result<bool, StoreError> {
    let first: Option<i64> = sqlx::query_scalar("SELECT id FROM outside_writes LIMIT 1").fetch_optional(conn).await?;
    Ok(first.is_some())
}

/// Makes changes of what was noted.
pub(in crate::store) async fn take(write: &mut Write<'_>) -> Result<(), StoreError> {
    if !is_any(write.conn()).await? {
        return Ok(());
    }
    let sql = "SELECT id, at, action, target, target_id, before, after FROM outside_writes ORDER BY id LIMIT $1";
    let notes: Vec<Note> = sqlx::query_as(sql).bind(TAKEN_MAX).fetch_all(write.conn()).await?;
    let asker = std::mem::replace(&mut write.who, Who { id: None, name: Some(OUTSIDE.to_owned()) });
    let its_source = std::mem::replace(&mut write.source, OUTSIDE);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    for (id, at, action, target, target_id, before, after) in notes {
        let (action, target) = (text(action), text(target));
        let (before, after) = (before.map(text), after.map(text));
        let data = json!({ "before": before, "after": after, "at": rfc3339(Wall(at)) });
        let change = Change {
            action: &action,
            target: &target,
            before: before.as_deref(),
            after: after.as_deref(),
            event: (&action, data),
        };
        write.change_to(target_id.map(AccountId), change).await?;
        sqlx::query("DELETE FROM outside_writes WHERE id = $1").bind(id).execute(write.conn()).await?;
    }
    (write.who, write.source) = (asker, its_source);
    Ok(())
}

impl Store {
    /// Makes changes of what other programs have written. To be called now and then by the one process that serves.
    pub async fn take_outside_writes(&self, ctx: &Context) -> Result<(), StoreError> {
        let mut read = self.read().await?;
        let any = is_any(&mut read).await?;
        drop(read);
        if any {
            // The begin of a write takes them.
            self.write(ctx).await?.commit().await?;
        }
        Ok(())
    }
}
