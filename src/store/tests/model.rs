//! Random actions against the store and a model in memory: replies and rows must agree.
//!
//! The model knows the rules from the product's pages, not from the store: who may, what a PIN does, which version is
//! live. A failure prints its seed.

mod people;
mod run;

use std::collections::BTreeMap;

use people::{ChangeModel, Deed};

use super::*;
use crate::access::{RebootWhen, RestoreTo};
use crate::store::lockout::Lockout;
use crate::store::throttle::Origin;

/// PINs that satisfy the policy and are no step from one another.
const GOOD: [&str; 8] =
    ["73928164", "50371928", "93817264", "82640517", "17950362", "36094827", "49582016", "60731849"];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        // Marsaglia's xorshift64*.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

#[derive(Clone, Default)]
struct PinModel {
    digits: String,
    history: Vec<String>,
    /// Failures of those who are logged in to it, and of strangers.
    own: Lockout,
    lock: Lockout,
}

impl PinModel {
    fn set(&mut self, digits: &str) {
        self.digits = digits.to_owned();
        self.history.push(digits.to_owned());
        let old = self.history.len().saturating_sub(5);
        self.history.drain(..old);
        self.unlock();
    }

    fn unlock(&mut self) {
        (self.own, self.lock) = Default::default();
    }

    fn is_right(&mut self, digits: &str, enabled: bool, now: i64, origin: Origin) -> bool {
        let lock = if origin == Origin::Own { &mut self.own } else { &mut self.lock };
        if lock.is_locked(Wall(now), &LoginLimits::default()) {
            return false;
        }
        let is_right = digits == self.digits && enabled;
        *lock = if is_right { Lockout::default() } else { lock.after_failure(Wall(now), &LoginLimits::default()) };
        is_right
    }
}

struct AccountModel {
    roles: Vec<Role>,
    enabled: bool,
    account: PinModel,
    voicemail: PinModel,
    support: PinModel,
    dnd: bool,
    busy: Option<&'static str>,
}

struct RecordingModel {
    versions: Vec<Audio>,
    live: usize,
}

#[derive(Clone)]
struct SessionModel {
    extension: String,
    session: Session,
}

struct Model {
    accounts: BTreeMap<String, AccountModel>,
    recordings: BTreeMap<u32, RecordingModel>,
    drafts: BTreeMap<(String, u32), Audio>,
    /// A reboot that nobody carries out, and when it is due.
    reboot: Option<Option<i64>>,
    /// Who acts now; empty for the shell.
    acting: String,
    log: Vec<ChangeModel>,
    audited: BTreeMap<&'static str, usize>,
}

impl Model {
    fn demo() -> Self {
        use Role::*;
        let accounts = [
            ("1000", vec![ServerAdministrator], "61849273", "840296"),
            ("1001", vec![SystemAdministrator], "52961847", "920471"),
            ("1002", vec![PhoneAdministrator], "83517294", "730185"),
            ("1003", vec![NetworkAdministrator], "74926185", "614093"),
            ("1004", vec![SupportTechnician], "29618374", "851730"),
            ("1005", vec![], "904826", "407193"),
            ("1006", vec![], "618049", "395062"),
        ];
        let model = |(extension, roles, own, voicemail): (&str, Vec<Role>, &str, &str)| {
            let (mut account, mut mailbox) = (PinModel::default(), PinModel::default());
            account.set(own);
            mailbox.set(voicemail);
            let (support, dnd, busy) = (PinModel::default(), false, None);
            let model = AccountModel { roles, enabled: true, account, voicemail: mailbox, support, dnd, busy };
            (extension.to_owned(), model)
        };
        Self {
            accounts: accounts.into_iter().map(model).collect(),
            recordings: (1..=5).map(|n| (n, RecordingModel { versions: vec![tone(n)], live: 1 })).collect(),
            drafts: BTreeMap::new(),
            reboot: None,
            acting: String::new(),
            log: (0..19)
                .map(|_| ChangeModel { by: String::new(), deed: Deed::NoWayBack, undone: false, undoes: None })
                .collect(),
            audited: BTreeMap::from([("ok", 19)]),
        }
    }

    fn audit(&mut self, outcome: &'static str) {
        *self.audited.entry(outcome).or_default() += 1;
    }

    fn change(&mut self) -> ChangeNumber {
        self.change_of(Deed::NoWayBack)
    }

    fn change_of(&mut self, deed: Deed) -> ChangeNumber {
        self.audit("ok");
        self.log.push(ChangeModel { by: self.acting.clone(), deed, undone: false, undoes: None });
        ChangeNumber(self.log.len() as i64)
    }

    fn permissions(&self, extension: &str) -> Permissions {
        Permissions::of(&self.accounts[extension].roles)
    }

    fn login(&mut self, extension: &str, digits: &str, now: i64) -> bool {
        let right = match self.accounts.get_mut(extension) {
            Some(account) => account.account.is_right(digits, account.enabled, now, Origin::Other),
            None => false,
        };
        self.audit(if right { "ok" } else { "failed" });
        right
    }

    /// The reply to what someone with a session asks; `None` where it brings a PIN made by chance.
    fn reply(&mut self, who: &SessionModel, action: &Action, now: i64) -> Option<Reply> {
        let needed = action.needs()?;
        if let Err(refusal) = self.may(who, needed) {
            self.audit("denied");
            return Some(Reply::Refused(refusal));
        }
        if let Some(reply) = self.people(who, action, now) {
            return Some(reply);
        }
        Some(match action {
            Action::SetOwnVoicemailPin { new } => self.set_pin(who, PinKind::Voicemail, new),
            Action::SetOwnAccountPin { current, new } => {
                if self.own_pin(who, current, now) {
                    self.set_pin(who, PinKind::Account, new)
                } else {
                    Reply::Refused(Refusal::PinWrong)
                }
            }
            Action::ResetVoicemailPin { extension } => return self.reset(who, extension),
            Action::Confirm(Destructive::Reboot { when }, pin) => self.reboot(who, *when, pin, now),
            Action::AskReboot => Reply::RebootState { other_calls: 3, waiting: self.reboot.is_some(), failed: false },
            Action::CancelReboot if self.reboot.is_some_and(|due| due.is_none_or(|due| due > now)) => {
                self.reboot = None;
                Reply::Changed(self.change())
            }
            Action::CancelReboot => Reply::Refused(Refusal::NothingThere),
            Action::NoteDenied { .. } => {
                self.audit("denied");
                Reply::Done
            }
            other => self.recording(who, other),
        })
    }

    fn may(&self, who: &SessionModel, needed: Permissions) -> Result<(), Refusal> {
        let account = &self.accounts[&who.extension];
        if !account.enabled {
            return Err(Refusal::NoLongerAllowed);
        }
        match (who.session.granted.any(needed), Permissions::of(&account.roles).any(needed)) {
            (true, true) => Ok(()),
            (true, false) => Err(Refusal::NoLongerAllowed),
            (false, _) => Err(Refusal::NotAllowed),
        }
    }

    fn own_pin(&mut self, who: &SessionModel, digits: &Pin, now: i64) -> bool {
        let account = self.accounts.get_mut(&who.extension).unwrap();
        let right = account.account.is_right(digits.digits(), account.enabled, now, Origin::Own);
        if !right {
            self.audit("failed");
        }
        right
    }

    fn set_pin(&mut self, who: &SessionModel, kind: PinKind, new: &Pin) -> Reply {
        let account = self.accounts.get_mut(&who.extension).unwrap();
        let digits_min = if kind == PinKind::Account && !account.roles.is_empty() { 8 } else { 6 };
        let pin = match kind {
            PinKind::Account => &mut account.account,
            PinKind::Voicemail => &mut account.voicemail,
            PinKind::Support => &mut account.support,
        };
        if new.digits().len() < digits_min {
            return Reply::Refused(Refusal::PinTooShort);
        }
        if !GOOD.contains(&new.digits()) {
            return Reply::Refused(Refusal::PinTooSimple);
        }
        if pin.history.iter().any(|used| used == new.digits()) {
            return Reply::Refused(Refusal::PinUsedBefore);
        }
        pin.set(new.digits());
        Reply::Changed(self.change())
    }

    fn reset(&mut self, who: &SessionModel, extension: &Extension) -> Option<Reply> {
        self.reach(who, extension.as_str()).err().map(Reply::Refused)
    }

    fn reboot(&mut self, who: &SessionModel, when: RebootWhen, pin: &Pin, now: i64) -> Reply {
        if !self.own_pin(who, pin, now) {
            return Reply::Refused(Refusal::PinWrong);
        }
        if self.reboot.is_some() {
            return Reply::Refused(Refusal::AlreadySo);
        }
        self.reboot = Some((when == RebootWhen::Now).then_some(now + 10_000));
        let delay_s = if when == RebootWhen::Now { 10 } else { 0 };
        Reply::RebootRequested { delay_s, change: self.change() }
    }

    fn recording(&mut self, who: &SessionModel, action: &Action) -> Reply {
        let (Action::OpenRecording { number }
        | Action::ListenRecording { number }
        | Action::KeepRecording { number, .. }
        | Action::RestoreRecording { number, .. }
        | Action::SaveDraft { number, .. }
        | Action::DiscardDraft { number }) = action
        else {
            panic!("not in the model: {action:?}")
        };
        let key = (who.extension.clone(), number.0);
        if matches!(action, Action::DiscardDraft { .. }) {
            if self.drafts.remove(&key).is_none() {
                return Reply::Refused(Refusal::NothingThere);
            }
            self.audit("ok");
            return Reply::Done;
        }
        let Some(recording) = self.recordings.get_mut(&number.0) else { return Reply::Refused(Refusal::Unknown) };
        match action {
            Action::OpenRecording { .. } => {
                Reply::Recording { factory: recording.live == 1, draft: self.drafts.get(&key).cloned() }
            }
            Action::ListenRecording { .. } => Reply::Audio(Some(recording.versions[recording.live - 1].clone())),
            Action::KeepRecording { audio, .. } => {
                recording.versions.push(audio.clone());
                let before = std::mem::replace(&mut recording.live, recording.versions.len());
                let after = recording.live;
                self.drafts.remove(&key);
                Reply::Changed(self.change_of(Deed::Live { number: key.1, before, after }))
            }
            Action::RestoreRecording { to, .. } => {
                let wanted = if *to == RestoreTo::Factory { 1 } else { recording.live - 1 };
                if wanted == 0 || wanted == recording.live {
                    return Reply::Refused(Refusal::NothingThere);
                }
                let before = std::mem::replace(&mut recording.live, wanted);
                Reply::Changed(self.change_of(Deed::Live { number: key.1, before, after: wanted }))
            }
            Action::SaveDraft { audio, .. } => {
                self.drafts.insert(key, audio.clone());
                self.audit("ok");
                Reply::Done
            }
            other => panic!("not in the model: {other:?}"),
        }
    }
}
