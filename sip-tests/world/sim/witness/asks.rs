//! What may be asked of the store: only what was keyed, by whom it may be, and nothing destructive without its own PIN.

use std::collections::BTreeSet;

use switchhook::access::{Action, Actor, Destructive, ItemKind, ModeSetting, Reply};
use switchhook::model::{Extension, Language, Mac, PhoneNumber};

use super::Witness;
use crate::world::handset::KeyWay;

/// Tries that a PIN has after something was read back.
const CONFIRMS_MAX: u32 = 2;

/// What the caller was told and has chosen so far.
#[derive(Default)]
pub(super) struct Known {
    listed: BTreeSet<(ItemKind, u32)>,
    handsets: BTreeSet<Mac>,
    user: Option<Extension>,
    /// A number that was read back.
    forward: Option<PhoneNumber>,
    /// The keys up to the one that kept the last such number.
    forward_keys: usize,
    backup: Option<i64>,
    checked: Option<Checked>,
    /// Changes that were made, of which each needs a key.
    changes: usize,
}

/// Something destructive that was read back.
struct Checked {
    what: Destructive,
    /// The keys before the PIN that is waited for.
    keys: usize,
    confirms: u32,
}

impl Known {
    /// A reply was taken, when so many keys had been told.
    pub(super) fn learn(&mut self, action: &Action, reply: &Reply, keys: usize) {
        match (action, reply) {
            (Action::List { kind }, Reply::Numbers(numbers)) => {
                self.listed.extend(numbers.iter().map(|number| (*kind, *number)));
            }
            (_, Reply::Handsets(macs)) => self.handsets.extend(macs),
            (Action::CheckForwardNumber { to }, Reply::Done) => self.forward = Some(to.clone()),
            (_, Reply::BackupStarted { id, .. }) => self.backup = Some(*id),
            (Action::Check(_), Reply::Refused(_)) => self.checked = None,
            (Action::Check(what), _) => self.checked = Some(Checked { what: what.clone(), keys, confirms: 0 }),
            _ => {}
        }
        if super::speech::number(reply).is_some() {
            self.changes += 1;
            assert!(self.changes <= keys, "more changes than keys");
        }
    }
}

impl Witness {
    /// Whoever asks may, as far as they know, and asks for what was keyed.
    pub(super) fn ask(&mut self, actor: &Actor, action: &Action) {
        if let Action::Login { extension, pin } = action {
            assert_eq!(*actor, Actor::Caller);
            let is_caller = self.caller.as_ref() == Some(extension);
            let (digits, keys) = (pin.digits(), &self.keys);
            assert!(is_caller || digits.is_empty() || self.keyed(extension.as_str()) > 0, "{extension} of {keys}");
            assert!(digits.is_empty() || self.keyed(digits) > 0, "the PIN {digits} was not keyed: {keys}");
            return self.speech.keep_secret(digits);
        }
        let Some(who) = &self.logged_in else { panic!("{action:?} asked before a login") };
        assert_eq!(
            *actor,
            Actor::Account { id: who.id, granted: who.granted, pin_resets: who.pin_resets },
            "asked in another's name"
        );
        let needed = action.needs().expect("all but the login needs one");
        assert!(who.granted.any(needed), "{action:?} asked without the permission");
        assert!(
            who.granted.without(who.gone).any(needed),
            "{action:?} asked though the permission is known to be gone"
        );
        let before_change = matches!(action, Action::ReplaceTemporaryPin { .. } | Action::NoteDenied { .. });
        assert!(!who.must_change_pin || before_change, "{action:?} asked before the temporary PIN was changed");
        self.asks_for_what_was_keyed(action);
    }

    fn asks_for_what_was_keyed(&mut self, action: &Action) {
        use Action as A;
        match action {
            A::ReplaceTemporaryPin { new } | A::SetOwnVoicemailPin { new } | A::SetOwnSupportPin { new } => {
                self.is_keyed_twice(new.digits());
            }
            A::SetOwnAccountPin { current, new } => {
                self.is_keyed_twice(new.digits());
                assert!(current.digits().is_empty() || self.keyed(current.digits()) > 0);
            }
            A::CheckForwardNumber { to } => self.is_keyed(to.as_str()),
            A::SetForwarding { to, .. } => self.is_kept_by_its_key(to),
            A::SetLanguage { language } => {
                let at = Language::ALL.iter().position(|known| known == language).expect("a language");
                assert!(self.keys.contains(&(at + 1).to_string()), "{language:?} was not keyed");
            }
            A::OpenRecording { number } => {
                self.is_known(ItemKind::Recording, number.0);
                self.opened = Some(*number);
            }
            A::KeepRecording { number, audio } => {
                assert_eq!(Some(*number), self.opened, "kept as another recording");
                self.is_in_hand(audio);
            }
            A::KeepOwn { audio, .. } => self.is_in_hand(audio),
            A::RestoreRecording { number, .. } | A::ListenRecording { number } | A::DiscardDraft { number } => {
                assert_eq!(Some(*number), self.opened, "another recording");
            }
            action => self.asks_others_for_what_was_keyed(action),
        }
    }

    /// The same for what is not the caller's own, nor a recording.
    fn asks_others_for_what_was_keyed(&mut self, action: &Action) {
        use Action as A;
        match action {
            A::OpenUser { extension } => {
                self.is_keyed(extension.as_str());
                self.known.user = Some(extension.clone());
            }
            A::KeepUserName { extension, audio } => {
                self.is_opened(extension);
                self.is_in_hand(audio);
            }
            A::CheckUser { extension }
            | A::AddUser { extension }
            | A::ResetVoicemailPin { extension }
            | A::ResetAccountPin { extension }
            | A::UnlockUser { extension }
            | A::SetUserEnabled { extension, .. }
            | A::ListHandsets { extension }
            | A::ReadUserForwarding { extension }
            | A::UserForwardingOff { extension } => self.is_opened(extension),
            A::AssignHandset { mac, extension } | A::RemoveHandset { mac, extension } => {
                self.is_opened(extension);
                assert!(self.known.handsets.contains(mac), "{mac} was not told");
            }
            A::SetMode { setting, hours } => self.is_mode_keyed(*setting, *hours),
            A::OpenAttendant { number } => self.is_known(ItemKind::Attendant, number.0),
            A::SetAttendant { number, recording } => {
                self.is_known(ItemKind::Attendant, number.0);
                self.is_keyed(&recording.0.to_string());
            }
            A::ListMembers { number } => self.is_known(ItemKind::Group, number.0),
            A::AddMember { number, extension } | A::RemoveMember { number, extension } => {
                self.is_known(ItemKind::Group, number.0);
                self.is_keyed(extension.as_str());
            }
            A::OpenCallCenter { number } | A::SetCallCenter { number, .. } => {
                self.is_known(ItemKind::CallCenter, number.0);
            }
            A::OpenTrunk { kind, number } | A::SetTrunk { kind, number, .. } => {
                self.is_known(ItemKind::Trunk(*kind), number.0);
            }
            A::ReadBackup { id } => assert_eq!(Some(*id), self.known.backup, "another backup"),
            A::VerifySupportPin { extension, pin } => {
                self.is_keyed(extension.as_str());
                assert!(pin.digits().is_empty() || self.keyed(pin.digits()) > 0);
            }
            A::Check(what) => self.is_destruction_keyed(what),
            A::Confirm(what, pin) => {
                self.is_destruction_keyed(what);
                self.is_confirmed(what, pin.digits());
            }
            _ => {}
        }
    }

    /// Each destructive deed was read back, and has its own PIN, keyed after that.
    fn is_confirmed(&mut self, what: &Destructive, pin: &str) {
        self.speech.keep_secret(pin);
        let since = self.since(self.known.checked.as_ref().map_or(0, |checked| checked.keys));
        let Some(checked) = self.known.checked.as_mut().filter(|checked| checked.what == *what) else {
            panic!("{what:?} was confirmed and not read back");
        };
        checked.confirms += 1;
        assert!(checked.confirms <= CONFIRMS_MAX, "{what:?}: too many tries");
        let entry = format!("{pin}#");
        let Some(at) = self.keys[since..].find(&entry) else { panic!("{what:?}: its own PIN was not keyed") };
        checked.keys = since + at + entry.len();
    }

    fn is_destruction_keyed(&self, what: &Destructive) {
        match what {
            Destructive::Reboot { .. } => {}
            Destructive::DeleteUser { extension } => self.is_opened(extension),
            Destructive::DisableTrunk { kind, number } => self.is_known(ItemKind::Trunk(*kind), number.0),
            Destructive::AssignRole { extension, .. } | Destructive::RemoveRole { extension, .. } => {
                self.is_keyed(extension.as_str());
            }
            Destructive::Undo { number } => self.is_keyed(&number.0.to_string()),
        }
    }

    /// Calls are forwarded only to what was read back, by the key that is told then; it may be keyed ahead, after the
    /// number.
    fn is_kept_by_its_key(&mut self, to: &PhoneNumber) {
        assert_eq!(self.known.forward.as_ref(), Some(to), "forwarded to what was not read back");
        let (since, entry) = (self.known.forward_keys, format!("{}#", to.as_str()));
        let entered = self.keys[since..].find(&entry).map(|at| since + at + entry.len());
        let kept = entered.and_then(|from| self.keys[from..].find('1').map(|at| from + at + 1));
        self.known.forward_keys = kept.unwrap_or_else(|| panic!("forwarded without the key for it: {}", self.keys));
    }

    fn is_mode_keyed(&self, setting: ModeSetting, hours: Option<u32>) {
        let key = match setting {
            ModeSetting::Fixed(mode) => mode as usize + 1,
            ModeSetting::Timetable => 4,
        };
        assert!(self.keys.contains(&key.to_string()), "{setting:?} was not keyed");
        if let Some(hours) = hours {
            self.is_keyed(&hours.to_string());
        }
    }

    fn is_in_hand(&self, audio: &switchhook::model::Audio) {
        let in_hand = self.in_hand.as_ref().map(|(audio, _)| audio);
        assert_eq!(Some(audio), in_hand, "kept what was not in review");
        assert!(self.keys.contains('2'), "kept without the key for it");
    }

    fn is_opened(&self, extension: &Extension) {
        assert_eq!(Some(extension), self.known.user.as_ref(), "another user than the one that was opened");
    }

    fn is_known(&self, kind: ItemKind, number: u32) {
        let is_listed = self.known.listed.contains(&(kind, number));
        assert!(is_listed || self.keyed(&number.to_string()) > 0, "{kind:?} {number} was not keyed: {}", self.keys);
    }

    fn is_keyed(&self, digits: &str) {
        assert!(self.keyed(digits) > 0, "{digits} was not keyed: {}", self.keys);
    }

    fn is_keyed_twice(&mut self, digits: &str) {
        assert!(self.keyed(digits) >= 2, "a PIN that was not keyed twice");
        self.speech.keep_secret(digits);
    }

    /// How often these digits were keyed as the end of an entry.
    fn keyed(&self, digits: &str) -> usize {
        self.keys.matches(&format!("{digits}#")).count()
    }

    /// Where the keys begin that can have come after so many: a tone is told by its first packet, and found later.
    fn since(&self, keys: usize) -> usize {
        if self.way == KeyWay::InBand { keys.saturating_sub(1) } else { keys }
    }
}
