//! Who may do what: roles, permissions, and every action that a caller or an administrator's shell can ask of the store.
//!
//! The menu leaves out what a caller may not do; that is courtesy. The check is in [`crate::store`], which asks
//! [`Action::permission`] inside the transaction that applies the action.

use crate::model::{AccountId, Audio, CallId, ChangeNumber, Civil, Extension, Pin, RecordingNumber, SiteId, Wall};

/// An administrative role, as the Allworx System Administrator's Guide (release 7.5) has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Everything, and the only one that gives roles.
    ServerAdministrator,
    /// Everything but roles.
    SystemAdministrator,
    /// Recordings, users, attendants.
    PhoneAdministrator,
    /// Lines, gateways, proxies.
    NetworkAdministrator,
    /// Backups, reboots, logging.
    SupportTechnician,
}

/// What an account may do, by the row of the permission table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// `own.*`: one's own PINs, forwarding, greeting, name, language.
    Own,
    /// `recordings.change`
    RecordingsChange,
    /// `users.manage`
    UsersManage,
    /// `attendants.manage`
    AttendantsManage,
    /// `network.manage`
    NetworkManage,
    /// `backup.run`
    BackupRun,
    /// `reboot.run`
    RebootRun,
    /// `logging.manage`
    LoggingManage,
    /// `support.verify`
    SupportVerify,
    /// `roles.assign`
    RolesAssign,
}

impl Role {
    /// All roles, in the order of the roles menu (keys 1 to 5).
    pub const ALL: [Role; 5] = [
        Role::ServerAdministrator,
        Role::SystemAdministrator,
        Role::PhoneAdministrator,
        Role::NetworkAdministrator,
        Role::SupportTechnician,
    ];

    /// The name in the store and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Role::ServerAdministrator => "server-administrator",
            Role::SystemAdministrator => "system-administrator",
            Role::PhoneAdministrator => "phone-administrator",
            Role::NetworkAdministrator => "network-administrator",
            Role::SupportTechnician => "support-technician",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What the role allows.
    pub fn permissions(self) -> Permissions {
        use Permission as P;
        let list: &[P] = match self {
            Role::ServerAdministrator => &Permission::ALL,
            Role::SystemAdministrator => &[
                P::Own,
                P::RecordingsChange,
                P::UsersManage,
                P::AttendantsManage,
                P::NetworkManage,
                P::BackupRun,
                P::RebootRun,
                P::LoggingManage,
                P::SupportVerify,
            ],
            Role::PhoneAdministrator => {
                &[P::Own, P::RecordingsChange, P::UsersManage, P::AttendantsManage, P::SupportVerify]
            }
            Role::NetworkAdministrator => &[P::Own, P::NetworkManage],
            Role::SupportTechnician => &[P::Own, P::BackupRun, P::RebootRun, P::LoggingManage, P::SupportVerify],
        };
        list.iter().copied().collect()
    }
}

impl Permission {
    /// All permissions, in the order of the permission table.
    pub const ALL: [Permission; 10] = [
        Permission::Own,
        Permission::RecordingsChange,
        Permission::UsersManage,
        Permission::AttendantsManage,
        Permission::NetworkManage,
        Permission::BackupRun,
        Permission::RebootRun,
        Permission::LoggingManage,
        Permission::SupportVerify,
        Permission::RolesAssign,
    ];

    /// The name in the audit trail and the docs.
    pub fn name(self) -> &'static str {
        match self {
            Permission::Own => "own",
            Permission::RecordingsChange => "recordings.change",
            Permission::UsersManage => "users.manage",
            Permission::AttendantsManage => "attendants.manage",
            Permission::NetworkManage => "network.manage",
            Permission::BackupRun => "backup.run",
            Permission::RebootRun => "reboot.run",
            Permission::LoggingManage => "logging.manage",
            Permission::SupportVerify => "support.verify",
            Permission::RolesAssign => "roles.assign",
        }
    }
}

/// A set of permissions; an account's is the union of its roles' and always has [`Permission::Own`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u16);

impl Permissions {
    /// What someone with no role may do.
    pub const OWN: Permissions = Permissions(1);

    /// The union over `roles`, and one's own settings.
    pub fn of(roles: &[Role]) -> Self {
        roles.iter().fold(Self::OWN, |all, role| Permissions(all.0 | role.permissions().0))
    }

    /// Whether the permission is in the set.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u16) != 0
    }

    /// Whether every permission of `other` is in this set: the rule of "no reaching up".
    pub fn covers(self, other: Permissions) -> bool {
        other.0 & !self.0 == 0
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(iter: I) -> Self {
        Permissions(iter.into_iter().fold(0, |bits, p| bits | (1 << p as u16)))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody yet: a caller before the login. May only [`Action::Login`].
    Caller,
    /// A caller who is logged in; the rights are read again at each action.
    Account {
        /// The account.
        id: AccountId,
        /// What it was allowed when it logged in; a right gained since counts from the next login.
        granted: Permissions,
    },
    /// Someone with a shell on this machine: allowed everything, named `cli` in the audit trail.
    Shell,
}

/// The moment of a request: what the store can't know by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The wall clock.
    pub now: Wall,
    /// The site that the call or the command is for.
    pub site: SiteId,
    /// Where it comes from, for audit and lock-outs: an address, or `cli`.
    pub source: String,
    /// The call, where there is one.
    pub call: Option<CallId>,
    /// Calls in progress besides this one.
    pub other_calls: u32,
}

/// When a reboot is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RebootWhen {
    /// After the configured delay.
    Now,
    /// When no call is left.
    Idle,
}

/// Which older version of a recording to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestoreTo {
    /// The one before the live one.
    Previous,
    /// The factory one.
    Factory,
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
    /// Lists the numbers of all system recordings, ascending.
    ListRecordings,
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
    /// Makes a temporary voicemail PIN for another user.
    ResetVoicemailPin { extension: Extension },
    /// Whether a reboot is waiting; the calls in progress.
    AskReboot,
    /// Requests a reboot; `pin` is the caller's own account PIN, again.
    Reboot { when: RebootWhen, pin: Pin },
    /// Cancels a reboot that has not started.
    CancelReboot,
    /// Notes that a key was pressed whose function the caller may not use; `function` is its name in the menu.
    NoteDenied { function: &'static str },
    /// Marks what was spoken after `logged-in` as heard.
    NewsHeard,
}

impl Action {
    /// What the caller must be allowed; `None` where nobody is logged in yet.
    pub fn permission(&self) -> Option<Permission> {
        use Action as A;
        match self {
            A::Login { .. } => None,
            A::ReplaceTemporaryPin { .. }
            | A::SetOwnVoicemailPin { .. }
            | A::SetOwnAccountPin { .. }
            | A::NoteDenied { .. }
            | A::NewsHeard => Some(Permission::Own),
            A::ListRecordings
            | A::OpenRecording { .. }
            | A::ListenRecording { .. }
            | A::KeepRecording { .. }
            | A::RestoreRecording { .. }
            | A::WhoChangedRecording { .. }
            | A::SaveDraft { .. }
            | A::DiscardDraft { .. } => Some(Permission::RecordingsChange),
            A::OpenUser { .. } | A::ResetVoicemailPin { .. } => Some(Permission::UsersManage),
            A::AskReboot | A::Reboot { .. } | A::CancelReboot => Some(Permission::RebootRun),
        }
    }

    /// The action's name in the audit trail, the changes and the hooks.
    pub fn name(&self) -> &'static str {
        use Action as A;
        match self {
            A::Login { .. } => "login",
            A::ReplaceTemporaryPin { .. } | A::SetOwnAccountPin { .. } => "account_pin.changed",
            A::SetOwnVoicemailPin { .. } => "voicemail_pin.changed",
            A::ListRecordings => "recording.list",
            A::OpenRecording { .. } => "recording.open",
            A::ListenRecording { .. } => "recording.listen",
            A::KeepRecording { .. } => "recording.changed",
            A::RestoreRecording { .. } => "recording.restored",
            A::WhoChangedRecording { .. } => "recording.who",
            A::SaveDraft { .. } => "recording.draft_saved",
            A::DiscardDraft { .. } => "recording.draft_discarded",
            A::OpenUser { .. } => "user.open",
            A::ResetVoicemailPin { .. } => "voicemail_pin.reset",
            A::AskReboot => "reboot.ask",
            A::Reboot { .. } => "reboot.requested",
            A::CancelReboot => "reboot.cancelled",
            A::NoteDenied { .. } => "menu.denied",
            A::NewsHeard => "news.heard",
        }
    }
}

/// How something that this person asked for has ended since; each is told once.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum News {
    RebootDone,
    RebootFailed,
    RebootUnknown,
    BackupDone,
    BackupFailed,
}

/// What a login gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account.
    pub id: AccountId,
    /// Its extension.
    pub extension: Extension,
    /// What it may do, for this call.
    pub granted: Permissions,
    /// Whether it holds any role (else *My settings* is the top menu).
    pub has_role: bool,
    /// The recorded name, where there is one.
    pub spoken_name: Option<Audio>,
    /// The PIN is temporary and must be changed first.
    pub must_change_pin: bool,
    /// What has ended since the last call.
    pub news: Vec<News>,
}

/// What the store answers; what a field holds its name says.
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// [`Action::Login`].
    LoggedIn(Session),
    /// A change was made; its number is spoken.
    Changed(ChangeNumber),
    /// Done, and no change that has a number (drafts, notes, news).
    Done,
    /// [`Action::ListRecordings`].
    Recordings(Vec<RecordingNumber>),
    /// [`Action::OpenRecording`].
    Recording { factory: bool, draft: Option<Audio> },
    /// [`Action::ListenRecording`]: the audio; `None` where nothing has been recorded.
    Audio(Option<Audio>),
    /// [`Action::WhoChangedRecording`]; `by` is `None` for a change from the shell or none at all.
    Who { by: Option<Extension>, spoken_name: Option<Audio>, at: Option<Civil> },
    /// [`Action::OpenUser`].
    User { spoken_name: Option<Audio>, enabled: bool, locked: bool },
    /// A temporary PIN was made, to be spoken once.
    TemporaryPin { pin: Pin, change: ChangeNumber },
    /// [`Action::AskReboot`].
    RebootState { other_calls: u32, waiting: bool },
    /// [`Action::Reboot`]: it starts in `delay_s` seconds (0 for when idle).
    RebootRequested { delay_s: u32, change: ChangeNumber },
    /// It was not done, and nothing was changed.
    Refused(Refusal),
}

/// Why the store did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Unknown extension, wrong PIN, locked or disabled: which one is never told.
    LoginFailed,
    /// The caller never had the right.
    NotAllowed,
    /// The caller had the right when logging in, and it was taken away since.
    NoLongerAllowed,
    /// The other account holds a permission that the caller lacks.
    NotAllowedForThisAccount,
    /// The caller's own PIN, asked for again, was wrong.
    PinWrong,
    /// The PIN policy.
    PinTooShort,
    /// The PIN policy.
    PinTooSimple,
    /// The PIN policy.
    PinUsedBefore,
    /// No such recording or extension.
    Unknown,
    /// There is no older version; no reboot to cancel.
    NothingThere,
    /// It is already so: a reboot is already on its way.
    AlreadyWaiting,
    /// The store can't be written now; nothing was changed.
    TryLater,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_permission_table() {
        let mut grid = String::new();
        for permission in Permission::ALL {
            let marks = Role::ALL.map(|role| if role.permissions().has(permission) { 'x' } else { '.' });
            grid.push_str(&format!("{:<18} {}\n", permission.name(), String::from_iter(marks)));
        }
        let expected = "\
own                xxxxx
recordings.change  xxx..
users.manage       xxx..
attendants.manage  xxx..
network.manage     xx.x.
backup.run         xx..x
reboot.run         xx..x
logging.manage     xx..x
support.verify     xxx.x
roles.assign       x....
";
        assert_eq!(grid, expected);
    }

    #[test]
    fn nobody_reaches_up() {
        let of = |role: Role| Permissions::of(&[role]);
        assert!(of(Role::ServerAdministrator).covers(of(Role::SystemAdministrator)));
        assert!(!of(Role::SystemAdministrator).covers(of(Role::ServerAdministrator)));
        assert!(!of(Role::PhoneAdministrator).covers(of(Role::SupportTechnician)));
        assert!(of(Role::NetworkAdministrator).covers(Permissions::OWN));
    }
}
