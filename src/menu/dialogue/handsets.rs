//! The handsets of a user: hear, assign, remove. Each is named by the last three bytes of its MAC address.

use crate::access::{Action, Refusal, Reply};
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{HANDSETS, Place};
use crate::model::{Clip, Mac};

use super::lists::{List, ListOf, Things, count};
use super::users::User;
use super::{Dialogue, Then, Work};

impl Dialogue {
    pub(super) fn handsets_opened(&mut self, reply: &Reply) {
        match reply {
            Reply::Done => self.go(Place::Menu(&HANDSETS), Words::none()),
            reply => self.user_refused(reply),
        }
    }

    pub(super) fn hear_handsets(&mut self) {
        self.ask_for_handsets(|user| Action::ListHandsets { extension: user.extension }, Self::handsets_to_hear);
    }

    pub(super) fn list_unassigned_handsets(&mut self) {
        self.ask_for_handsets(|_| Action::ListUnassignedHandsets, Self::handsets_to_assign);
    }

    pub(super) fn list_handsets_to_remove(&mut self) {
        self.ask_for_handsets(|user| Action::ListHandsets { extension: user.extension }, Self::handsets_to_remove);
    }

    fn ask_for_handsets(&mut self, action: fn(User) -> Action, then: Then) {
        match self.user() {
            Some(user) => self.ask(action(user), Place::Menu(&HANDSETS), then),
            None => self.ask_user(Words::none()),
        }
    }

    fn handsets_to_hear(&mut self, reply: &Reply) {
        let first = match reply {
            Reply::Handsets(handsets) => count(Words::none(), handsets.len(), Noun::Handsets),
            _ => Words::none(),
        };
        self.handsets_listed(reply, first, "handset-none", ListOf::Handsets);
    }

    fn handsets_to_assign(&mut self, reply: &Reply) {
        self.handsets_listed(reply, Words::none(), "handset-none-unassigned", ListOf::ToAssign);
    }

    fn handsets_to_remove(&mut self, reply: &Reply) {
        self.handsets_listed(reply, Words::none(), "handset-none", ListOf::ToRemove);
    }

    fn handsets_listed(&mut self, reply: &Reply, first: Words, none: Clip, of: fn(User) -> ListOf) {
        match (reply, self.user()) {
            (Reply::Handsets(handsets), _) if handsets.is_empty() => self.go(Place::Menu(&HANDSETS), none),
            (Reply::Handsets(handsets), Some(user)) => {
                let things = Things::Handsets(handsets.clone());
                self.go_through(first, List { things, at: 0, of: of(user), is_cut: false });
            }
            (reply, _) => self.user_refused(reply),
        }
    }

    pub(super) fn assign_handset(&mut self, user: User, mac: Option<&Mac>) {
        let extension = user.extension.clone();
        self.change_handset(user, mac.map(|mac| Action::AssignHandset { mac: *mac, extension }), |dialogue, reply| {
            dialogue.handset_changed(reply, "handset-assigned");
        });
    }

    pub(super) fn remove_handset(&mut self, user: User, mac: Option<&Mac>) {
        let extension = user.extension.clone();
        self.change_handset(user, mac.map(|mac| Action::RemoveHandset { mac: *mac, extension }), |dialogue, reply| {
            dialogue.handset_changed(reply, "handset-removed");
        });
    }

    fn change_handset(&mut self, user: User, action: Option<Action>, then: Then) {
        self.work = Work::User(user);
        match action {
            Some(action) => self.ask(action, Place::Menu(&HANDSETS), then),
            None => self.go(Place::Menu(&HANDSETS), Words::none()),
        }
    }

    fn handset_changed(&mut self, reply: &Reply, what: Clip) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&HANDSETS), what, *change),
            // Somebody else has assigned or removed it meanwhile.
            Reply::Refused(Refusal::AlreadySo | Refusal::NothingThere | Refusal::OtherUnknown) => {
                self.go(Place::Menu(&HANDSETS), "handset-gone");
            }
            reply => self.user_refused(reply),
        }
    }
}

/// Which handset it is.
pub(super) fn handset(mac: Mac) -> Words {
    let Mac([_, _, _, d, e, f]) = mac;
    spelled(Words::from("handset-number"), &format!("{d:02x}{e:02x}{f:02x}"))
}

/// Hexadecimal digits, dots and colons, one by one.
pub(super) fn spelled(first: Words, text: &str) -> Words {
    text.chars().fold(first, |words, character| match character {
        'a' => words.clip("letter-a"),
        'b' => words.clip("letter-b"),
        'c' => words.clip("letter-c"),
        'd' => words.clip("letter-d"),
        'e' => words.clip("letter-e"),
        'f' => words.clip("letter-f"),
        '.' => words.clip("address-dot"),
        ':' => words.clip("address-colon"),
        digit => words.digits(digit.encode_utf8(&mut [0; 4])),
    })
}
