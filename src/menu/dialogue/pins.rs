//! New PINs, keyed twice: in place of a temporary one, one's voicemail, account or support PIN.

use crate::access::{Action, Refusal, Reply};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{CURRENT_PIN, MY, NEW_PIN, NEW_SUPPORT_PIN, NEW_VOICEMAIL_PIN, PIN_AGAIN, Place};
use crate::model::{ChangeNumber, Pin};

use super::refusals::policy_clip;
use super::{Dialogue, Work};

/// A PIN that is being changed.
#[derive(Clone, Debug)]
pub(super) struct PinChange {
    kind: Kind,
    /// The new PIN as it was keyed first.
    new: Pin,
}

#[derive(Clone, Debug)]
enum Kind {
    /// A temporary account PIN, right after login.
    Temporary,
    /// One's own voicemail PIN.
    Voicemail,
    /// One's own support PIN.
    Support,
    /// One's own account PIN; `tried` after a wrong present one.
    Account { current: Pin, tried: bool },
}

#[cfg(test)]
impl PinChange {
    /// What tells two changes apart, for the tests that walk all states.
    pub(super) fn state(&self) -> String {
        format!("{:?} new {}", self.kind, super::state::class(self.new.digits()))
    }
}

impl Kind {
    fn question(&self) -> Place {
        match self {
            Kind::Temporary | Kind::Account { .. } => Place::Question(&NEW_PIN),
            Kind::Voicemail => Place::Question(&NEW_VOICEMAIL_PIN),
            Kind::Support => Place::Question(&NEW_SUPPORT_PIN),
        }
    }

    /// Where the caller stays when the change can't be made.
    fn home(&self) -> Place {
        match self {
            Kind::Temporary => Place::Question(&NEW_PIN),
            Kind::Voicemail | Kind::Support | Kind::Account { .. } => Place::Menu(&MY),
        }
    }

    fn action(&self, new: Pin) -> Action {
        match self {
            Kind::Temporary => Action::ReplaceTemporaryPin { new },
            Kind::Voicemail => Action::SetOwnVoicemailPin { new },
            Kind::Support => Action::SetOwnSupportPin { new },
            Kind::Account { current, .. } => Action::SetOwnAccountPin { current: current.clone(), new },
        }
    }
}

impl Dialogue {
    pub(super) fn replace_temporary_pin(&mut self) {
        self.begin_pin_change(Kind::Temporary);
        self.ask_new_pin("pin-must-change");
    }

    pub(super) fn change_voicemail_pin(&mut self) {
        self.begin_pin_change(Kind::Voicemail);
        self.ask_new_pin(Words::none());
    }

    pub(super) fn change_support_pin(&mut self) {
        self.begin_pin_change(Kind::Support);
        self.ask_new_pin(Words::none());
    }

    pub(super) fn change_account_pin(&mut self) {
        self.begin_pin_change(Kind::Account { current: Pin::default(), tried: false });
        self.go(Place::Question(&CURRENT_PIN), Words::none());
    }

    pub(super) fn current_pin(&mut self, entry: &Entry) {
        if let Work::PinChange(PinChange { kind: Kind::Account { current, .. }, .. }) = &mut self.work {
            // An overlong one is wrong, like an empty one.
            *current = entry.pin().unwrap_or_default();
        }
        self.ask_new_pin(Words::none());
    }

    pub(super) fn ask_new_pin(&mut self, first: impl Into<Words>) {
        match &self.work {
            Work::PinChange(change) => self.go(change.kind.question(), first),
            _ => self.go(self.top(), first),
        }
    }

    pub(super) fn leave_new_pin(&mut self) {
        match &self.work {
            Work::PinChange(PinChange { kind: Kind::Account { .. }, .. }) => {
                self.go(Place::Question(&CURRENT_PIN), Words::none());
            }
            // Nothing comes before a new PIN in place of a temporary one, so there is nothing to go back to.
            _ => self.close(Words::none()),
        }
    }

    pub(super) fn new_pin(&mut self, entry: &Entry) {
        let Some(pin) = entry.pin() else { return self.ask_new_pin("pin-too-long") };
        if let Work::PinChange(change) = &mut self.work {
            change.new = pin;
        }
        self.go(Place::Question(&PIN_AGAIN), Words::none());
    }

    pub(super) fn pin_again(&mut self, entry: &Entry) {
        let Work::PinChange(change) = &self.work else { return self.go(self.top(), Words::none()) };
        match entry.pin() {
            Some(pin) if pin == change.new => {
                let (action, home) = (change.kind.action(pin), change.kind.home());
                self.ask(action, home, Self::pin_change_replied);
            }
            _ => self.ask_new_pin("pins-differ"),
        }
    }

    fn pin_change_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.pin_changed(*change),
            Reply::Refused(Refusal::PinWrong) => self.present_pin_wrong(),
            Reply::Refused(refusal) => match policy_clip(*refusal) {
                Some(clip) => self.ask_new_pin(clip),
                None => self.failed(),
            },
            _ => self.failed(),
        }
    }

    fn pin_changed(&mut self, change: ChangeNumber) {
        match &self.work {
            Work::PinChange(PinChange { kind: Kind::Temporary, .. }) => {
                self.greet(Words::from("account-pin-changed").change(change));
            }
            Work::PinChange(PinChange { kind: Kind::Voicemail, .. }) => {
                self.changed(Place::Menu(&MY), "voicemail-pin-changed", change);
            }
            Work::PinChange(PinChange { kind: Kind::Support, .. }) => {
                self.changed(Place::Menu(&MY), "support-pin-changed", change);
            }
            _ => self.changed(Place::Menu(&MY), "account-pin-changed", change),
        }
    }

    /// One more try, as at every place that asks for one's own PIN.
    fn present_pin_wrong(&mut self) {
        match &mut self.work {
            Work::PinChange(PinChange { kind: Kind::Account { tried, .. }, .. }) if !*tried => {
                *tried = true;
                self.go(Place::Question(&CURRENT_PIN), "pin-wrong");
            }
            _ => self.go(Place::Menu(&MY), "nothing-changed"),
        }
    }

    fn begin_pin_change(&mut self, kind: Kind) {
        self.work = Work::PinChange(PinChange { kind, new: Pin::default() });
    }
}
