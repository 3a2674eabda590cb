//! What people set for themselves.

use switchhook::access::{Action, ForwardKind, OwnAudio, Refusal, Reply, Settings};
use switchhook::model::{AccountId, Audio, Language, PhoneNumber, Pin};

use super::changes::{Slot, Value};
use super::{By, Ledger, Request};

/// What is too dear, whatever follows; and how long a number may be that is not.
const DEAR: [&str; 4] = ["00", "011", "900", "1900"];
const FORWARD_DIGITS_MAX: usize = 11;

impl Ledger {
    pub fn forwarding(&self, id: AccountId, kind: ForwardKind) -> Option<PhoneNumber> {
        match self.value(Slot::Forwarding(id, kind)) {
            Value::To(number) => Some(number),
            _ => None,
        }
    }

    pub fn language(&self, id: AccountId) -> Option<Language> {
        match self.value(Slot::Language(id)) {
            Value::In(language) => Some(language),
            _ => None,
        }
    }

    pub(super) fn name(&self, id: AccountId) -> Option<Audio> {
        self.own_audio(id, OwnAudio::Name)
    }

    /// The live greeting or name.
    pub fn own_audio(&self, id: AccountId, which: OwnAudio) -> Option<Audio> {
        let live = self.live_version(id, which)?;
        self.versions(id, which).get(live).cloned()
    }

    /// All greetings or names that were kept.
    pub fn versions(&self, id: AccountId, which: OwnAudio) -> &[Audio] {
        let account = self.by_id(id);
        account.map_or(&[], |account| match which {
            OwnAudio::Greeting => &account.greetings,
            OwnAudio::Name => &account.names,
        })
    }

    fn live_version(&self, id: AccountId, which: OwnAudio) -> Option<usize> {
        match self.value(Slot::Own(id, which)) {
            Value::Number(version) => Some(version as usize),
            _ => None,
        }
    }

    pub(super) fn act_on_own(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        let id = request.id;
        let slot_and_value = match request.action {
            Action::ReadForwarding { kind } => return Ok(Reply::Forwarding { to: self.forwarding(id, *kind) }),
            Action::CheckForwardNumber { to } => return self.check_number(id, to).map(|()| Reply::Done),
            Action::SetForwarding { kind, to } => {
                self.check_number(id, to)?;
                if self.forwarding(id, *kind).as_ref() == Some(to) {
                    return Err(Refusal::AlreadySo);
                }
                (Slot::Forwarding(id, *kind), Value::To(to.clone()))
            }
            Action::ForwardingOff { kind } => {
                self.forwarding(id, *kind).ok_or(Refusal::NothingThere)?;
                (Slot::Forwarding(id, *kind), Value::Nothing)
            }
            Action::ToggleDnd => {
                let on = !self.is_on(Slot::Dnd(id));
                let edit = (Slot::Dnd(id), if on { Value::On } else { Value::Nothing });
                let change = self.change(request, "own", vec![edit]);
                return Ok(Reply::Dnd { on, change });
            }
            Action::ListenOwn { which } => return Ok(Reply::Audio(self.own_audio(id, *which))),
            Action::KeepOwn { which, audio } => return self.keep_audio(request, id, *which, audio),
            Action::RestoreGreeting => {
                let live = self.live_version(id, OwnAudio::Greeting);
                let newest = self.versions(id, OwnAudio::Greeting).len();
                let older = live.unwrap_or(newest).checked_sub(1).ok_or(Refusal::NothingThere)?;
                (Slot::Own(id, OwnAudio::Greeting), Value::Number(older as u32))
            }
            Action::RemoveGreeting => {
                self.live_version(id, OwnAudio::Greeting).ok_or(Refusal::NothingThere)?;
                (Slot::Own(id, OwnAudio::Greeting), Value::Nothing)
            }
            Action::SetLanguage { language } => {
                if self.language(id) == Some(*language) {
                    return Err(Refusal::AlreadySo);
                }
                (Slot::Language(id), Value::In(*language))
            }
            Action::ReadSettings => return Ok(Reply::Settings(self.settings(id))),
            _ => return Err(Refusal::NotAllowed),
        };
        Ok(Reply::Changed(self.change(request, "own", vec![slot_and_value])))
    }

    pub(super) fn act_on_own_pins(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        let id = request.id;
        let least = if self.roles(id).is_empty() { 6 } else { 8 };
        if let Action::SetOwnAccountPin { current, .. } = request.action
            && !self.is_right(request.now, id, By::Own, current)
        {
            return Err(Refusal::PinWrong);
        }
        let account = self.by_id_mut(id);
        let (secret, new, least): (_, &Pin, _) = match request.action {
            Action::ReplaceTemporaryPin { new } | Action::SetOwnAccountPin { new, .. } => {
                (&mut account.pin, new, least)
            }
            Action::SetOwnVoicemailPin { new } => (&mut account.voicemail_pin, new, 6),
            Action::SetOwnSupportPin { new } => (&mut account.support_pin, new, 6),
            _ => return Err(Refusal::NotAllowed),
        };
        secret.allows(new, least)?;
        secret.replace(new.digits(), false);
        Ok(Reply::Changed(self.change(request, "own", Vec::new())))
    }

    /// Makes a take someone's greeting or name.
    pub(super) fn keep_audio(
        &mut self,
        request: &Request<'_>,
        id: AccountId,
        which: OwnAudio,
        audio: &Audio,
    ) -> Result<Reply, Refusal> {
        if audio.0.is_empty() {
            return Err(Refusal::NothingThere);
        }
        let account = self.by_id_mut(id);
        let versions = match which {
            OwnAudio::Greeting => &mut account.greetings,
            OwnAudio::Name => &mut account.names,
        };
        versions.push(audio.clone());
        let live = Value::Number(versions.len() as u32 - 1);
        Ok(Reply::Changed(self.change(request, "own", vec![(Slot::Own(id, which), live)])))
    }

    /// The toll policy, as a simple rule; and nobody forwards to themselves.
    fn check_number(&self, id: AccountId, to: &PhoneNumber) -> Result<(), Refusal> {
        let (digits, own) = (to.as_str(), self.by_id(id).map(|account| account.extension.as_str()));
        let fits = (2..=FORWARD_DIGITS_MAX).contains(&digits.len());
        let is_dear = DEAR.iter().any(|dear| digits.starts_with(dear));
        if fits && !is_dear && own != Some(digits) { Ok(()) } else { Err(Refusal::ForwardNotAllowed) }
    }

    fn settings(&self, id: AccountId) -> Settings {
        let account = self.by_id(id);
        Settings {
            forwarding: ForwardKind::ALL.map(|kind| self.forwarding(id, kind)),
            dnd: self.is_on(Slot::Dnd(id)),
            has_greeting: self.live_version(id, OwnAudio::Greeting).is_some(),
            has_name: self.live_version(id, OwnAudio::Name).is_some(),
            has_voicemail_pin: account.is_some_and(|account| !account.voicemail_pin.digits.is_empty()),
            has_support_pin: account.is_some_and(|account| !account.support_pin.digits.is_empty()),
            language: self.language(id),
        }
    }
}
