//! Whether someone may: the rights are read again inside the transaction that applies the action.

use sqlx::SqliteConnection;

use super::accounts::{self, Account};
use super::error::StoreError;
use super::policy::PinKind;
use super::reboot::SYSTEM;
use super::tx::Who;
use crate::access::{Action, Actor, Destructive, Permissions, Refusal};

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
}

impl Caller {
    /// The shell.
    pub(super) fn shell() -> Self {
        Self { account: None, allowed: Permissions::ALL }
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
}

/// Checks that `actor` may do `action`, and says who it is.
pub(super) async fn authorise(conn: &mut SqliteConnection, actor: &Actor, action: &Action) -> Result<Caller, Stop> {
    let Some(needed) = action.needs() else { return Err(Refusal::NotAllowed.into()) };
    let (id, granted) = match actor {
        Actor::Caller => return Err(Refusal::NotAllowed.into()),
        Actor::Shell => return Ok(Caller::shell()),
        Actor::Account { id, granted } => (*id, *granted),
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
    let temporary = accounts::has_temporary_pin(conn, account.id, PinKind::Account).await?;
    // A temporary PIN is changed before anything else, and only a temporary one is replaced without being asked for.
    if temporary != replaces && !notes {
        return Err(Refusal::NotAllowed.into());
    }
    Ok(Caller { account: Some(account), allowed })
}

/// The other account, where the caller may touch it: it holds no permission that the caller lacks.
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
