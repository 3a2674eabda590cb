//! A store of the demo's accounts, in memory.

use super::audio;
use super::replies::told;
use crate::access::{
    Action, BackupState, Destructive, ForwardKind, ItemKind, Mode, ModeSetting, NetworkStatus, News, OwnAudio, People,
    Permissions, Person, Reach, RebootWhen, Refusal, Reply, Role, Session, Settings, SystemStatus, ToldChange,
    TrunkKind,
};
use crate::model::{
    AccountId, Audio, ChangeNumber, Civil, Extension, ItemNumber, Language, Mac, PhoneNumber, Pin, RecordingNumber,
};
use std::time::Duration;

/// What the transcripts need of a store: no policy, no history but the last version.
pub struct FakeStore {
    accounts: Vec<FakeAccount>,
    /// By number: live version, draft.
    pub recordings: Vec<(u32, Option<Audio>, Option<Audio>)>,
    pub other_calls: u32,
    pub reboot_waiting: bool,
    pub news: Vec<News>,
    pub language: Option<Language>,
    /// The caller's own, which stand for everybody's.
    pub forwarding: [Option<PhoneNumber>; 3],
    pub dnd: bool,
    pub greeting: Option<Audio>,
    pub enabled: bool,
    /// Of 1005.
    pub handsets: Vec<Mac>,
    pub unassigned: Vec<Mac>,
    pub mode: (Mode, ModeSetting, Option<Civil>),
    pub attendant_plays: Option<RecordingNumber>,
    pub members: Vec<Extension>,
    pub is_open: bool,
    /// Kind, number, whether enabled.
    pub trunks: Vec<(TrunkKind, u32, bool)>,
    pub reach: Reach,
    /// What looks at a backup find, in order; after the last one always that.
    pub backup: Vec<BackupState>,
    pub last_backup: Option<(Civil, u64)>,
    pub holders: Vec<Extension>,
    pub changes: Vec<ToldChange>,
    last_change: i64,
}

struct FakeAccount {
    extension: &'static str,
    pin: &'static str,
    role: Option<Role>,
    temporary: bool,
}

pub const EVENING: Civil = Civil { year: 2026, month: 3, day: 3, weekday: 1, hour: 19, minute: 5 };

pub fn extension(digits: &str) -> Extension {
    Extension::parse(digits).expect("an extension")
}

impl FakeStore {
    /// Extensions 1000 to 1005 as in the demo, 1007 with a temporary PIN; recordings 1 (factory), 2 and 12; attendant
    /// 1, group 5 (1002, 1005), call center 3, lines 1 and 2, gateway 1, no proxy; change 41 was the last.
    pub fn new() -> Self {
        let account = |extension, pin, role| FakeAccount { extension, pin, role, temporary: false };
        Self {
            accounts: vec![
                account("1000", "61849273", Some(Role::ServerAdministrator)),
                account("1002", "83517294", Some(Role::PhoneAdministrator)),
                account("1003", "74926185", Some(Role::NetworkAdministrator)),
                account("1004", "29618374", Some(Role::SupportTechnician)),
                account("1005", "904826", None),
                FakeAccount { temporary: true, ..account("1007", "12345678", Some(Role::SupportTechnician)) },
            ],
            recordings: vec![(1, Some(audio(100)), None), (2, Some(audio(200)), None), (12, None, None)],
            other_calls: 0,
            reboot_waiting: false,
            news: Vec::new(),
            language: None,
            forwarding: [None, None, None],
            dnd: false,
            greeting: None,
            enabled: true,
            handsets: vec![Mac([0, 4, 0xf2, 0x12, 0xab, 0xcd])],
            unassigned: vec![Mac([0, 4, 0xf2, 0, 0, 1]), Mac([0, 4, 0xf2, 0, 0, 2])],
            mode: (Mode::Day, ModeSetting::Timetable, None),
            attendant_plays: None,
            members: vec![extension("1002"), extension("1005")],
            is_open: true,
            trunks: vec![(TrunkKind::Line, 1, true), (TrunkKind::Line, 2, false), (TrunkKind::Gateway, 1, true)],
            reach: Reach::Reachable(Duration::from_millis(12)),
            backup: vec![BackupState::Running, BackupState::Done(40_000_000)],
            last_backup: None,
            holders: vec![extension("1000"), extension("1002")],
            changes: vec![told("mode.changed")],
            last_change: 41,
        }
    }

    pub fn pin_of(&self, extension: &str) -> &'static str {
        self.accounts.iter().find(|account| account.extension == extension).expect("an account").pin
    }

    fn reboot_state(&self) -> Reply {
        Reply::RebootState { other_calls: self.other_calls, waiting: self.reboot_waiting, failed: false }
    }

    pub fn apply(&mut self, action: &Action) -> Reply {
        match action {
            Action::Login { extension, pin } => self.login(extension, pin),
            Action::SetOwnAccountPin { current, .. } if !self.is_a_pin(current) => Reply::Refused(Refusal::PinWrong),
            Action::List { kind } => Reply::Numbers(self.numbers(*kind)),
            Action::Check(what) => self.check(what),
            Action::Confirm(_, pin) if !self.is_a_pin(pin) => Reply::Refused(Refusal::PinWrong),
            Action::Confirm(Destructive::Reboot { when }, _) => {
                self.last_change += 1;
                self.reboot_waiting = true;
                let delay_s = if *when == RebootWhen::Now { 10 } else { 0 };
                Reply::RebootRequested { delay_s, change: ChangeNumber(self.last_change) }
            }
            Action::CancelReboot if !std::mem::take(&mut self.reboot_waiting) => Reply::Refused(Refusal::NothingThere),
            Action::AskReboot => self.reboot_state(),
            Action::NoteDenied { .. } | Action::NewsHeard => Reply::Done,
            action => {
                self.own(action).or_else(|| self.recording(action)).or_else(|| self.user(action)).unwrap_or_else(|| {
                    match self.system(action) {
                        Some(reply) => reply,
                        None => self.changed(),
                    }
                })
            }
        }
    }

    fn own(&mut self, action: &Action) -> Option<Reply> {
        match action {
            Action::ReadForwarding { kind } => Some(Reply::Forwarding { to: self.forwarding[index(*kind)].clone() }),
            Action::CheckForwardNumber { to } if to.as_str().starts_with("00") => {
                Some(Reply::Refused(Refusal::ForwardNotAllowed))
            }
            Action::CheckForwardNumber { .. } => Some(Reply::Done),
            Action::SetForwarding { kind, to } => {
                self.forwarding[index(*kind)] = Some(to.clone());
                None
            }
            Action::ForwardingOff { kind } => match self.forwarding[index(*kind)].take() {
                Some(_) => None,
                None => Some(Reply::Refused(Refusal::NothingThere)),
            },
            Action::ToggleDnd => {
                self.dnd = !self.dnd;
                self.last_change += 1;
                Some(Reply::Dnd { on: self.dnd, change: ChangeNumber(self.last_change) })
            }
            Action::ListenOwn { which: OwnAudio::Greeting } => Some(Reply::Audio(self.greeting.clone())),
            Action::ListenOwn { which: OwnAudio::Name } => Some(Reply::Audio(Some(audio(1002)))),
            Action::KeepOwn { which: OwnAudio::Greeting, audio } => {
                self.greeting = Some(audio.clone());
                None
            }
            Action::RemoveGreeting => match self.greeting.take() {
                Some(_) => None,
                None => Some(Reply::Refused(Refusal::NothingThere)),
            },
            Action::ReadSettings => Some(Reply::Settings(Settings {
                forwarding: self.forwarding.clone(),
                dnd: self.dnd,
                has_greeting: self.greeting.is_some(),
                has_name: true,
                has_voicemail_pin: true,
                has_support_pin: false,
                language: self.language,
            })),
            _ => None,
        }
    }

    fn recording(&mut self, action: &Action) -> Option<Reply> {
        match action {
            Action::OpenRecording { number } => Some(match self.recording_of(*number) {
                Some((number, _, draft)) => Reply::Recording { factory: *number == 1, draft: draft.clone() },
                None => Reply::Refused(Refusal::Unknown),
            }),
            Action::ListenRecording { number } => {
                Some(Reply::Audio(self.recording_of(*number).and_then(|recording| recording.1.clone())))
            }
            Action::KeepRecording { number, audio } => {
                if let Some(recording) = self.recording_of(*number) {
                    recording.1 = Some(audio.clone());
                    recording.2 = None;
                }
                None
            }
            Action::RestoreRecording { number: RecordingNumber(1), .. } => Some(Reply::Refused(Refusal::NothingThere)),
            Action::WhoChangedRecording { .. } => {
                Some(Reply::Who { by: Extension::parse("1002"), spoken_name: Some(audio(1002)), at: Some(EVENING) })
            }
            Action::SaveDraft { number, audio } => {
                if let Some(recording) = self.recording_of(*number) {
                    recording.2 = Some(audio.clone());
                }
                Some(Reply::Done)
            }
            Action::DiscardDraft { number } => {
                if let Some(recording) = self.recording_of(*number) {
                    recording.2 = None;
                }
                Some(Reply::Done)
            }
            _ => None,
        }
    }

    fn user(&mut self, action: &Action) -> Option<Reply> {
        match action {
            Action::OpenUser { extension } if self.has(extension) => {
                Some(Reply::User { spoken_name: Some(audio(1005)), enabled: self.enabled, locked: false })
            }
            Action::OpenUser { .. } => Some(Reply::Refused(Refusal::Unknown)),
            Action::CheckUser { .. } => Some(Reply::Done),
            Action::AddUser { .. } | Action::ResetAccountPin { .. } => Some(self.temporary_pin("40718365")),
            Action::ResetVoicemailPin { .. } => Some(self.temporary_pin("730185")),
            Action::SetUserEnabled { enabled, .. } => {
                self.enabled = *enabled;
                None
            }
            Action::ListHandsets { .. } => Some(Reply::Handsets(self.handsets.clone())),
            Action::ListUnassignedHandsets => Some(Reply::Handsets(self.unassigned.clone())),
            Action::ReadUserForwarding { .. } => Some(Reply::Forwardings(self.forwarding.clone())),
            Action::UserForwardingOff { .. } if self.forwarding == [None, None, None] => {
                Some(Reply::Refused(Refusal::NothingThere))
            }
            _ => None,
        }
    }

    fn system(&mut self, action: &Action) -> Option<Reply> {
        let there = |is: bool, reply: Reply| Some(if is { reply } else { Reply::Refused(Refusal::Unknown) });
        match action {
            Action::ReadMode => {
                let (mode, setting, until) = self.mode;
                Some(Reply::Mode { mode, setting, until })
            }
            Action::OpenAttendant { number } => {
                there(number.0 == 1, Reply::Attendant { recording: self.attendant_plays })
            }
            Action::SetAttendant { recording, .. } if self.recording_of(*recording).is_none() => {
                Some(Reply::Refused(Refusal::OtherUnknown))
            }
            Action::ListMembers { number } => there(number.0 == 5, people(&self.members)),
            Action::AddMember { extension, .. } if !self.has(extension) => Some(Reply::Refused(Refusal::OtherUnknown)),
            Action::AddMember { extension, .. } if self.members.contains(extension) => {
                Some(Reply::Refused(Refusal::AlreadySo))
            }
            Action::RemoveMember { extension, .. } if !self.members.contains(extension) => {
                Some(Reply::Refused(Refusal::NothingThere))
            }
            Action::OpenCallCenter { number } => there(number.0 == 3, Reply::CallCenter { open: self.is_open }),
            Action::OpenTrunk { kind, number } => {
                let trunk = self.trunks.iter().find(|(of, n, _)| of == kind && *n == number.0);
                let reply = |enabled| Reply::Trunk { spoken_name: Some(audio(600)), enabled, reach: self.reach };
                Some(trunk.map_or(Reply::Refused(Refusal::Unknown), |(.., enabled)| reply(*enabled)))
            }
            Action::SetTrunk { kind, number: ItemNumber(1), enabled: false } if *kind == TrunkKind::Line => {
                Some(Reply::Refused(Refusal::LastEnabled))
            }
            Action::NetworkStatus => Some(Reply::Network(NetworkStatus {
                addresses: vec!["192.0.2.7".parse().expect("an address")],
                unreachable: Vec::new(),
            })),
            Action::StartBackup => {
                self.last_change += 1;
                Some(Reply::BackupStarted { id: 7, change: ChangeNumber(self.last_change) })
            }
            Action::ReadBackup { .. } if self.backup.len() > 1 => Some(Reply::Backup(self.backup.remove(0))),
            Action::ReadBackup { .. } => Some(Reply::Backup(self.backup[0])),
            Action::LastBackup => Some(Reply::LastBackup { last: self.last_backup }),
            Action::VerifySupportPin { pin, .. } if pin.digits() == "851730" => Some(Reply::Done),
            Action::VerifySupportPin { .. } => Some(Reply::Refused(Refusal::Unknown)),
            Action::SystemStatus => Some(Reply::Status(SystemStatus {
                version: [0, 1, 0],
                up_since: Some(EVENING),
                calls: 1,
                disk_used_percent: Some(40),
                store_bytes: 3_500_000,
            })),
            Action::RoleHolders { .. } => Some(people(&self.holders)),
            Action::ListChanges => Some(Reply::Changes(self.changes.clone())),
            _ => None,
        }
    }

    fn check(&self, what: &Destructive) -> Reply {
        let person = |extension: &Extension| match self.has(extension) {
            true => Reply::MayChange(Person { extension: extension.clone(), spoken_name: Some(audio(1005)) }),
            false => Reply::Refused(Refusal::Unknown),
        };
        match what {
            Destructive::Reboot { .. } => self.reboot_state(),
            Destructive::DeleteUser { extension }
            | Destructive::AssignRole { extension, .. }
            | Destructive::RemoveRole { extension, .. } => person(extension),
            Destructive::DisableTrunk { .. } => Reply::Done,
            Destructive::Undo { number } => match self.changes.iter().find(|change| change.number == *number) {
                Some(change) => Reply::MayUndo(change.clone()),
                None => Reply::Refused(Refusal::Unknown),
            },
        }
    }

    fn numbers(&self, kind: ItemKind) -> Vec<u32> {
        match kind {
            ItemKind::Recording => self.recordings.iter().map(|(number, ..)| *number).collect(),
            ItemKind::Attendant => vec![1],
            ItemKind::Group => vec![5],
            ItemKind::CallCenter => vec![3],
            ItemKind::Trunk(kind) => {
                self.trunks.iter().filter(|(of, ..)| *of == kind).map(|(_, number, _)| *number).collect()
            }
        }
    }

    fn login(&self, extension: &Extension, pin: &Pin) -> Reply {
        let found = self.accounts.iter().find(|a| a.extension == extension.as_str() && a.pin == pin.digits());
        let Some(account) = found else { return Reply::Refused(Refusal::LoginFailed) };
        Reply::LoggedIn(Session {
            language: self.language,
            id: AccountId(7),
            extension: extension.clone(),
            granted: Permissions::of(account.role.as_slice()),
            has_role: account.role.is_some(),
            spoken_name: (account.extension == "1002").then(|| audio(1002)),
            must_change_pin: account.temporary,
            pin_resets: 0,
            news: self.news.clone(),
        })
    }

    fn has(&self, extension: &Extension) -> bool {
        self.accounts.iter().any(|account| account.extension == extension.as_str())
    }

    fn is_a_pin(&self, pin: &Pin) -> bool {
        self.accounts.iter().any(|account| account.pin == pin.digits())
    }

    fn recording_of(&mut self, number: RecordingNumber) -> Option<&mut (u32, Option<Audio>, Option<Audio>)> {
        self.recordings.iter_mut().find(|recording| recording.0 == number.0)
    }

    fn temporary_pin(&mut self, digits: &str) -> Reply {
        self.last_change += 1;
        Reply::TemporaryPin { pin: Pin::parse(digits).expect("a PIN"), change: ChangeNumber(self.last_change) }
    }

    fn changed(&mut self) -> Reply {
        self.last_change += 1;
        Reply::Changed(ChangeNumber(self.last_change))
    }
}

fn index(kind: ForwardKind) -> usize {
    ForwardKind::ALL.iter().position(|of| *of == kind).expect("a kind")
}

fn people(extensions: &[Extension]) -> Reply {
    let person = |extension: &Extension| Person { extension: extension.clone(), spoken_name: None };
    let listed: Vec<Person> = extensions.iter().map(person).collect();
    Reply::People(People { count: listed.len() as u32, listed })
}
