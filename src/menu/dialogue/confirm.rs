//! Something destructive is confirmed by one's own account PIN, after it was read back.

use crate::access::{Action, Refusal, Reply};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{CONFIRM, Place};
use crate::model::Pin;

use super::{Dialogue, Then};

/// What is being confirmed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirm {
    /// What is asked of the store with the PIN, which it checks.
    pub(super) action: fn(Pin) -> Action,
    pub(super) then: Then,
    /// Where it came from.
    pub(super) home: Place,
    /// The PIN was wrong once.
    pub(super) tried: bool,
}

impl Dialogue {
    /// Reads back what is to be done and asks for the PIN.
    pub(super) fn ask_to_confirm(&mut self, read_back: Words, action: fn(Pin) -> Action, home: Place, then: Then) {
        self.confirm = Some(Confirm { action, then, home, tried: false });
        self.go(Place::Question(&CONFIRM), read_back);
    }

    pub(super) fn confirm_pin(&mut self, entry: &Entry) {
        let Some(confirm) = self.confirm else { return self.go(self.top(), Words::none()) };
        // An overlong PIN is wrong, like an empty one.
        let action = (confirm.action)(entry.pin().unwrap_or_default());
        self.ask(action, confirm.home, Self::confirm_replied);
    }

    pub(super) fn leave_confirm(&mut self) {
        let home = self.confirm.map_or(self.top(), |confirm| confirm.home);
        self.go(home, Words::none());
    }

    fn confirm_replied(&mut self, reply: &Reply) {
        let Some(confirm) = self.confirm else { return self.failed() };
        match reply {
            Reply::Refused(Refusal::PinWrong) if !confirm.tried => {
                self.confirm = Some(Confirm { tried: true, ..confirm });
                self.stay("pin-wrong");
            }
            Reply::Refused(Refusal::PinWrong) => self.go(confirm.home, "nothing-changed"),
            reply => (confirm.then)(self, reply),
        }
    }
}
