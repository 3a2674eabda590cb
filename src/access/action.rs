//! Everything that can be asked of the store by phone.

use super::{ForwardKind, ItemKind, ModeSetting, OwnAudio, Permission, Permissions, RebootWhen, RestoreTo, TrunkKind};
use crate::model::{Audio, ChangeNumber, Extension, ItemNumber, Language, Mac, PhoneNumber, Pin, RecordingNumber};

/// What is done only after it was read back and one's own account PIN was keyed again.
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destructive {
    /// Reboots the machine.
    Reboot { when: RebootWhen },
    /// Deletes another user.
    DeleteUser { extension: Extension },
    /// Disables a trunk, even the last one of its kind that is enabled.
    DisableTrunk { kind: TrunkKind, number: ItemNumber },
    /// Gives a role.
    AssignRole { role: super::Role, extension: Extension },
    /// Takes a role away.
    RemoveRole { role: super::Role, extension: Extension },
    /// Puts back what a change had changed.
    Undo { number: ChangeNumber },
}

/// Everything that can be asked of the store by phone; what a field holds its name says.
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Logs in by extension and account PIN.
    Login { extension: Extension, pin: Pin },
    /// Replaces one's temporary account PIN right after login.
    ReplaceTemporaryPin { new: Pin },

    /// Changes one's own voicemail PIN.
    SetOwnVoicemailPin { new: Pin },
    /// Changes one's own account PIN, given the present one.
    SetOwnAccountPin { current: Pin, new: Pin },
    /// Changes the short code by which support recognises one.
    SetOwnSupportPin { new: Pin },
    /// Where one's own calls of that kind go.
    ReadForwarding { kind: ForwardKind },
    /// Whether the toll policy takes the number; changes nothing.
    CheckForwardNumber { to: PhoneNumber },
    /// Forwards one's own calls.
    SetForwarding { kind: ForwardKind, to: PhoneNumber },
    /// Ends one's own forwarding of that kind.
    ForwardingOff { kind: ForwardKind },
    /// Changes one's own do-not-disturb over.
    ToggleDnd,
    /// Reads one's own greeting or name.
    ListenOwn { which: OwnAudio },
    /// Makes a take one's own greeting or name, in one step.
    KeepOwn { which: OwnAudio, audio: Audio },
    /// Goes back to one's previous greeting.
    RestoreGreeting,
    /// Removes one's greeting; the previous one can still be put back.
    RemoveGreeting,
    /// Changes the language of one's own calls.
    SetLanguage { language: Language },
    /// Reads all of one's own settings.
    ReadSettings,

    /// Lists the numbers of all things of a kind, ascending.
    List { kind: ItemKind },

    /// Opens one: is it the factory one, is a draft of the caller's waiting?
    OpenRecording { number: RecordingNumber },
    /// Reads the live version's audio.
    ListenRecording { number: RecordingNumber },
    /// Makes a take the live version, in one step; ends the caller's draft of it.
    KeepRecording { number: RecordingNumber, audio: Audio },
    /// Goes back to an older version.
    RestoreRecording { number: RecordingNumber, to: RestoreTo },
    /// Who changed it last, and when.
    WhoChangedRecording { number: RecordingNumber },
    /// Keeps an unfinished take for its owner's next call.
    SaveDraft { number: RecordingNumber, audio: Audio },
    /// Throws the caller's draft away.
    DiscardDraft { number: RecordingNumber },

    /// Opens another user's account.
    OpenUser { extension: Extension },
    /// Whether the caller may change that account; changes nothing.
    CheckUser { extension: Extension },
    /// Adds a user, with a temporary account PIN.
    AddUser { extension: Extension },
    /// Makes a temporary voicemail PIN for another user.
    ResetVoicemailPin { extension: Extension },
    /// Makes a temporary account PIN for another user.
    ResetAccountPin { extension: Extension },
    /// Ends the locks of all of another user's PINs.
    UnlockUser { extension: Extension },
    /// Disables or enables another user.
    SetUserEnabled { extension: Extension, enabled: bool },
    /// Lists a user's handsets.
    ListHandsets { extension: Extension },
    /// Lists the handsets that belong to nobody.
    ListUnassignedHandsets,
    /// Gives a handset to a user.
    AssignHandset { mac: Mac, extension: Extension },
    /// Takes a handset from its user.
    RemoveHandset { mac: Mac, extension: Extension },
    /// Where another user's calls go.
    ReadUserForwarding { extension: Extension },
    /// Ends all forwarding of another user's.
    UserForwardingOff { extension: Extension },
    /// Makes a take another user's spoken name.
    KeepUserName { extension: Extension, audio: Audio },

    /// The mode, and until when.
    ReadMode,
    /// Sets the mode, for so many hours or until it is changed.
    SetMode { setting: ModeSetting, hours: Option<u32> },
    /// Opens an auto attendant.
    OpenAttendant { number: ItemNumber },
    /// Chooses the recording that an auto attendant plays.
    SetAttendant { number: ItemNumber, recording: RecordingNumber },
    /// Lists the members of a hunt group, in their order.
    ListMembers { number: ItemNumber },
    /// Adds a member at the end of a hunt group.
    AddMember { number: ItemNumber, extension: Extension },
    /// Takes a member out of a hunt group.
    RemoveMember { number: ItemNumber, extension: Extension },
    /// Whether a call center is open.
    OpenCallCenter { number: ItemNumber },
    /// Opens or closes a call center.
    SetCallCenter { number: ItemNumber, open: bool },

    /// Opens a line, a gateway or a proxy.
    OpenTrunk { kind: TrunkKind, number: ItemNumber },
    /// Enables or disables one; the last enabled of its kind is disabled by [`Destructive::DisableTrunk`] only.
    SetTrunk { kind: TrunkKind, number: ItemNumber, enabled: bool },
    /// This host's addresses and what is unreachable.
    NetworkStatus,

    /// Requests a backup.
    StartBackup,
    /// How far a backup is.
    ReadBackup { id: i64 },
    /// When the last good backup was.
    LastBackup,
    /// Whether a reboot is on its way; the calls in progress.
    AskReboot,
    /// Cancels a reboot that has not started.
    CancelReboot,
    /// Logs in detail for an hour, or normally.
    SetLogging { detailed: bool },
    /// Closes the log file and starts another.
    NewLogFile,
    /// Whether this is that user's support PIN; a wrong one counts.
    VerifySupportPin { extension: Extension, pin: Pin },
    /// Version, calls, disk, store.
    SystemStatus,

    /// Who holds a role.
    RoleHolders { role: super::Role },

    /// The last changes that the caller may hear of, newest first.
    ListChanges,

    /// Everything but the PIN of something destructive: it is refused before a PIN is asked for. Changes nothing.
    Check(Destructive),
    /// Does something destructive; the PIN is the caller's own account PIN, again.
    Confirm(Destructive, Pin),

    /// Notes that a key was pressed whose function the caller may not use; `function` is its name in the menu.
    NoteDenied { function: &'static str },
    /// Marks what was spoken after `logged-in` as heard.
    NewsHeard,
}

impl Destructive {
    /// What the caller must be allowed: any one of these. The undoing of a change needs what the change needed too.
    pub fn needs(&self) -> Permissions {
        Permissions::only(match self {
            Destructive::Reboot { .. } => Permission::RebootRun,
            Destructive::DeleteUser { .. } => Permission::UsersManage,
            Destructive::DisableTrunk { .. } => Permission::NetworkManage,
            Destructive::AssignRole { .. } | Destructive::RemoveRole { .. } => Permission::RolesAssign,
            Destructive::Undo { .. } => return Permissions::ANY_ROLE,
        })
    }

    /// The name in the audit trail, the changes and the hooks.
    pub fn name(&self) -> &'static str {
        match self {
            Destructive::Reboot { .. } => "reboot.requested",
            Destructive::DeleteUser { .. } => "user.deleted",
            Destructive::DisableTrunk { kind, .. } => kind.change_name(false),
            Destructive::AssignRole { .. } => "role.assigned",
            Destructive::RemoveRole { .. } => "role.removed",
            Destructive::Undo { .. } => "change.undone",
        }
    }
}

impl Action {
    /// What the caller must be allowed: any one of these; `None` where nobody is logged in yet.
    pub fn needs(&self) -> Option<Permissions> {
        use Action as A;
        let one = match self {
            A::Login { .. } => return None,
            A::Check(what) | A::Confirm(what, _) => return Some(what.needs()),
            A::SystemStatus => return Some(Permissions::MAINTENANCE),
            A::ListChanges => return Some(Permissions::ANY_ROLE),
            A::ReplaceTemporaryPin { .. }
            | A::SetOwnVoicemailPin { .. }
            | A::SetOwnAccountPin { .. }
            | A::SetOwnSupportPin { .. }
            | A::ReadForwarding { .. }
            | A::CheckForwardNumber { .. }
            | A::SetForwarding { .. }
            | A::ForwardingOff { .. }
            | A::ToggleDnd
            | A::ListenOwn { .. }
            | A::KeepOwn { .. }
            | A::RestoreGreeting
            | A::RemoveGreeting
            | A::SetLanguage { .. }
            | A::ReadSettings
            | A::NoteDenied { .. }
            | A::NewsHeard => Permission::Own,
            A::List { kind } => kind.needs(),
            A::OpenRecording { .. }
            | A::ListenRecording { .. }
            | A::KeepRecording { .. }
            | A::RestoreRecording { .. }
            | A::WhoChangedRecording { .. }
            | A::SaveDraft { .. }
            | A::DiscardDraft { .. } => Permission::RecordingsChange,
            A::OpenUser { .. }
            | A::CheckUser { .. }
            | A::AddUser { .. }
            | A::ResetVoicemailPin { .. }
            | A::ResetAccountPin { .. }
            | A::UnlockUser { .. }
            | A::SetUserEnabled { .. }
            | A::ListHandsets { .. }
            | A::ListUnassignedHandsets
            | A::AssignHandset { .. }
            | A::RemoveHandset { .. }
            | A::ReadUserForwarding { .. }
            | A::UserForwardingOff { .. }
            | A::KeepUserName { .. } => Permission::UsersManage,
            A::ReadMode
            | A::SetMode { .. }
            | A::OpenAttendant { .. }
            | A::SetAttendant { .. }
            | A::ListMembers { .. }
            | A::AddMember { .. }
            | A::RemoveMember { .. }
            | A::OpenCallCenter { .. }
            | A::SetCallCenter { .. } => Permission::AttendantsManage,
            A::OpenTrunk { .. } | A::SetTrunk { .. } | A::NetworkStatus => Permission::NetworkManage,
            A::StartBackup | A::ReadBackup { .. } | A::LastBackup => Permission::BackupRun,
            A::AskReboot | A::CancelReboot => Permission::RebootRun,
            A::SetLogging { .. } | A::NewLogFile => Permission::LoggingManage,
            A::VerifySupportPin { .. } => Permission::SupportVerify,
            A::RoleHolders { .. } => Permission::RolesAssign,
        };
        Some(Permissions::only(one))
    }

    /// The action's name in the audit trail, the changes and the hooks.
    pub fn name(&self) -> &'static str {
        use Action as A;
        match self {
            A::Login { .. } => "login",
            A::ReplaceTemporaryPin { .. } | A::SetOwnAccountPin { .. } => "account_pin.changed",
            A::SetOwnVoicemailPin { .. } => "voicemail_pin.changed",
            A::SetOwnSupportPin { .. } => "support_pin.changed",
            A::ReadForwarding { .. } | A::ReadUserForwarding { .. } => "forwarding.read",
            A::CheckForwardNumber { .. } => "forwarding.check",
            A::SetForwarding { .. } | A::ForwardingOff { .. } | A::UserForwardingOff { .. } => "forwarding.changed",
            A::ToggleDnd => "dnd.changed",
            A::ListenOwn { which: OwnAudio::Greeting } => "greeting.listen",
            A::ListenOwn { which: OwnAudio::Name } => "name.listen",
            A::KeepOwn { which: OwnAudio::Greeting, .. } => "greeting.changed",
            A::KeepOwn { which: OwnAudio::Name, .. } | A::KeepUserName { .. } => "name.changed",
            A::RestoreGreeting => "greeting.restored",
            A::RemoveGreeting => "greeting.removed",
            A::SetLanguage { .. } => "language.changed",
            A::ReadSettings => "settings.read",
            A::List { kind } => kind.list_name(),
            A::OpenRecording { .. } => "recording.open",
            A::ListenRecording { .. } => "recording.listen",
            A::KeepRecording { .. } => "recording.changed",
            A::RestoreRecording { .. } => "recording.restored",
            A::WhoChangedRecording { .. } => "recording.who",
            A::SaveDraft { .. } => "recording.draft_saved",
            A::DiscardDraft { .. } => "recording.draft_discarded",
            A::OpenUser { .. } => "user.open",
            A::CheckUser { .. } => "user.change",
            A::AddUser { .. } => "user.added",
            A::ResetVoicemailPin { .. } => "voicemail_pin.reset",
            A::ResetAccountPin { .. } => "account_pin.reset",
            A::UnlockUser { .. } => "user.unlocked",
            A::SetUserEnabled { enabled: true, .. } => "user.enabled",
            A::SetUserEnabled { enabled: false, .. } => "user.disabled",
            A::ListHandsets { .. } | A::ListUnassignedHandsets => "handset.list",
            A::AssignHandset { .. } => "handset.assigned",
            A::RemoveHandset { .. } => "handset.removed",
            A::ReadMode => "mode.read",
            A::SetMode { .. } => "mode.changed",
            A::OpenAttendant { .. } => "attendant.open",
            A::SetAttendant { .. } => "attendant.changed",
            A::ListMembers { .. } => "group.open",
            A::AddMember { .. } => "group.member_added",
            A::RemoveMember { .. } => "group.member_removed",
            A::OpenCallCenter { .. } => "callcenter.open",
            A::SetCallCenter { open: true, .. } => "callcenter.opened",
            A::SetCallCenter { open: false, .. } => "callcenter.closed",
            A::OpenTrunk { kind: TrunkKind::Line, .. } => "line.open",
            A::OpenTrunk { kind: TrunkKind::Gateway, .. } => "gateway.open",
            A::OpenTrunk { kind: TrunkKind::Proxy, .. } => "proxy.open",
            A::SetTrunk { kind, enabled, .. } => kind.change_name(*enabled),
            A::NetworkStatus => "network.status",
            A::StartBackup => "backup.requested",
            A::ReadBackup { .. } | A::LastBackup => "backup.read",
            A::AskReboot => "reboot.ask",
            A::CancelReboot => "reboot.cancelled",
            A::SetLogging { detailed: true } => "logging.detailed",
            A::SetLogging { detailed: false } => "logging.normal",
            A::NewLogFile => "logging.file_closed",
            A::VerifySupportPin { .. } => "support_pin.verified",
            A::SystemStatus => "system.status",
            A::RoleHolders { .. } => "role.list",
            A::ListChanges => "change.list",
            A::Check(what) | A::Confirm(what, _) => what.name(),
            A::NoteDenied { .. } => "menu.denied",
            A::NewsHeard => "news.heard",
        }
    }
}
