//! The mode, auto attendants, hunt groups and call centers.

use crate::access::{Action, ItemKind, Mode, ModeSetting, People, Refusal, Reply};
use crate::menu::entry::Entry;
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{
    ATTENDANT_RECORDING, ATTENDANTS, Attendants, CALL_CENTER, GROUP, GROUP_EXTENSION, MODE, Place, UNTIL_WHEN,
};
use crate::model::{Clip, ItemNumber, RecordingNumber};

use super::lists::{Item, List, ListOf, Things};
use super::{Dialogue, Work};

/// A mode is set for a year at most, in hours.
const MODE_HOURS_MAX: u32 = 8760;

impl Dialogue {
    pub(super) fn run_attendants(&mut self, function: Attendants) {
        match function {
            Attendants::OpenMode => self.ask(Action::ReadMode, Place::Menu(&ATTENDANTS), Self::mode_read),
            Attendants::ChooseMode(mode) => {
                self.work = Work::Mode(mode);
                self.go(Place::Question(&UNTIL_WHEN), Words::none());
            }
            Attendants::FollowTimetable => {
                let action = Action::SetMode { setting: ModeSetting::Timetable, hours: None };
                self.ask(action, Place::Menu(&MODE), |dialogue, reply| dialogue.mode_set(reply, "mode-timetable"));
            }
            Attendants::HearMembers => {
                let Some(item) = self.item() else { return self.go(self.top(), Words::none()) };
                self.ask(Action::ListMembers { number: item.number }, Place::Menu(&GROUP), Self::members_listed);
            }
            Attendants::AddMember => self.ask_member(true),
            Attendants::RemoveMember => self.ask_member(false),
            Attendants::SetCallCenter { open } => {
                let Some(Item { number, .. }) = self.item() else { return self.go(self.top(), Words::none()) };
                let action = Action::SetCallCenter { number, open };
                let then = if open { Self::call_center_was_opened } else { Self::call_center_was_closed };
                self.ask(action, Place::Menu(&CALL_CENTER), then);
            }
            Attendants::HearCallCenter => {
                let Some(Item { number, .. }) = self.item() else { return self.go(self.top(), Words::none()) };
                self.ask(Action::OpenCallCenter { number }, Place::Menu(&CALL_CENTER), Self::call_center_opened);
            }
        }
    }

    fn mode_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Mode { mode, setting, until } => {
                let mut words = Words::from(mode_clip(*mode));
                if *setting == ModeSetting::Timetable {
                    words = words.clip("mode-timetable");
                } else if let Some(until) = until {
                    words = words.clip("mode-ends").moment(*until);
                }
                self.go(Place::Menu(&MODE), words);
            }
            reply => self.refused(reply),
        }
    }

    pub(super) fn mode_hours(&mut self, entry: &Entry) {
        let Work::Mode(mode) = self.work else { return self.go(Place::Menu(&MODE), Words::none()) };
        let hours = entry.number();
        let in_range = hours.is_some_and(|hours| (1..=MODE_HOURS_MAX).contains(&hours));
        if !entry.is_empty() && !in_range {
            return self.stay("hours-out-of-range");
        }
        let action = Action::SetMode { setting: ModeSetting::Fixed(mode), hours };
        let then = match mode {
            Mode::Day => |dialogue: &mut Self, reply: &Reply| dialogue.mode_set(reply, mode_clip(Mode::Day)),
            Mode::Night => |dialogue: &mut Self, reply: &Reply| dialogue.mode_set(reply, mode_clip(Mode::Night)),
            Mode::Holiday => |dialogue: &mut Self, reply: &Reply| dialogue.mode_set(reply, mode_clip(Mode::Holiday)),
        };
        self.ask(action, Place::Menu(&MODE), then);
    }

    fn mode_set(&mut self, reply: &Reply, what: Clip) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&MODE), what, *change),
            reply => self.refused(reply),
        }
    }

    /// Says what it plays and asks for another recording at once.
    pub(super) fn attendant_opened(&mut self, reply: &Reply) {
        match (reply, self.item()) {
            (Reply::Attendant { recording }, Some(item)) => {
                let words = item.named();
                let words = match recording {
                    Some(number) => words.clip("attendant-plays").digits(&number.0.to_string()),
                    None => words.clip("attendant-plays-nothing"),
                };
                self.go(Place::Question(&ATTENDANT_RECORDING), words);
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    pub(super) fn attendant_recording(&mut self, entry: &Entry) {
        match (entry.number().filter(|number| *number > 0), self.item()) {
            (Some(recording), Some(Item { number, .. })) => {
                let action = Action::SetAttendant { number, recording: RecordingNumber(recording) };
                self.ask(action, Place::Question(&ATTENDANT_RECORDING), Self::attendant_set);
            }
            _ => self.stay("recording-unknown"),
        }
    }

    fn attendant_set(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => {
                self.ask_item(ItemKind::Attendant, Words::from("attendant-changed").change(*change));
            }
            Reply::Refused(Refusal::OtherUnknown) => self.stay("recording-unknown"),
            reply => self.item_refused(reply),
        }
    }

    pub(super) fn group_opened(&mut self, reply: &Reply) {
        match (reply, self.item()) {
            (Reply::People(people), Some(item)) => {
                let words = item.named().counted(people.count, Noun::Members);
                self.go(Place::Menu(&GROUP), words);
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    fn members_listed(&mut self, reply: &Reply) {
        match (reply, self.item()) {
            (Reply::People(people), Some(item)) => {
                let first = Words::none().counted(people.count, Noun::Members);
                self.hear_people(first, people, ListOf::Members(item), Place::Menu(&GROUP));
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    /// Says who they are, one by one.
    pub(super) fn hear_people(&mut self, first: Words, people: &People, of: ListOf, home: Place) {
        if people.listed.is_empty() {
            return self.go(home, first);
        }
        let is_cut = people.count as usize > people.listed.len();
        self.go_through(first, List { things: Things::People(people.listed.clone()), at: 0, of, is_cut });
    }

    fn ask_member(&mut self, adding: bool) {
        if let Work::Item(item) = &mut self.work {
            item.adding = adding;
        }
        self.go(Place::Question(&GROUP_EXTENSION), Words::none());
    }

    pub(super) fn group_member(&mut self, entry: &Entry) {
        let Some(Item { number, adding, .. }) = self.item() else { return self.go(self.top(), Words::none()) };
        let Some(extension) = entry.extension().filter(|_| !entry.overlong()) else {
            return self.stay("extension-unknown");
        };
        let home = Place::Question(&GROUP_EXTENSION);
        if adding {
            self.ask(Action::AddMember { number, extension }, home, Self::member_added);
        } else {
            self.ask(Action::RemoveMember { number, extension }, home, Self::member_removed);
        }
    }

    fn member_added(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&GROUP), "member-added", *change),
            Reply::Refused(Refusal::OtherUnknown) => self.stay("extension-unknown"),
            Reply::Refused(Refusal::AlreadySo | Refusal::TooMany) => {
                let clip = if *reply == Reply::Refused(Refusal::TooMany) { "too-many" } else { "already-so" };
                self.go(Place::Menu(&GROUP), clip);
            }
            reply => self.item_refused(reply),
        }
    }

    fn member_removed(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&GROUP), "member-removed", *change),
            Reply::Refused(Refusal::OtherUnknown | Refusal::NothingThere) => self.stay("group-not-a-member"),
            reply => self.item_refused(reply),
        }
    }

    pub(super) fn call_center_opened(&mut self, reply: &Reply) {
        match (reply, self.item()) {
            (Reply::CallCenter { open }, Some(item)) => {
                let state = if *open { "callcenter-is-open" } else { "callcenter-is-closed" };
                self.go(Place::Menu(&CALL_CENTER), item.named().clip(state));
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    fn call_center_was_opened(&mut self, reply: &Reply) {
        self.call_center_set(reply, "callcenter-opened");
    }

    fn call_center_was_closed(&mut self, reply: &Reply) {
        self.call_center_set(reply, "callcenter-closed");
    }

    fn call_center_set(&mut self, reply: &Reply, what: Clip) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&CALL_CENTER), what, *change),
            reply => self.item_refused(reply),
        }
    }

    pub(super) fn item(&self) -> Option<Item> {
        match self.work {
            Work::Item(item) if item.number != ItemNumber(0) => Some(item),
            _ => None,
        }
    }
}

fn mode_clip(mode: Mode) -> Clip {
    match mode {
        Mode::Day => "mode-day",
        Mode::Night => "mode-night",
        Mode::Holiday => "mode-holiday",
    }
}
