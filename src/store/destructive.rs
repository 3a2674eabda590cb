//! What is done only after it was read back and the caller's own account PIN was keyed again.
//!
//! There is one deed for each, with its checks. A check before the PIN is the deed itself, taken back: so nothing is
//! refused after the PIN that was not refused before it, unless something has changed meanwhile.

use super::error::StoreError;
use super::rights::{self, Caller, Stop};
use super::tx::Write;
use super::{Store, changes, people, reboot, system, undo};
use crate::access::{Action, Actor, Context, Destructive, Refusal, Reply};

impl Store {
    /// Everything but the PIN; nothing is changed.
    pub(super) async fn rehearse(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        what: &Destructive,
    ) -> Result<Reply, StoreError> {
        let mut write = self.write(ctx).await?;
        let outcome = rehearsed(&mut write, actor, action, what).await;
        write.rollback().await?;
        self.settle(ctx, actor, action, outcome).await
    }
}

async fn rehearsed(write: &mut Write<'_>, actor: &Actor, action: &Action, what: &Destructive) -> Result<Reply, Stop> {
    let ctx = write.ctx;
    let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
    write.who = caller.who();
    // Before the deed: a deleted account has no name any more.
    let about = about(write, &caller, what).await?;
    carry_out(write, &caller, what).await?;
    Ok(about)
}

/// Who or what it would be done to.
async fn about(write: &mut Write<'_>, caller: &Caller, what: &Destructive) -> Result<Reply, Stop> {
    let ctx = write.ctx;
    match what {
        Destructive::Reboot { .. } => reboot::ask(write.conn(), ctx).await,
        Destructive::DeleteUser { .. } | Destructive::AssignRole { .. } | Destructive::RemoveRole { .. } => {
            Ok(Reply::MayChange(people::person(write.conn(), caller.other()?).await?))
        }
        Destructive::DisableTrunk { .. } => Ok(Reply::Done),
        Destructive::Undo { number } => Ok(Reply::MayUndo(changes::told(write.conn(), caller, *number).await?)),
    }
}

/// Does it, with all its checks but the PIN's.
async fn carry_out(write: &mut Write<'_>, caller: &Caller, what: &Destructive) -> Result<Reply, Stop> {
    let change = match what {
        Destructive::Reboot { when } => return reboot::request(write, *when).await,
        Destructive::DeleteUser { .. } => {
            let other = caller.other()?;
            caller.is_not(other)?;
            people::delete(write, other).await?
        }
        Destructive::AssignRole { role, .. } => {
            people::assign_role(write, caller.other()?, *role).await?.ok_or(Refusal::AlreadySo)?
        }
        Destructive::RemoveRole { role, .. } => {
            people::remove_role(write, caller.other()?, *role).await?.ok_or(Refusal::NothingThere)?
        }
        Destructive::DisableTrunk { kind, number } => {
            return system::trunks::set_any(write, *kind, *number, false).await;
        }
        Destructive::Undo { number } => undo::undo(write, caller, *number).await?,
    };
    Ok(Reply::Changed(change))
}

/// Does it, or leaves everything in this transaction as it was before.
pub(super) async fn carry_out_or_nothing(
    write: &mut Write<'_>,
    caller: &Caller,
    what: &Destructive,
) -> Result<Reply, Stop> {
    sqlx::query("SAVEPOINT deed").execute(write.conn()).await?;
    let outcome = carry_out(write, caller, what).await;
    let sql = if outcome.is_ok() { "RELEASE SAVEPOINT deed" } else { "ROLLBACK TO SAVEPOINT deed" };
    sqlx::query(sql).execute(write.conn()).await?;
    outcome
}
