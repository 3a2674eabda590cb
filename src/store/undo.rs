//! Putting back what a change had changed, by its number: one table of what can be put back.
//!
//! An undo is the reverse change through the setter that made the first one, with its own number, audit row and events;
//! so it can itself be undone. It is refused where what is there now is not what the change left, or is so again only
//! because somebody has changed it in between ([`super::since`]). An account undoes nothing that was done to accounts of
//! another site.

use super::accounts::{self, Account};
use super::error::StoreError;
use super::recordings::{self, VersionWanted};
use super::rights::{self, Caller, Stop};
use super::tx::{Outcome, Write};
use super::{handsets, own_audio, people, settings, since, system};
use crate::access::{Destructive, OwnAudio, Permission, Refusal, Reply, Role};
use crate::model::{AccountId, ChangeNumber, Language, Mac, RecordingNumber, SiteId};

/// A change as it is in the store.
pub(super) struct Recorded {
    pub(super) action: String,
    pub(super) target: String,
    /// The account that it was made to, where it was one.
    pub(super) target_id: Option<AccountId>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    /// Who made it.
    by: Option<i64>,
    undone: bool,
    /// The site of the account that it was made to.
    site: Option<SiteId>,
}

type RecordedTuple =
    (String, String, Option<i64>, Option<String>, Option<String>, Option<i64>, Option<i64>, Option<i64>);

impl Recorded {
    async fn read(write: &mut Write<'_>, number: ChangeNumber) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT c.action, c.target, c.target_id, c.before, c.after, c.account_id, c.undone_by, a.site_id
                   FROM changes c LEFT JOIN accounts a ON a.id = c.target_id WHERE c.number = $1";
        let row: Option<RecordedTuple> = sqlx::query_as(sql).bind(number.0).fetch_optional(write.conn()).await?;
        let recorded = |(action, target, target_id, before, after, by, undone_by, site): RecordedTuple| Self {
            action,
            target,
            target_id: target_id.map(AccountId),
            before,
            after,
            by,
            undone: undone_by.is_some(),
            site: site.map(SiteId),
        };
        Ok(row.map(recorded))
    }
}

/// Puts back what a change had changed, and notes at the change by which other one.
pub(super) async fn undo(write: &mut Write<'_>, caller: &Caller, number: ChangeNumber) -> Result<ChangeNumber, Stop> {
    let recorded = Recorded::read(write, number).await?.ok_or(Refusal::Unknown)?;
    let is_elsewhere = caller.only_site().is_some_and(|own| recorded.site.is_some_and(|site| site != own));
    if is_elsewhere || !caller.hears_of(recorded.by) {
        return Err(Refusal::Unknown.into());
    }
    if recorded.undone {
        return Err(Refusal::AlreadyUndone.into());
    }
    let made = put_back(write, caller, &recorded).await?;
    // Last of all: who may not undo it is to hear that.
    since::nothing_must_be_between(write, number, &recorded, made).await?;
    let sql = "UPDATE changes SET undone_by = $2 WHERE number = $1";
    sqlx::query(sql).bind(number.0).bind(made.0).execute(write.conn()).await?;
    let name = Destructive::Undo { number }.name();
    write.note(name, Some(&number.0.to_string()), Outcome::Ok).await?;
    Ok(made)
}

/// The table of what can be put back. Each needs what the change itself needed.
async fn put_back(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    match r.action.as_str() {
        "recording.changed" | "recording.restored" => recording(write, caller, r).await,
        "forwarding.changed" => forwarding(write, caller, r).await,
        "dnd.changed" => dnd(write, caller, r).await,
        "language.changed" => language(write, caller, r).await,
        "greeting.changed" | "greeting.restored" | "greeting.removed" => {
            audio(write, caller, r, OwnAudio::Greeting).await
        }
        "name.changed" => audio(write, caller, r, OwnAudio::Name).await,
        "user.enabled" | "user.disabled" => enabled(write, caller, r).await,
        "role.assigned" => assigned_role(write, caller, r).await,
        "role.removed" => removed_role(write, caller, r).await,
        "handset.assigned" | "handset.removed" => handset(write, caller, r).await,
        _ => match system::undo(write, caller, r).await {
            Some(done) => done,
            // PINs, additions, deletions, unlocks, reboots, backups.
            None => Err(Refusal::CannotUndo.into()),
        },
    }
}

async fn recording(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    caller.must(Permission::RecordingsChange)?;
    let number = r.target.parse().map(RecordingNumber).map_err(|_| Refusal::CannotUndo)?;
    if recordings::live_version(write.conn(), number).await? != Some(version_of(r.after.as_deref())) {
        return Err(Refusal::ChangedSince.into());
    }
    let before = version_of(r.before.as_deref()).and_then(|version| u32::try_from(version).ok());
    let before = VersionWanted::Number(before.ok_or(Refusal::CannotUndo)?);
    match recordings::restore(write, number, before).await {
        Ok(Reply::Changed(made)) => Ok(made),
        // Its audio is no longer kept.
        Ok(_) | Err(Stop::Refused(_)) => Err(Refusal::CannotUndo.into()),
        Err(fault) => Err(fault),
    }
}

async fn forwarding(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = own_or_managed(write, caller, r).await?;
    let told = |text: &Option<String>| text.as_deref().and_then(settings::forwards_of);
    let (Some(before), Some(after)) = (told(&r.before), told(&r.after)) else {
        return Err(Refusal::CannotUndo.into());
    };
    let present = settings::forwards(write.conn(), account.id).await?;
    unchanged(after.iter().all(|(kind, to)| settings::forward_of(&present, *kind) == to.as_ref()))?;
    settings::set_forwarding(write, &account, &before).await?.ok_or_else(changed_since)
}

async fn dnd(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = own_or_managed(write, caller, r).await?;
    let on = settings::dnd(write.conn(), account.id).await?;
    unchanged(r.after.as_deref() == Some(settings::on_or_off(on)))?;
    settings::set_dnd(write, &account, !on).await?.ok_or_else(changed_since)
}

async fn language(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = own_or_managed(write, caller, r).await?;
    let present = settings::language(write.conn(), account.id).await?;
    unchanged(r.after.as_deref() == present.map(Language::code))?;
    let before = match &r.before {
        Some(code) => Some(Language::parse(code).ok_or(Refusal::CannotUndo)?),
        None => None,
    };
    settings::set_language(write, &account, before).await?.ok_or_else(changed_since)
}

async fn audio(write: &mut Write<'_>, caller: &Caller, r: &Recorded, which: OwnAudio) -> Result<ChangeNumber, Stop> {
    let account = own_or_managed(write, caller, r).await?;
    let live = own_audio::live_version(write.conn(), account.id, which).await?;
    unchanged(live == version_of(r.after.as_deref()))?;
    own_audio::put_back(write, &account, which, version_of(r.before.as_deref())).await
}

async fn enabled(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = managed(write, caller, r, Permission::UsersManage).await?;
    let enable = r.action == "user.disabled";
    if !enable {
        caller.is_not(&account)?;
    }
    people::set_enabled(write, &account, enable).await?.ok_or_else(changed_since)
}

async fn assigned_role(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = managed(write, caller, r, Permission::RolesAssign).await?;
    let role = r.after.as_deref().and_then(Role::parse).ok_or(Refusal::CannotUndo)?;
    people::remove_role(write, &account, role).await?.ok_or_else(changed_since)
}

async fn removed_role(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = managed(write, caller, r, Permission::RolesAssign).await?;
    let role = r.before.as_deref().and_then(Role::parse).ok_or(Refusal::CannotUndo)?;
    people::assign_role(write, &account, role).await?.ok_or_else(changed_since)
}

async fn handset(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<ChangeNumber, Stop> {
    let account = managed(write, caller, r, Permission::UsersManage).await?;
    let mac = Mac::parse(&r.target).ok_or(Refusal::CannotUndo)?;
    let done = if r.action == "handset.assigned" {
        handsets::remove(write, mac, &account).await
    } else {
        handsets::assign(write, mac, &account).await
    };
    done.map_err(|stop| match stop {
        Stop::Refused(_) => changed_since(),
        Stop::Fault(_) => stop,
    })
}

/// The account of a change that people make for themselves, or user managers for them.
async fn own_or_managed(write: &mut Write<'_>, caller: &Caller, r: &Recorded) -> Result<Account, Stop> {
    let account = changed_account(write, r).await?;
    if caller.is(&account) {
        return Ok(account);
    }
    may_change(caller, account, Permission::UsersManage)
}

/// The account of a change that needs `permission`.
async fn managed(
    write: &mut Write<'_>,
    caller: &Caller,
    r: &Recorded,
    permission: Permission,
) -> Result<Account, Stop> {
    may_change(caller, changed_account(write, r).await?, permission)
}

fn may_change(caller: &Caller, account: Account, permission: Permission) -> Result<Account, Stop> {
    caller.must(permission)?;
    rights::not_reaching_up(caller, &account)?;
    Ok(account)
}

async fn changed_account(write: &mut Write<'_>, r: &Recorded) -> Result<Account, Stop> {
    let id = r.target_id.ok_or(Refusal::CannotUndo)?;
    accounts::by_id(write.conn(), id).await?.ok_or_else(changed_since)
}

fn unchanged(is: bool) -> Result<(), Stop> {
    if is { Ok(()) } else { Err(changed_since()) }
}

fn changed_since() -> Stop {
    Refusal::ChangedSince.into()
}

/// The number in `version 3`; `None` where there was none.
fn version_of(told: Option<&str>) -> Option<i64> {
    told?.strip_prefix("version ")?.parse().ok()
}
