//! System recordings: the list, one recording and its versions.

use crate::access::{Action, ItemKind, Refusal, Reply, RestoreTo};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{MAIN, Place, RECORDING, RECORDING_LIST, RECORDING_NUMBER, REVIEW};
use crate::model::{Audio, RecordingNumber};

use super::{Dialogue, Then, Work};

/// The list of recordings, and how far the caller has come in it.
#[derive(Clone, Debug)]
pub(super) struct List {
    numbers: Vec<RecordingNumber>,
    at: usize,
}

/// The recording that the caller has chosen.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) number: RecordingNumber,
    /// Whether the live version is the factory one.
    pub(super) factory: bool,
    /// What is in review.
    pub(super) take: Option<Audio>,
    /// Whether the store has `take` as a draft already.
    pub(super) take_is_draft: bool,
    /// Whether the store has a draft of the caller's.
    pub(super) has_draft: bool,
}

impl Recording {
    /// What it is, said before its menu.
    pub(super) fn described(&self, first: Words) -> Words {
        let state = if self.factory { "recording-is-factory" } else { "recording-is-changed" };
        first.clip("recording-number").digits(&self.number.0.to_string()).clip(state)
    }
}

impl Dialogue {
    /// The number was keyed; a bare `#` asks for the list.
    pub(super) fn recording_number(&mut self, entry: &Entry) {
        if entry.is_empty() {
            return self.ask(Action::List { kind: ItemKind::Recording }, Place::Menu(&MAIN), Self::recordings_listed);
        }
        match entry.number().filter(|number| *number > 0) {
            Some(number) => self.open_recording(RecordingNumber(number)),
            None => self.stay("recording-unknown"),
        }
    }

    fn recordings_listed(&mut self, reply: &Reply) {
        match reply {
            Reply::Numbers(numbers) if numbers.is_empty() => self.go(Place::Menu(&MAIN), "recordings-none"),
            Reply::Numbers(numbers) => {
                self.say_listed(List { numbers: numbers.iter().copied().map(RecordingNumber).collect(), at: 0 });
            }
            _ => self.failed(),
        }
    }

    pub(super) fn next_recording(&mut self) {
        match std::mem::replace(&mut self.work, Work::Nothing) {
            Work::List(list) => self.say_listed(List { at: list.at + 1, ..list }),
            _ => self.go(Place::Question(&RECORDING_NUMBER), Words::none()),
        }
    }

    fn say_listed(&mut self, list: List) {
        match list.numbers.get(list.at) {
            Some(number) => {
                let words = Words::from("recording-number").digits(&number.0.to_string());
                self.work = Work::List(list);
                self.go(Place::Menu(&RECORDING_LIST), words);
            }
            None => self.go(Place::Question(&RECORDING_NUMBER), "end-of-list"),
        }
    }

    pub(super) fn choose_recording(&mut self) {
        match &self.work {
            Work::List(List { numbers, at }) if *at < numbers.len() => self.open_recording(numbers[*at]),
            _ => self.go(Place::Question(&RECORDING_NUMBER), Words::none()),
        }
    }

    fn open_recording(&mut self, number: RecordingNumber) {
        self.work =
            Work::Recording(Recording { number, factory: false, take: None, take_is_draft: false, has_draft: false });
        self.ask(Action::OpenRecording { number }, Place::Question(&RECORDING_NUMBER), Self::recording_opened);
    }

    fn recording_opened(&mut self, reply: &Reply) {
        match (reply, &mut self.work) {
            (Reply::Recording { factory, draft: Some(draft) }, Work::Recording(recording)) => {
                recording.factory = *factory;
                recording.take = Some(draft.clone());
                recording.take_is_draft = true;
                recording.has_draft = true;
                self.go(Place::Menu(&REVIEW), "draft-waiting");
            }
            (Reply::Recording { factory, draft: None }, Work::Recording(recording)) => {
                recording.factory = *factory;
                let words = recording.described(Words::none());
                self.go(Place::Menu(&RECORDING), words);
            }
            (reply, _) => self.recording_refused(reply),
        }
    }

    pub(super) fn listen_recording(&mut self) {
        self.ask_about_recording(|number| Action::ListenRecording { number }, Self::recording_read);
    }

    fn recording_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Audio(Some(audio)) => self.stay(Words::none().audio(Some(audio.clone()))),
            Reply::Audio(None) => self.stay("recording-empty"),
            reply => self.recording_refused(reply),
        }
    }

    pub(super) fn restore_previous(&mut self) {
        self.ask_about_recording(
            |number| Action::RestoreRecording { number, to: RestoreTo::Previous },
            Self::recording_restored,
        );
    }

    pub(super) fn restore_factory(&mut self) {
        self.ask_about_recording(
            |number| Action::RestoreRecording { number, to: RestoreTo::Factory },
            Self::recording_restored,
        );
    }

    fn recording_restored(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&RECORDING), "recording-restored", *change),
            Reply::Refused(Refusal::NothingThere) => self.stay("recording-nothing-older"),
            reply => self.recording_refused(reply),
        }
    }

    pub(super) fn who_changed_recording(&mut self) {
        self.ask_about_recording(|number| Action::WhoChangedRecording { number }, Self::told_who_changed_recording);
    }

    fn told_who_changed_recording(&mut self, reply: &Reply) {
        match reply {
            Reply::Who { at: None, .. } => self.stay("recording-never-changed"),
            Reply::Who { by: Some(extension), spoken_name, at: Some(at) } => {
                let by = Words::from("recording-changed-by").digits(extension.as_str()).audio(spoken_name.clone());
                self.stay(by.moment(*at));
            }
            Reply::Who { by: None, at: Some(at), .. } => {
                self.stay(Words::from("recording-changed-by-shell").moment(*at));
            }
            reply => self.recording_refused(reply),
        }
    }

    fn ask_about_recording(&mut self, action: fn(RecordingNumber) -> Action, then: Then) {
        match &self.work {
            Work::Recording(recording) => self.ask(action(recording.number), Place::Menu(&RECORDING), then),
            _ => self.go(Place::Question(&RECORDING_NUMBER), Words::none()),
        }
    }

    /// A recording that isn't there, or isn't any more, is asked for again.
    pub(super) fn recording_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::Unknown) => self.go(Place::Question(&RECORDING_NUMBER), "recording-unknown"),
            _ => self.failed(),
        }
    }
}
