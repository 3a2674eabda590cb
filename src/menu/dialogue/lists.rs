//! What all numbered things have in common: the number or a bare `#`, the list, opening one; and what is heard one by
//! one.

use crate::access::{Action, ItemKind, Person, Refusal, Reply, TrunkKind};
use crate::menu::entry::Entry;
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{
    ATTENDANTS, BROWSE, GROUP, HANDSETS, ITEM_NUMBER, LIST, Lists, NETWORK, Place, RECORDING_NUMBER, ROLE,
};
use crate::model::{Clip, ItemNumber, Mac, RecordingNumber};

use super::handsets::handset;
use super::roles::RoleInHand;
use super::users::User;
use super::{Dialogue, Work};

/// A kind of numbered thing, and the one that the caller has chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) kind: ItemKind,
    /// Zero until one is chosen.
    pub(super) number: ItemNumber,
    /// Whether the member that is asked for is to be added (else taken out).
    pub(super) adding: bool,
}

/// A list, and how far the caller has come in it.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) things: Things,
    pub(super) at: usize,
    pub(super) of: ListOf,
    /// The things are not all.
    pub(super) is_cut: bool,
}

/// What is listed.
#[derive(Clone, Debug)]
pub(super) enum Things {
    Numbers(Vec<u32>),
    Handsets(Vec<Mac>),
    People(Vec<Person>),
}

/// What the list is for.
#[derive(Clone, Debug)]
pub(super) enum ListOf {
    /// Choosing a thing of this kind.
    Items(ItemKind),
    /// Choosing a handset for this user.
    ToAssign(User),
    /// Choosing a handset of this user.
    ToRemove(User),
    /// Hearing the handsets of this user.
    Handsets(User),
    /// Hearing the members of this group.
    Members(Item),
    /// Hearing who holds this role.
    Holders(RoleInHand),
}

impl Dialogue {
    pub(super) fn run_lists(&mut self, function: Lists) {
        match function {
            Lists::Ask(kind) => self.ask_item(kind, Words::none()),
            Lists::LeaveNumber => self.leave_item_number(Words::none()),
            Lists::Choose => self.choose_listed(),
            Lists::Next | Lists::HearNext => self.next_listed(),
            Lists::Leave | Lists::LeaveHeard => self.leave_list(Words::none()),
        }
    }

    /// Asks for the number of a thing of this kind.
    pub(super) fn ask_item(&mut self, kind: ItemKind, first: impl Into<Words>) {
        if kind == ItemKind::Recording {
            return self.go(Place::Question(&RECORDING_NUMBER), first);
        }
        self.work = Work::Item(Item { kind, number: ItemNumber(0), adding: false });
        self.go(Place::Question(&ITEM_NUMBER), first);
    }

    fn leave_item_number(&mut self, first: impl Into<Words>) {
        let is_trunk = matches!(&self.work, Work::Item(Item { kind: ItemKind::Trunk(_), .. }));
        self.go(Place::Menu(if is_trunk { &NETWORK } else { &ATTENDANTS }), first);
    }

    pub(super) fn recording_number(&mut self, entry: &Entry) {
        self.numbered(ItemKind::Recording, entry, "recording-unknown");
    }

    pub(super) fn item_number(&mut self, entry: &Entry) {
        match self.work {
            Work::Item(item) => self.numbered(item.kind, entry, "item-unknown"),
            _ => self.go(self.top(), Words::none()),
        }
    }

    /// A number was keyed; a bare `#` goes through the list.
    fn numbered(&mut self, kind: ItemKind, entry: &Entry, unknown: Clip) {
        if entry.is_empty() {
            let home = self.place;
            self.work = Work::Item(Item { kind, number: ItemNumber(0), adding: false });
            return self.ask(Action::List { kind }, home, Self::items_listed);
        }
        match entry.number().filter(|number| *number > 0) {
            Some(number) => self.open_item(kind, number),
            None => self.stay(unknown),
        }
    }

    fn items_listed(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::Numbers(numbers), Work::Item(item)) if numbers.is_empty() => {
                if item.kind == ItemKind::Recording {
                    self.go(self.top(), "recordings-none");
                } else {
                    self.leave_item_number("items-none");
                }
            }
            (Reply::Numbers(numbers), Work::Item(item)) => {
                let (things, of) = (Things::Numbers(numbers.clone()), ListOf::Items(item.kind));
                self.go_through(Words::none(), List { things, at: 0, of, is_cut: false });
            }
            (reply, _) => self.refused(reply),
        }
    }

    /// Says where the list is and what can be done there; after the last thing that is only heard, that was all.
    pub(super) fn go_through(&mut self, first: Words, list: List) {
        let (thing, is_last) = (list.thing(), list.at + 1 >= list.things.len());
        let (is_heard_only, is_cut) = (list.of.is_heard_only(), list.is_cut);
        self.work = Work::List(Box::new(list));
        match thing {
            Some(words) if is_heard_only && is_last => {
                let others = is_cut.then_some("and-others");
                self.leave_list(first.then(words).clips(others));
            }
            Some(words) => self.go(Place::Menu(if is_heard_only { &BROWSE } else { &LIST }), first.then(words)),
            None => self.leave_list(first.clip("end-of-list")),
        }
    }

    fn next_listed(&mut self) {
        match std::mem::replace(&mut self.work, Work::Nothing) {
            Work::List(list) => self.go_through(Words::none(), List { at: list.at + 1, ..*list }),
            _ => self.go(self.top(), Words::none()),
        }
    }

    fn leave_list(&mut self, first: Words) {
        let Work::List(list) = std::mem::replace(&mut self.work, Work::Nothing) else {
            return self.go(self.top(), first);
        };
        let (work, place) = match list.of {
            ListOf::Items(kind) => return self.ask_item(kind, first),
            ListOf::ToAssign(user) | ListOf::ToRemove(user) | ListOf::Handsets(user) => {
                (Work::User(user), Place::Menu(&HANDSETS))
            }
            ListOf::Members(item) => (Work::Item(item), Place::Menu(&GROUP)),
            ListOf::Holders(role) => (Work::Role(role), Place::Menu(&ROLE)),
        };
        self.work = work;
        self.go(place, first);
    }

    fn choose_listed(&mut self) {
        let Work::List(list) = std::mem::replace(&mut self.work, Work::Nothing) else {
            return self.go(self.top(), Words::none());
        };
        match (list.of, list.things) {
            (ListOf::Items(kind), Things::Numbers(numbers)) => match numbers.get(list.at) {
                Some(number) => self.open_item(kind, *number),
                None => self.ask_item(kind, Words::none()),
            },
            (ListOf::ToAssign(user), Things::Handsets(handsets)) => self.assign_handset(user, handsets.get(list.at)),
            (ListOf::ToRemove(user), Things::Handsets(handsets)) => self.remove_handset(user, handsets.get(list.at)),
            _ => self.go(self.top(), Words::none()),
        }
    }

    /// Opens the thing of that number.
    fn open_item(&mut self, kind: ItemKind, number: u32) {
        let (home, number) = (Place::Question(&ITEM_NUMBER), ItemNumber(number));
        self.work = Work::Item(Item { kind, number, adding: false });
        match kind {
            ItemKind::Recording => self.open_recording(RecordingNumber(number.0)),
            ItemKind::Attendant => self.ask(Action::OpenAttendant { number }, home, Self::attendant_opened),
            ItemKind::Group => self.ask(Action::ListMembers { number }, home, Self::group_opened),
            ItemKind::CallCenter => self.ask(Action::OpenCallCenter { number }, home, Self::call_center_opened),
            ItemKind::Trunk(kind) => self.ask(Action::OpenTrunk { kind, number }, home, Self::trunk_opened),
        }
    }

    /// A thing that isn't there, or isn't any more, is asked for again.
    pub(super) fn item_refused(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::Refused(Refusal::Unknown), Work::Item(item)) => self.ask_item(item.kind, "item-unknown"),
            (reply, _) => self.refused(reply),
        }
    }
}

impl Item {
    /// What it is, said before its state.
    pub(super) fn named(self) -> Words {
        numbered(self.kind, self.number.0)
    }
}

#[cfg(test)]
impl Item {
    /// What tells two of them apart, for the tests that walk all states.
    pub(super) fn state(self) -> String {
        format!("{:?} {} {}", self.kind, self.number == ItemNumber(0), self.adding)
    }
}

#[cfg(test)]
impl List {
    /// What tells two of them apart, for the tests that walk all states.
    pub(super) fn state(&self) -> String {
        let of = match &self.of {
            ListOf::Items(kind) => format!("{kind:?}"),
            ListOf::Members(item) => item.state(),
            ListOf::Holders(role) => format!("{role:?}"),
            ListOf::ToAssign(user) | ListOf::ToRemove(user) | ListOf::Handsets(user) => user.state(),
        };
        format!("{:?} {of} {} of {} {}", std::mem::discriminant(&self.of), self.at, self.things.len(), self.is_cut)
    }
}

impl List {
    /// The words for what the list is at.
    fn thing(&self) -> Option<Words> {
        match (&self.things, &self.of) {
            (Things::Numbers(numbers), ListOf::Items(kind)) => numbers.get(self.at).map(|n| numbered(*kind, *n)),
            (Things::Numbers(_), _) => None,
            (Things::Handsets(handsets), _) => handsets.get(self.at).map(|mac| handset(*mac)),
            (Things::People(people), _) => people.get(self.at).map(|who| person(Words::none(), who)),
        }
    }
}

impl Things {
    fn len(&self) -> usize {
        match self {
            Things::Numbers(numbers) => numbers.len(),
            Things::Handsets(handsets) => handsets.len(),
            Things::People(people) => people.len(),
        }
    }
}

impl ListOf {
    fn is_heard_only(&self) -> bool {
        match self {
            ListOf::Items(_) | ListOf::ToAssign(_) | ListOf::ToRemove(_) => false,
            ListOf::Handsets(_) | ListOf::Members(_) | ListOf::Holders(_) => true,
        }
    }
}

/// Who it is.
pub(super) fn person(first: Words, person: &Person) -> Words {
    first.clip("extension-is").digits(person.extension.as_str()).audio(person.spoken_name.clone())
}

/// How many there are of something that can be stored, said as a number.
pub(super) fn count(first: Words, count: usize, noun: Noun) -> Words {
    first.counted(u32::try_from(count).unwrap_or(u32::MAX), noun)
}

/// A thing of a kind, by its number.
pub(super) fn numbered(kind: ItemKind, number: u32) -> Words {
    let clip = match kind {
        ItemKind::Recording => "recording-number",
        ItemKind::Attendant => "attendant-number",
        ItemKind::Group => "group-number",
        ItemKind::CallCenter => "callcenter-number",
        ItemKind::Trunk(TrunkKind::Line) => "line-number",
        ItemKind::Trunk(TrunkKind::Gateway) => "gateway-number",
        ItemKind::Trunk(TrunkKind::Proxy) => "proxy-number",
    };
    Words::from(clip).digits(&number.to_string())
}
