//! Everything that the store answers a call.

use std::net::IpAddr;
use std::time::Duration;

use super::{Mode, ModeSetting, Permissions, TrunkKind};
use crate::model::{
    AccountId, Audio, ChangeNumber, Civil, Extension, ItemNumber, Language, Mac, PhoneNumber, Pin, RecordingNumber,
};

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
    /// The language of its calls; `None`: the one that the call has.
    pub language: Option<Language>,
    /// The recorded name, where there is one.
    pub spoken_name: Option<Audio>,
    /// The PIN is temporary and must be changed first.
    pub must_change_pin: bool,
    /// What has ended since the last call.
    pub news: Vec<News>,
    /// How often somebody else than its owner has set the account PIN.
    pub pin_resets: i64,
}

/// Someone of whom callers hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The extension.
    pub extension: Extension,
    /// The recorded name, where there is one.
    pub spoken_name: Option<Audio>,
}

/// Several of them; the list may be cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// How many there are.
    pub count: u32,
    /// The first ones (200 at most).
    pub listed: Vec<Person>,
}

/// One's own settings; never a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where calls go, in the order of [`super::ForwardKind::ALL`].
    pub forwarding: [Option<PhoneNumber>; 3],
    /// Do not disturb.
    pub dnd: bool,
    /// Whether there is a greeting.
    pub has_greeting: bool,
    /// Whether there is a spoken name.
    pub has_name: bool,
    /// Whether there is a voicemail PIN.
    pub has_voicemail_pin: bool,
    /// Whether there is a support PIN.
    pub has_support_pin: bool,
    /// The language of one's calls; `None` for the configured one.
    pub language: Option<Language>,
}

/// Whether a trunk answered the last OPTIONS request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It was not asked yet, or has no URI.
    Unknown,
    /// It answered, after that time.
    Reachable(Duration),
    /// It did not answer, or said that it is out of service.
    Unreachable,
}

/// What is known of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkStatus {
    /// This host's addresses (16 at most); filled in by who carries the reply.
    pub addresses: Vec<IpAddr>,
    /// What did not answer (50 at most).
    pub unreachable: Vec<(TrunkKind, ItemNumber)>,
}

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupState {
    /// Not ended yet.
    Running,
    /// Done and verified, of so many bytes.
    Done(u64),
    /// It failed.
    Failed,
}

/// What is known of this system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemStatus {
    /// Major, minor, patch.
    pub version: [u32; 3],
    /// Since when this process serves; filled in by who carries the reply.
    pub up_since: Option<Civil>,
    /// Calls in progress, this one among them.
    pub calls: u32,
    /// How full the disk of the store is, in percent; filled in by who carries the reply.
    pub disk_used_percent: Option<u8>,
    /// The size of the store, in bytes.
    pub store_bytes: u64,
}

/// A change as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldChange {
    /// Its number.
    pub number: ChangeNumber,
    /// Who made it; `None`: nobody with an account (the shell, another program).
    pub by: Option<Person>,
    /// The action's name ([`super::Action::name`] and those of the shell).
    pub action: String,
    /// What was changed.
    pub target: String,
    /// When.
    pub at: Option<Civil>,
}

/// What the store answers; what a field holds its name says.
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// [`super::Action::Login`].
    LoggedIn(Session),
    /// A change was made; its number is spoken.
    Changed(ChangeNumber),
    /// Done, or allowed, and no change that has a number.
    Done,
    /// [`super::Action::List`].
    Numbers(Vec<u32>),
    /// [`super::Action::OpenRecording`].
    Recording { factory: bool, draft: Option<Audio> },
    /// The audio; `None` where nothing has been recorded.
    Audio(Option<Audio>),
    /// [`super::Action::WhoChangedRecording`]; `by` is `None` for a change from the shell or none at all.
    Who { by: Option<Extension>, spoken_name: Option<Audio>, at: Option<Civil> },
    /// [`super::Action::OpenUser`].
    User { spoken_name: Option<Audio>, enabled: bool, locked: bool },
    /// A temporary PIN was made, to be spoken once.
    TemporaryPin { pin: Pin, change: ChangeNumber },
    /// [`super::Action::ReadForwarding`].
    Forwarding { to: Option<PhoneNumber> },
    /// [`super::Action::ReadUserForwarding`], in the order of [`super::ForwardKind::ALL`].
    Forwardings([Option<PhoneNumber>; 3]),
    /// [`super::Action::ToggleDnd`].
    Dnd { on: bool, change: ChangeNumber },
    /// [`super::Action::ReadSettings`].
    Settings(Settings),
    /// [`super::Action::ListHandsets`], [`super::Action::ListUnassignedHandsets`] (200 at most).
    Handsets(Vec<Mac>),
    /// [`super::Action::ReadMode`]; `mode` is what holds now.
    Mode { mode: Mode, setting: ModeSetting, until: Option<Civil> },
    /// [`super::Action::OpenAttendant`].
    Attendant { recording: Option<RecordingNumber> },
    /// [`super::Action::ListMembers`], [`super::Action::RoleHolders`].
    People(People),
    /// [`super::Action::OpenCallCenter`].
    CallCenter { open: bool },
    /// [`super::Action::OpenTrunk`].
    Trunk { spoken_name: Option<Audio>, enabled: bool, reach: Reach },
    /// [`super::Action::NetworkStatus`].
    Network(NetworkStatus),
    /// [`super::Action::StartBackup`].
    BackupStarted { id: i64, change: ChangeNumber },
    /// [`super::Action::ReadBackup`].
    Backup(BackupState),
    /// [`super::Action::LastBackup`]; `None` where there is none.
    LastBackup { last: Option<(Civil, u64)> },
    /// [`super::Action::SystemStatus`].
    Status(SystemStatus),
    /// [`super::Action::ListChanges`] (5 at most, newest first).
    Changes(Vec<ToldChange>),
    /// [`super::Action::Check`] of an undo: what would be put back.
    MayUndo(ToldChange),
    /// [`super::Action::Check`] of what is done to an account: who it is.
    MayChange(Person),
    /// [`super::Action::AskReboot`], and the check of a reboot; `waiting`: one is on its way, or has begun; `failed`: the
    /// last one was not carried out, as far as is known.
    RebootState { other_calls: u32, waiting: bool, failed: bool },
    /// A reboot was confirmed: it starts in `delay_s` seconds (0 for when idle).
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
    /// It takes an encrypted call, and this one is none.
    NotEncrypted,
    /// Nobody deletes or disables themselves by phone, or gives themselves what they may not have.
    NotYourself,
    /// The caller's own PIN, asked for again, was wrong.
    PinWrong,
    /// The PIN policy.
    PinTooShort,
    /// The PIN policy.
    PinTooSimple,
    /// The PIN policy.
    PinUsedBefore,
    /// A role holder needs a longer account PIN than this account has.
    PinTooShortForRole,
    /// No such recording, extension, number or change.
    Unknown,
    /// The other thing that was named is not there (the recording of an attendant, the member to be).
    OtherUnknown,
    /// There is no older version; no reboot to cancel; nothing to turn off.
    NothingThere,
    /// It is already so: a reboot is on its way, the extension has an account, the member is in the group.
    AlreadySo,
    /// The toll policy does not let calls go there.
    ForwardNotAllowed,
    /// There must always be an enabled Server Administrator.
    LastServerAdministrator,
    /// It is the last of its kind that is enabled: [`super::Destructive::DisableTrunk`] does it.
    LastEnabled,
    /// A change of this kind can't be put back (a PIN, a deletion, a reboot).
    CannotUndo,
    /// What was changed has been changed again since.
    ChangedSince,
    /// The change was undone already.
    AlreadyUndone,
    /// There is no room for another.
    TooMany,
    /// The store can't be written now; nothing was changed.
    TryLater,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Refusal; 23] = [
        Refusal::LoginFailed,
        Refusal::NotAllowed,
        Refusal::NoLongerAllowed,
        Refusal::NotAllowedForThisAccount,
        Refusal::NotEncrypted,
        Refusal::NotYourself,
        Refusal::PinWrong,
        Refusal::PinTooShort,
        Refusal::PinTooSimple,
        Refusal::PinUsedBefore,
        Refusal::PinTooShortForRole,
        Refusal::Unknown,
        Refusal::OtherUnknown,
        Refusal::NothingThere,
        Refusal::AlreadySo,
        Refusal::ForwardNotAllowed,
        Refusal::LastServerAdministrator,
        Refusal::LastEnabled,
        Refusal::CannotUndo,
        Refusal::ChangedSince,
        Refusal::AlreadyUndone,
        Refusal::TooMany,
        Refusal::TryLater,
    ];
}
