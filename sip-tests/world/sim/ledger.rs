//! The store as a model: small enough to be seen to be right. It answers as the real one does.

use std::collections::BTreeMap;

use switchhook::access::{Action, Actor, News, Permission, Permissions, RebootWhen, Refusal, Reply, RestoreTo, Role};
use switchhook::access::{Destructive, ItemKind, Session};
use switchhook::model::{AccountId, Audio, ChangeNumber, Civil, Extension, Mono, Pin, RecordingNumber};

use super::random::Random;

/// From a confirmed reboot to its start, in seconds.
pub const REBOOT_DELAY_S: u32 = 10;
const LOCK_AFTER: u32 = 5;
const LOCK_S: u64 = 300;

pub struct Account {
    pub id: AccountId,
    pub extension: Extension,
    pub roles: Vec<Role>,
    pub enabled: bool,
    pub pin: String,
    pub pin_is_temporary: bool,
    pub voicemail_pin: String,
    pins_before: Vec<String>,
    voicemail_pins_before: Vec<String>,
    failures: u32,
    locked_until: Option<Mono>,
    news: Vec<News>,
    offered: usize,
}

impl Account {
    pub fn permissions(&self) -> Permissions {
        Permissions::of(&self.roles)
    }
}

#[derive(Default)]
pub struct Recording {
    versions: Vec<Audio>,
    pub live: usize,
    changed_by: Option<Extension>,
    pub drafts: BTreeMap<AccountId, Audio>,
}

impl Recording {
    pub fn live_audio(&self) -> &Audio {
        &self.versions[self.live]
    }
}

pub enum Reboot {
    Requested { due: Mono, by: AccountId },
    Waiting { by: AccountId },
    Claimed { until: Mono, by: AccountId },
}

pub struct Ledger {
    pub accounts: Vec<Account>,
    pub recordings: BTreeMap<RecordingNumber, Recording>,
    pub reboot: Option<Reboot>,
    pub reboots: u32,
    changes: i64,
    random: Random,
}

/// Extension, role, account PIN, voicemail PIN, whether the account PIN is temporary.
type Known = (&'static str, Option<Role>, &'static str, &'static str, bool);
pub const PEOPLE: [Known; 8] = [
    ("1000", Some(Role::ServerAdministrator), "61849273", "840296", false),
    ("1001", Some(Role::SystemAdministrator), "52961847", "920471", false),
    ("1002", Some(Role::PhoneAdministrator), "83517294", "730185", false),
    ("1003", Some(Role::NetworkAdministrator), "74926185", "614093", false),
    ("1004", Some(Role::SupportTechnician), "29618374", "851730", false),
    ("1005", None, "904826", "407193", false),
    ("1006", None, "618049", "395062", false),
    ("1007", Some(Role::PhoneAdministrator), "38264915", "264097", true),
];

impl Ledger {
    pub fn new(random: Random) -> Self {
        let accounts = PEOPLE.iter().zip(1..).map(|(&(extension, role, pin, voicemail_pin, temporary), id)| Account {
            id: AccountId(id),
            extension: Extension::parse(extension).expect("an extension"),
            roles: role.into_iter().collect(),
            enabled: true,
            pin: pin.to_owned(),
            pin_is_temporary: temporary,
            voicemail_pin: voicemail_pin.to_owned(),
            pins_before: vec![pin.to_owned()],
            voicemail_pins_before: vec![voicemail_pin.to_owned()],
            failures: 0,
            locked_until: None,
            news: Vec::new(),
            offered: 0,
        });
        let factory =
            |n: u32| Recording { versions: vec![Audio(vec![n as i16 * 100; 4000].into())], ..Recording::default() };
        let recordings = (1..=5).map(|n| (RecordingNumber(n), factory(n))).collect();
        Self { accounts: accounts.collect(), recordings, reboot: None, reboots: 0, changes: 0, random }
    }

    pub fn account(&self, extension: &str) -> &Account {
        self.accounts.iter().find(|account| account.extension.as_str() == extension).expect("an account")
    }

    /// Does what is asked, as the actor may.
    pub fn apply(&mut self, now: Mono, other_calls: u32, actor: &Actor, action: &Action) -> Reply {
        let done = match (actor, action) {
            (Actor::Caller, Action::Login { extension, pin }) => self.login(now, extension, pin),
            (Actor::Account { id, granted }, action) => {
                self.authorise(*id, *granted, action).and_then(|who| self.act(now, other_calls, who, *granted, action))
            }
            _ => Err(Refusal::NotAllowed),
        };
        done.unwrap_or_else(Reply::Refused)
    }

    /// The rights are read again at each action; a temporary PIN is changed before anything else.
    fn authorise(&self, id: AccountId, granted: Permissions, action: &Action) -> Result<usize, Refusal> {
        let needed = action.needs().ok_or(Refusal::NotAllowed)?;
        let who = self.accounts.iter().position(|account| account.id == id).ok_or(Refusal::NoLongerAllowed)?;
        let account = &self.accounts[who];
        if !account.enabled {
            return Err(Refusal::NoLongerAllowed);
        }
        if !granted.any(needed) {
            return Err(Refusal::NotAllowed);
        }
        if !account.permissions().any(needed) {
            return Err(Refusal::NoLongerAllowed);
        }
        let replaces = matches!(action, Action::ReplaceTemporaryPin { .. });
        if account.pin_is_temporary != replaces && !matches!(action, Action::NoteDenied { .. }) {
            return Err(Refusal::NotAllowed);
        }
        Ok(who)
    }

    fn login(&mut self, now: Mono, extension: &Extension, pin: &Pin) -> Result<Reply, Refusal> {
        let account = self.accounts.iter_mut().find(|a| a.extension == *extension).ok_or(Refusal::LoginFailed)?;
        if !account.is_right(now, pin) {
            return Err(Refusal::LoginFailed);
        }
        account.offered = account.news.len();
        Ok(Reply::LoggedIn(Session {
            language: None,
            id: account.id,
            extension: extension.clone(),
            granted: account.permissions(),
            has_role: !account.roles.is_empty(),
            spoken_name: None,
            must_change_pin: account.pin_is_temporary,
            news: account.news.clone(),
        }))
    }

    fn act(
        &mut self,
        now: Mono,
        other_calls: u32,
        who: usize,
        granted: Permissions,
        action: &Action,
    ) -> Result<Reply, Refusal> {
        let id = self.accounts[who].id;
        match action {
            Action::Login { .. } => Err(Refusal::NotAllowed),
            Action::ReplaceTemporaryPin { new } => self.set_pin(who, new),
            Action::SetOwnAccountPin { current, new } => {
                if !self.accounts[who].is_right(now, current) {
                    return Err(Refusal::PinWrong);
                }
                self.set_pin(who, new)
            }
            Action::SetOwnVoicemailPin { new } => {
                let account = &mut self.accounts[who];
                check_policy(new, 6, &account.voicemail_pins_before)?;
                account.voicemail_pin = new.digits().to_owned();
                account.voicemail_pins_before.push(new.digits().to_owned());
                Ok(Reply::Changed(self.change()))
            }
            Action::List { kind: ItemKind::Recording } => {
                Ok(Reply::Numbers(self.recordings.keys().map(|number| number.0).collect()))
            }
            Action::OpenRecording { .. }
            | Action::ListenRecording { .. }
            | Action::KeepRecording { .. }
            | Action::RestoreRecording { .. }
            | Action::WhoChangedRecording { .. }
            | Action::SaveDraft { .. }
            | Action::DiscardDraft { .. } => self.act_on_recording(who, action),
            Action::OpenUser { extension } => {
                let other = self.accounts.iter().find(|a| a.extension == *extension).ok_or(Refusal::Unknown)?;
                let locked = other.locked_until.is_some_and(|until| now < until);
                Ok(Reply::User { spoken_name: None, enabled: other.enabled, locked })
            }
            Action::ResetVoicemailPin { extension } => self.reset_voicemail_pin(who, granted, extension),
            Action::AskReboot => {
                let waiting = matches!(self.reboot, Some(Reboot::Requested { .. } | Reboot::Waiting { .. }));
                Ok(Reply::RebootState { other_calls, waiting })
            }
            Action::Confirm(Destructive::Reboot { when }, pin) => {
                if !self.accounts[who].is_right(now, pin) {
                    return Err(Refusal::PinWrong);
                }
                self.request_reboot(now, id, *when)
            }
            Action::CancelReboot => match self.reboot {
                Some(Reboot::Requested { .. } | Reboot::Waiting { .. }) => {
                    self.reboot = None;
                    Ok(Reply::Changed(self.change()))
                }
                Some(Reboot::Claimed { .. }) | None => Err(Refusal::NothingThere),
            },
            Action::NoteDenied { .. } => Ok(Reply::Done),
            Action::NewsHeard => {
                let account = &mut self.accounts[who];
                account.news.drain(..account.offered);
                account.offered = 0;
                Ok(Reply::Done)
            }
        }
    }

    fn act_on_recording(&mut self, who: usize, action: &Action) -> Result<Reply, Refusal> {
        let (Action::OpenRecording { number }
        | Action::ListenRecording { number }
        | Action::KeepRecording { number, .. }
        | Action::RestoreRecording { number, .. }
        | Action::WhoChangedRecording { number }
        | Action::SaveDraft { number, .. }
        | Action::DiscardDraft { number }) = action
        else {
            return Err(Refusal::NotAllowed);
        };
        let (id, extension) = (self.accounts[who].id, self.accounts[who].extension.clone());
        let recording = self.recordings.get_mut(number).ok_or(Refusal::Unknown)?;
        let live = match action {
            Action::ListenRecording { .. } => return Ok(Reply::Audio(Some(recording.live_audio().clone()))),
            Action::WhoChangedRecording { .. } => {
                let at = Civil { year: 2026, month: 1, day: 2, weekday: 4, hour: 3, minute: 4 };
                return Ok(Reply::Who { by: recording.changed_by.clone(), spoken_name: None, at: Some(at) });
            }
            Action::SaveDraft { audio, .. } if audio.0.is_empty() => return Err(Refusal::NothingThere),
            Action::SaveDraft { audio, .. } => {
                recording.drafts.insert(id, audio.clone());
                return Ok(Reply::Done);
            }
            Action::DiscardDraft { .. } => {
                return recording.drafts.remove(&id).map(|_| Reply::Done).ok_or(Refusal::NothingThere);
            }
            Action::KeepRecording { audio, .. } if audio.0.is_empty() => return Err(Refusal::NothingThere),
            Action::KeepRecording { audio, .. } => {
                recording.drafts.remove(&id);
                recording.versions.push(audio.clone());
                recording.versions.len() - 1
            }
            Action::RestoreRecording { to: RestoreTo::Previous, .. } => {
                recording.live.checked_sub(1).ok_or(Refusal::NothingThere)?
            }
            Action::RestoreRecording { to: RestoreTo::Factory, .. } if recording.live == 0 => {
                return Err(Refusal::NothingThere);
            }
            Action::RestoreRecording { to: RestoreTo::Factory, .. } => 0,
            _ => {
                let draft = recording.drafts.get(&id).cloned();
                return Ok(Reply::Recording { factory: recording.live == 0, draft });
            }
        };
        recording.live = live;
        recording.changed_by = Some(extension);
        Ok(Reply::Changed(self.change()))
    }

    fn set_pin(&mut self, who: usize, new: &Pin) -> Result<Reply, Refusal> {
        let account = &mut self.accounts[who];
        check_policy(new, if account.roles.is_empty() { 6 } else { 8 }, &account.pins_before)?;
        account.pin = new.digits().to_owned();
        account.pins_before.push(new.digits().to_owned());
        account.pin_is_temporary = false;
        Ok(Reply::Changed(self.change()))
    }

    fn reset_voicemail_pin(&mut self, who: usize, granted: Permissions, of: &Extension) -> Result<Reply, Refusal> {
        let held = self.accounts[who].permissions();
        let allowed: Permissions = Permission::ALL.into_iter().filter(|p| held.has(*p) && granted.has(*p)).collect();
        let other = self.accounts.iter_mut().find(|a| a.extension == *of).ok_or(Refusal::Unknown)?;
        if !allowed.covers(other.permissions()) {
            return Err(Refusal::NotAllowedForThisAccount);
        }
        other.voicemail_pin = self.random.digits(6);
        let pin = Pin::parse(&other.voicemail_pin).expect("a PIN");
        Ok(Reply::TemporaryPin { pin, change: self.change() })
    }

    fn request_reboot(&mut self, now: Mono, by: AccountId, when: RebootWhen) -> Result<Reply, Refusal> {
        if self.reboot.is_some() {
            return Err(Refusal::AlreadySo);
        }
        let (reboot, delay_s) = match when {
            RebootWhen::Now => {
                let due = now + std::time::Duration::from_secs(u64::from(REBOOT_DELAY_S));
                (Reboot::Requested { due, by }, REBOOT_DELAY_S)
            }
            RebootWhen::Idle => (Reboot::Waiting { by }, 0),
        };
        self.reboot = Some(reboot);
        Ok(Reply::RebootRequested { delay_s, change: self.change() })
    }

    /// Carries a reboot out that is due, and brings the news of it (the machine of the model goes on).
    pub fn work(&mut self, now: Mono, calls: usize) {
        self.reboot = match self.reboot.take() {
            Some(Reboot::Requested { due, by }) if due <= now => Some(self.claim(now, by)),
            Some(Reboot::Waiting { by }) if calls == 0 => Some(self.claim(now, by)),
            Some(Reboot::Claimed { until, by }) if until <= now => {
                if let Some(account) = self.accounts.iter_mut().find(|account| account.id == by) {
                    account.news.push(News::RebootDone);
                }
                None
            }
            other => other,
        };
    }

    fn claim(&mut self, now: Mono, by: AccountId) -> Reboot {
        self.reboots += 1;
        Reboot::Claimed { until: now + std::time::Duration::from_secs(2), by }
    }

    fn change(&mut self) -> ChangeNumber {
        self.changes += 1;
        ChangeNumber(self.changes)
    }
}

impl Account {
    /// Whether the account PIN is right, no lock is on and the account enabled; a failure counts.
    fn is_right(&mut self, now: Mono, pin: &Pin) -> bool {
        if self.locked_until.is_some_and(|until| now < until) {
            return false;
        }
        if self.enabled && self.pin == pin.digits() {
            self.failures = 0;
            self.locked_until = None;
            return true;
        }
        self.failures += 1;
        if self.failures.is_multiple_of(LOCK_AFTER) {
            self.locked_until = Some(now + std::time::Duration::from_secs(LOCK_S));
        }
        false
    }
}

/// Enough of the policy to be refused by each of its rules.
fn check_policy(new: &Pin, least: usize, before: &[String]) -> Result<(), Refusal> {
    let digits = new.digits();
    if digits.len() < least {
        return Err(Refusal::PinTooShort);
    }
    if ('0'..='9').filter(|digit| digits.contains(*digit)).count() < 3 {
        return Err(Refusal::PinTooSimple);
    }
    if before.iter().rev().take(5).any(|old| old == digits) {
        return Err(Refusal::PinUsedBefore);
    }
    Ok(())
}
