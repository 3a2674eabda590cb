//! Whether someone may: the rights are read again inside the transaction that applies the action.

use sqlx::SqliteConnection;

use super::accounts::{self, Account};
use super::error::StoreError;
use super::reboot::SYSTEM;
use super::tx::Who;
use crate::access::{Action, Actor, Context, Destructive, Permission, Permissions, Refusal, Role};
use crate::model::{Extension, SiteId};

/// Why an action ends early; nothing of it is written.
pub(super) enum Stop {
    /// It is not to be done.
    Refused(Refusal),
    /// The store can't.
    Fault(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Fault(error)
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Stop::Fault(error.into())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

/// Who asks, with what they may do now.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The account; `None` for the shell.
    pub(super) account: Option<Account>,
    /// What it may do: granted at login and still held.
    pub(super) allowed: Permissions,
    /// What it was allowed when it logged in.
    granted: Permissions,
    /// The account that the action is done to, where it is done to one; the caller may touch it.
    other: Option<Account>,
}

impl Caller {
    /// The shell.
    pub(super) fn shell() -> Self {
        Self { account: None, allowed: Permissions::ALL, granted: Permissions::ALL, other: None }
    }

    pub(super) fn who(&self) -> Who {
        match &self.account {
            Some(account) => Who { id: Some(account.id.0), name: Some(account.extension.to_string()) },
            None => Who { id: None, name: Some("cli".to_owned()) },
        }
    }

    /// The account, for actions that only someone with an account can do.
    pub(super) fn own(&self) -> Result<&Account, Stop> {
        self.account.as_ref().ok_or(Stop::Refused(Refusal::NotAllowed))
    }

    /// The account that the action is done to.
    pub(super) fn other(&self) -> Result<&Account, Stop> {
        self.other.as_ref().ok_or(Stop::Refused(Refusal::Unknown))
    }

    /// Whether the caller's own account is this one.
    pub(super) fn is(&self, account: &Account) -> bool {
        self.account.as_ref().is_some_and(|own| own.id == account.id)
    }

    /// Nobody deletes or disables themselves by phone.
    pub(super) fn is_not(&self, account: &Account) -> Result<(), Stop> {
        if self.is(account) { Err(Refusal::NotYourself.into()) } else { Ok(()) }
    }

    /// Refuses what needs a permission that the caller has not, or no longer.
    pub(super) fn must(&self, permission: Permission) -> Result<(), Stop> {
        match (self.allowed.has(permission), self.granted.has(permission)) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::NoLongerAllowed.into()),
            (false, false) => Err(Refusal::NotAllowed.into()),
        }
    }

    /// The site whose accounts' changes alone the caller hears of and undoes, besides those of the whole store; `None`
    /// for the shell, which is of no site.
    pub(super) fn only_site(&self) -> Option<SiteId> {
        self.account.as_ref().map(|account| account.site)
    }

    /// Whether the caller hears of changes that this account made: of the own ones, or of all.
    pub(super) fn hears_of(&self, by: Option<i64>) -> bool {
        self.hears_all() || self.account.as_ref().is_some_and(|own| by == Some(own.id.0))
    }

    /// Whether the caller hears of everybody's changes: Server and System Administrators and the shell do.
    pub(super) fn hears_all(&self) -> bool {
        let Some(account) = &self.account else { return true };
        let administers = |role: &Role| {
            matches!(role, Role::ServerAdministrator | Role::SystemAdministrator)
                && self.allowed.covers(role.permissions())
        };
        account.roles.iter().any(administers)
    }
}

/// Checks that `actor` may do `action`, to whichever account it is done, and says who it is.
pub(super) async fn authorise(
    conn: &mut SqliteConnection,
    ctx: &Context,
    actor: &Actor,
    action: &Action,
) -> Result<Caller, Stop> {
    let caller = caller(conn, actor, action).await?;
    let Some(extension) = done_to(action) else { return Ok(caller) };
    let other = accounts::by_extension(conn, ctx.site, extension).await?.ok_or(Refusal::Unknown)?;
    not_reaching_up(&caller, &other)?;
    Ok(Caller { other: Some(other), ..caller })
}

async fn caller(conn: &mut SqliteConnection, actor: &Actor, action: &Action) -> Result<Caller, Stop> {
    let Some(needed) = action.needs() else { return Err(Refusal::NotAllowed.into()) };
    let (id, granted, pin_resets) = match actor {
        Actor::Caller => return Err(Refusal::NotAllowed.into()),
        Actor::Shell => return Ok(Caller::shell()),
        Actor::Account { id, granted, pin_resets } => (*id, *granted, *pin_resets),
    };
    let account = match accounts::by_id(conn, id).await? {
        Some(account) if account.enabled => account,
        Some(_) | None => return Err(Refusal::NoLongerAllowed.into()),
    };
    let held = Permissions::of(&account.roles);
    let allowed = granted.without(granted.without(held));
    if !granted.any(needed) {
        return Err(Refusal::NotAllowed.into());
    }
    if !allowed.any(needed) {
        return Err(Refusal::NoLongerAllowed.into());
    }
    let replaces = matches!(action, Action::ReplaceTemporaryPin { .. });
    let notes = matches!(action, Action::NoteDenied { .. });
    let (temporary, resets) = accounts::account_pin_state(conn, account.id).await?;
    // Whoever knew the PIN of before is not the owner, as far as is known.
    if resets != pin_resets {
        return Err(Refusal::NoLongerAllowed.into());
    }
    // A temporary PIN is changed before anything else, and only a temporary one is replaced without being asked for.
    if temporary != replaces && !notes {
        return Err(Refusal::NotAllowed.into());
    }
    Ok(Caller { account: Some(account), allowed, granted, other: None })
}

/// The account that something is done to. To open an account, to check a support PIN or to add a user is not to do
/// something to an account that is there.
fn done_to(action: &Action) -> Option<&Extension> {
    match action {
        Action::CheckUser { extension }
        | Action::ResetVoicemailPin { extension }
        | Action::ResetAccountPin { extension }
        | Action::UnlockUser { extension }
        | Action::SetUserEnabled { extension, .. }
        | Action::ListHandsets { extension }
        | Action::AssignHandset { extension, .. }
        | Action::RemoveHandset { extension, .. }
        | Action::ReadUserForwarding { extension }
        | Action::UserForwardingOff { extension }
        | Action::KeepUserName { extension, .. } => Some(extension),
        Action::Check(what) | Action::Confirm(what, _) => match what {
            Destructive::DeleteUser { extension }
            | Destructive::AssignRole { extension, .. }
            | Destructive::RemoveRole { extension, .. } => Some(extension),
            Destructive::Reboot { .. } | Destructive::DisableTrunk { .. } | Destructive::Undo { .. } => None,
        },
        _ => None,
    }
}

/// The one rule for all that is done to another account: it holds no permission that the caller lacks.
pub(super) fn not_reaching_up(caller: &Caller, other: &Account) -> Result<(), Stop> {
    if caller.allowed.covers(Permissions::of(&other.roles)) {
        Ok(())
    } else {
        Err(Refusal::NotAllowedForThisAccount.into())
    }
}

/// Who is named in a denied attempt's audit row.
pub(super) async fn who(conn: &mut SqliteConnection, actor: &Actor) -> Result<Who, StoreError> {
    match actor {
        Actor::Caller => Ok(Who::default()),
        Actor::Shell => Ok(Caller::shell().who()),
        Actor::Account { id, .. } => {
            let account = accounts::by_id(conn, *id).await?;
            Ok(Who { id: Some(id.0), name: account.map(|a| a.extension.to_string()) })
        }
    }
}

/// What an action is about, for the audit trail.
pub(super) fn target(action: &Action) -> Option<String> {
    match action {
        Action::OpenRecording { number }
        | Action::ListenRecording { number }
        | Action::KeepRecording { number, .. }
        | Action::RestoreRecording { number, .. }
        | Action::WhoChangedRecording { number }
        | Action::SaveDraft { number, .. }
        | Action::DiscardDraft { number } => Some(number.0.to_string()),
        Action::OpenUser { extension }
        | Action::CheckUser { extension }
        | Action::AddUser { extension }
        | Action::ResetVoicemailPin { extension }
        | Action::ResetAccountPin { extension }
        | Action::UnlockUser { extension }
        | Action::SetUserEnabled { extension, .. }
        | Action::ListHandsets { extension }
        | Action::ReadUserForwarding { extension }
        | Action::UserForwardingOff { extension }
        | Action::KeepUserName { extension, .. }
        | Action::VerifySupportPin { extension, .. } => Some(extension.to_string()),
        Action::AssignHandset { mac, .. } | Action::RemoveHandset { mac, .. } => Some(mac.to_string()),
        Action::OpenAttendant { number }
        | Action::SetAttendant { number, .. }
        | Action::ListMembers { number }
        | Action::AddMember { number, .. }
        | Action::RemoveMember { number, .. }
        | Action::OpenCallCenter { number }
        | Action::SetCallCenter { number, .. }
        | Action::OpenTrunk { number, .. }
        | Action::SetTrunk { number, .. } => Some(number.0.to_string()),
        Action::Check(what) | Action::Confirm(what, _) => Some(destructive_target(what)),
        Action::RoleHolders { role } => Some(role.name().to_owned()),
        Action::ReadMode
        | Action::SetMode { .. }
        | Action::NetworkStatus
        | Action::StartBackup
        | Action::ReadBackup { .. }
        | Action::LastBackup
        | Action::AskReboot
        | Action::CancelReboot
        | Action::SetLogging { .. }
        | Action::NewLogFile
        | Action::SystemStatus => Some(SYSTEM.to_owned()),
        Action::NoteDenied { function } => Some((*function).to_owned()),
        Action::Login { .. }
        | Action::ReplaceTemporaryPin { .. }
        | Action::SetOwnVoicemailPin { .. }
        | Action::SetOwnAccountPin { .. }
        | Action::SetOwnSupportPin { .. }
        | Action::ReadForwarding { .. }
        | Action::CheckForwardNumber { .. }
        | Action::SetForwarding { .. }
        | Action::ForwardingOff { .. }
        | Action::ToggleDnd
        | Action::ListenOwn { .. }
        | Action::KeepOwn { .. }
        | Action::RestoreGreeting
        | Action::RemoveGreeting
        | Action::SetLanguage { .. }
        | Action::ReadSettings
        | Action::List { .. }
        | Action::ListUnassignedHandsets
        | Action::ListChanges
        | Action::NewsHeard => None,
    }
}

fn destructive_target(what: &Destructive) -> String {
    match what {
        Destructive::Reboot { .. } => SYSTEM.to_owned(),
        Destructive::DeleteUser { extension }
        | Destructive::AssignRole { extension, .. }
        | Destructive::RemoveRole { extension, .. } => extension.to_string(),
        Destructive::DisableTrunk { number, .. } => number.0.to_string(),
        Destructive::Undo { number } => number.0.to_string(),
    }
}
