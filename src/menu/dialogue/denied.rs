//! How often the store is told that a caller tried a function without the right to it: often enough for the audit trail to
//! show it, seldom enough that one who presses the key on and on keeps nobody else's changes waiting.

use crate::access::Action;
use crate::model::{Mono, Ticket};

use super::{ANSWER_MAX, Dialogue};

/// Notes a function and call.
const NOTES_MAX: u8 = 3;

/// What was told in one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Denied {
    /// The note that the store has not yet taken, and when it was given up: one at a time.
    under_way: Option<(Ticket, Mono)>,
    /// How often each function was told; no more than the menu has.
    told: Vec<(&'static str, u8)>,
}

impl Dialogue {
    /// Tells the store, unless it was told often enough.
    pub(super) fn note_denied(&mut self, function: &'static str) {
        if self.denied.is_to_be_told(self.now, function) {
            let ticket = self.tell(Action::NoteDenied { function });
            self.denied.under_way = Some((ticket, self.now + ANSWER_MAX));
        }
    }
}

impl Denied {
    /// The store has answered something.
    pub(super) fn answered(&mut self, ticket: Ticket) {
        self.under_way.take_if(|(waiting, _)| *waiting == ticket);
    }

    /// Counts a note that is to be told now.
    fn is_to_be_told(&mut self, now: Mono, function: &'static str) -> bool {
        if self.under_way.is_some_and(|(_, given_up)| now < given_up) {
            return false;
        }
        let index = self.told.iter().position(|(known, _)| *known == function).unwrap_or_else(|| {
            self.told.push((function, 0));
            self.told.len() - 1
        });
        let Some((_, count)) = self.told.get_mut(index).filter(|(_, count)| *count < NOTES_MAX) else { return false };
        *count += 1;
        true
    }
}
