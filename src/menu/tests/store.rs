//! A store of the demo's accounts, in memory.

use super::audio;
use crate::access::{Action, Destructive, ItemKind, News, Permissions, RebootWhen, Refusal, Reply, Role, Session};
use crate::model::{AccountId, Audio, ChangeNumber, Civil, Extension, Pin, RecordingNumber};

/// What the transcripts need of a store: no policy, no history but the last version.
pub struct FakeStore {
    accounts: Vec<FakeAccount>,
    /// By number: live version, draft.
    pub recordings: Vec<(u32, Option<Audio>, Option<Audio>)>,
    pub other_calls: u32,
    pub reboot_waiting: bool,
    pub news: Vec<News>,
    last_change: i64,
}

struct FakeAccount {
    extension: &'static str,
    pin: &'static str,
    role: Option<Role>,
    temporary: bool,
}

impl FakeStore {
    /// Extensions 1000 to 1005 as in the demo, 1007 with a temporary PIN; recordings 1 (factory), 2 and 12; change 41
    /// was the last.
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
            last_change: 41,
        }
    }

    pub fn pin_of(&self, extension: &str) -> &'static str {
        self.accounts.iter().find(|account| account.extension == extension).expect("an account").pin
    }

    pub fn apply(&mut self, action: &Action) -> Reply {
        match action {
            Action::Login { extension, pin } => self.login(extension, pin),
            Action::ReplaceTemporaryPin { .. } | Action::SetOwnVoicemailPin { .. } => self.changed(),
            Action::SetOwnAccountPin { current, .. } if self.is_a_pin(current) => self.changed(),
            Action::SetOwnAccountPin { .. } => Reply::Refused(Refusal::PinWrong),
            Action::List { kind: ItemKind::Recording } => {
                Reply::Numbers(self.recordings.iter().map(|(number, ..)| *number).collect())
            }
            Action::OpenRecording { number } => match self.recording(*number) {
                Some((number, _, draft)) => Reply::Recording { factory: *number == 1, draft: draft.clone() },
                None => Reply::Refused(Refusal::Unknown),
            },
            Action::ListenRecording { number } => Reply::Audio(self.recording(*number).and_then(|r| r.1.clone())),
            Action::KeepRecording { number, audio } => {
                if let Some(recording) = self.recording(*number) {
                    recording.1 = Some(audio.clone());
                    recording.2 = None;
                }
                self.changed()
            }
            Action::RestoreRecording { number, .. } if *number == RecordingNumber(1) => {
                Reply::Refused(Refusal::NothingThere)
            }
            Action::RestoreRecording { .. } => self.changed(),
            Action::WhoChangedRecording { .. } => Reply::Who {
                by: Extension::parse("1002"),
                spoken_name: Some(audio(1002)),
                at: Some(Civil { year: 2026, month: 3, day: 3, weekday: 1, hour: 19, minute: 5 }),
            },
            Action::SaveDraft { number, audio } => {
                if let Some(recording) = self.recording(*number) {
                    recording.2 = Some(audio.clone());
                }
                Reply::Done
            }
            Action::DiscardDraft { number } => {
                if let Some(recording) = self.recording(*number) {
                    recording.2 = None;
                }
                Reply::Done
            }
            Action::OpenUser { extension } if self.accounts.iter().any(|a| a.extension == extension.as_str()) => {
                Reply::User { spoken_name: Some(audio(1005)), enabled: true, locked: false }
            }
            Action::OpenUser { .. } => Reply::Refused(Refusal::Unknown),
            Action::ResetVoicemailPin { .. } => {
                let pin = Pin::parse("730185").expect("a PIN");
                self.last_change += 1;
                Reply::TemporaryPin { pin, change: ChangeNumber(self.last_change) }
            }
            Action::AskReboot => Reply::RebootState { other_calls: self.other_calls, waiting: self.reboot_waiting },
            Action::Confirm(_, pin) if !self.is_a_pin(pin) => Reply::Refused(Refusal::PinWrong),
            Action::Confirm(Destructive::Reboot { when }, _) => {
                self.last_change += 1;
                self.reboot_waiting = true;
                let delay_s = if *when == RebootWhen::Now { 10 } else { 0 };
                Reply::RebootRequested { delay_s, change: ChangeNumber(self.last_change) }
            }
            Action::CancelReboot if self.reboot_waiting => {
                self.reboot_waiting = false;
                self.changed()
            }
            Action::CancelReboot => Reply::Refused(Refusal::NothingThere),
            Action::NoteDenied { .. } | Action::NewsHeard => Reply::Done,
            _ => Reply::Refused(Refusal::NotAllowed),
        }
    }

    fn login(&self, extension: &Extension, pin: &Pin) -> Reply {
        let found = self.accounts.iter().find(|a| a.extension == extension.as_str() && a.pin == pin.digits());
        let Some(account) = found else { return Reply::Refused(Refusal::LoginFailed) };
        Reply::LoggedIn(Session {
            language: None,
            id: AccountId(7),
            extension: extension.clone(),
            granted: Permissions::of(account.role.as_slice()),
            has_role: account.role.is_some(),
            spoken_name: (account.extension == "1002").then(|| audio(1002)),
            must_change_pin: account.temporary,
            news: self.news.clone(),
        })
    }

    fn is_a_pin(&self, pin: &Pin) -> bool {
        self.accounts.iter().any(|account| account.pin == pin.digits())
    }

    fn recording(&mut self, number: RecordingNumber) -> Option<&mut (u32, Option<Audio>, Option<Audio>)> {
        self.recordings.iter_mut().find(|recording| recording.0 == number.0)
    }

    fn changed(&mut self) -> Reply {
        self.last_change += 1;
        Reply::Changed(ChangeNumber(self.last_change))
    }
}
