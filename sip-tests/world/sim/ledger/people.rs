//! Other people's accounts and handsets.

use switchhook::access::{Action, ForwardKind, OwnAudio, People, Person, Refusal, Reply, Role};
use switchhook::model::{AccountId, Extension, Mac, Pin};

use super::changes::{Slot, Value};
use super::{Account, By, HANDSETS, Known, Ledger, Request};

/// Digits of a temporary account PIN and of a temporary voicemail PIN.
const ACCOUNT_PIN_DIGITS: u64 = 8;
const VOICEMAIL_PIN_DIGITS: u64 = 6;

impl Ledger {
    pub(super) fn act_on_user(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        match request.action {
            Action::OpenUser { extension } => {
                let id = self.id_of(extension)?;
                let locked = self.by_id_mut(id).pin.is_locked(request.now);
                Ok(Reply::User { spoken_name: self.name(id), enabled: self.is_enabled(id), locked })
            }
            Action::CheckUser { .. } => Ok(Reply::Done),
            Action::AddUser { extension } => self.add_user(request, extension),
            Action::ResetVoicemailPin { extension } => {
                let (id, pin) = (self.id_of(extension)?, self.random.digits(VOICEMAIL_PIN_DIGITS));
                self.by_id_mut(id).voicemail_pin.replace(&pin, true);
                Ok(self.temporary(request, extension, &pin))
            }
            Action::ResetAccountPin { extension } => {
                let (id, pin) = (self.id_of(extension)?, self.random.digits(ACCOUNT_PIN_DIGITS));
                self.by_id_mut(id).pin.replace(&pin, true);
                Ok(self.temporary(request, extension, &pin))
            }
            Action::UnlockUser { extension } => {
                let id = self.id_of(extension)?;
                let account = self.by_id_mut(id);
                account.pin.unlock();
                account.voicemail_pin.unlock();
                account.support_pin.unlock();
                Ok(Reply::Changed(self.change(request, extension, Vec::new())))
            }
            Action::SetUserEnabled { extension, enabled } => {
                let id = self.id_of(extension)?;
                self.set_enabled(request, id, *enabled)
            }
            Action::ReadUserForwarding { extension } => {
                let id = self.id_of(extension)?;
                Ok(Reply::Forwardings(ForwardKind::ALL.map(|kind| self.forwarding(id, kind))))
            }
            Action::UserForwardingOff { extension } => {
                let id = self.id_of(extension)?;
                let on = ForwardKind::ALL.into_iter().filter(|kind| self.forwarding(id, *kind).is_some());
                let edits: Vec<_> = on.map(|kind| (Slot::Forwarding(id, kind), Value::Nothing)).collect();
                if edits.is_empty() {
                    return Err(Refusal::NothingThere);
                }
                Ok(Reply::Changed(self.change(request, extension, edits)))
            }
            Action::KeepUserName { extension, audio } => {
                let id = self.id_of(extension)?;
                self.keep_audio(request, id, OwnAudio::Name, audio)
            }
            Action::VerifySupportPin { extension, pin } => {
                let id = self.id_of(extension)?;
                let is_enabled = self.is_enabled(id);
                let is_right = self.by_id_mut(id).support_pin.is_right(request.now, By::Other, pin, is_enabled);
                // Which of the reasons it was is never told.
                if is_right { Ok(Reply::Done) } else { Err(Refusal::Unknown) }
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    fn add_user(&mut self, request: &Request<'_>, extension: &Extension) -> Result<Reply, Refusal> {
        if self.id_of(extension).is_ok() {
            return Err(Refusal::AlreadySo);
        }
        self.last_account += 1;
        let nobody =
            Known { extension: "0", role: None, pin: "", voicemail_pin: "", support_pin: "", is_temporary: false };
        let mut account =
            Account { extension: extension.clone(), ..Account::new(AccountId(self.last_account), &nobody) };
        let pin = self.random.digits(ACCOUNT_PIN_DIGITS);
        account.pin.replace(&pin, true);
        self.accounts.push(account);
        Ok(self.temporary(request, extension, &pin))
    }

    fn temporary(&mut self, request: &Request<'_>, extension: &Extension, pin: &str) -> Reply {
        let change = self.change(request, extension, Vec::new());
        Reply::TemporaryPin { pin: Pin::parse(pin).expect("a PIN"), change }
    }

    fn set_enabled(&mut self, request: &Request<'_>, id: AccountId, enabled: bool) -> Result<Reply, Refusal> {
        if !enabled && id == request.id {
            return Err(Refusal::NotYourself);
        }
        if self.is_enabled(id) == enabled {
            return Err(Refusal::AlreadySo);
        }
        let edit = (Slot::Disabled(id), if enabled { Value::Nothing } else { Value::On });
        let edits = self.keeping_an_administrator(vec![edit])?;
        Ok(Reply::Changed(self.change(request, self.extension(id), edits)))
    }

    pub(super) fn act_on_handset(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        match request.action {
            Action::ListHandsets { extension } => Ok(Reply::Handsets(self.handsets(Some(self.id_of(extension)?)))),
            Action::ListUnassignedHandsets => Ok(Reply::Handsets(self.handsets(None))),
            Action::AssignHandset { mac, extension } => {
                let id = self.id_of(extension)?;
                match self.owner(*mac)? {
                    Some(_) => Err(Refusal::AlreadySo),
                    None => Ok(Reply::Changed(self.change(request, mac, vec![(Slot::Handset(*mac), Value::Of(id))]))),
                }
            }
            Action::RemoveHandset { mac, extension } => {
                if self.owner(*mac)? != Some(self.id_of(extension)?) {
                    return Err(Refusal::NothingThere);
                }
                Ok(Reply::Changed(self.change(request, mac, vec![(Slot::Handset(*mac), Value::Nothing)])))
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// The handsets of someone, or of nobody.
    pub fn handsets(&self, owner: Option<AccountId>) -> Vec<Mac> {
        HANDSETS.into_iter().filter(|mac| self.owner(*mac) == Ok(owner)).collect()
    }

    fn owner(&self, mac: Mac) -> Result<Option<AccountId>, Refusal> {
        if !HANDSETS.contains(&mac) {
            return Err(Refusal::OtherUnknown);
        }
        Ok(match self.value(Slot::Handset(mac)) {
            Value::Of(id) => Some(id),
            _ => None,
        })
    }

    pub(super) fn holders(&self, role: Role) -> Reply {
        let holding = self.accounts.iter().filter(|account| self.is_on(Slot::Role(account.id, role)));
        self.people(holding.map(|account| account.id).collect())
    }

    /// Those of whom callers hear.
    pub(super) fn people(&self, ids: Vec<AccountId>) -> Reply {
        let listed: Vec<Person> = ids.into_iter().map(|id| self.person(id)).collect();
        Reply::People(People { count: listed.len() as u32, listed })
    }

    pub(super) fn person(&self, id: AccountId) -> Person {
        Person { extension: self.extension(id), spoken_name: self.name(id) }
    }

    /// The extension of someone who was just found.
    pub(super) fn extension(&self, id: AccountId) -> Extension {
        self.by_id(id).expect("an account").extension.clone()
    }
}
