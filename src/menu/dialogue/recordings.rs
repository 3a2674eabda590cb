//! System recordings: one recording and its versions.

use crate::access::{Action, OwnAudio, Refusal, Reply, RestoreTo};
use crate::menu::speech::Words;
use crate::menu::tree::{Place, RECORDING, RECORDING_NUMBER, REVIEW, Recordings};
use crate::model::{Audio, RecordingNumber};

use super::users::User;
use super::{Dialogue, Then, Work};

/// What is recorded, or can be.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) of: Subject,
    /// Whether the live version of a system recording is the factory one.
    pub(super) factory: bool,
    /// What is in review.
    pub(super) take: Option<Audio>,
    /// Whether the store has `take` as a draft already.
    pub(super) take_is_draft: bool,
    /// Whether the store has a draft of the caller's.
    pub(super) has_draft: bool,
}

/// What a recording is of. Only system recordings have drafts.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    System(RecordingNumber),
    Own(OwnAudio),
    /// The spoken name of another user.
    Name(User),
}

#[cfg(test)]
impl Recording {
    /// What tells two of them apart, for the tests that walk all states.
    pub(super) fn state(&self) -> String {
        let of = match &self.of {
            Subject::System(_) => "system".to_owned(),
            Subject::Own(which) => format!("{which:?}"),
            Subject::Name(user) => user.state(),
        };
        let Self { factory, take, take_is_draft, has_draft, .. } = self;
        format!("{of} factory {factory} take {take:?} draft {take_is_draft} {has_draft}")
    }
}

impl Recording {
    pub(super) fn new(of: Subject) -> Self {
        Self { of, factory: false, take: None, take_is_draft: false, has_draft: false }
    }

    /// What a system recording is, said before its menu.
    pub(super) fn described(&self, first: Words) -> Words {
        match self.of {
            Subject::System(number) => {
                let state = if self.factory { "recording-is-factory" } else { "recording-is-changed" };
                first.clip("recording-number").digits(&number.0.to_string()).clip(state)
            }
            Subject::Own(_) | Subject::Name(_) => first,
        }
    }
}

impl Dialogue {
    pub(super) fn run_recordings(&mut self, function: Recordings) {
        match function {
            Recordings::Listen => {
                self.ask_about_recording(|number| Action::ListenRecording { number }, Self::recording_read);
            }
            Recordings::Record | Recordings::RecordAgain => self.start_recorder(),
            Recordings::Restore(RestoreTo::Previous) => self.ask_about_recording(
                |number| Action::RestoreRecording { number, to: RestoreTo::Previous },
                Self::recording_restored,
            ),
            Recordings::Restore(RestoreTo::Factory) => self.ask_about_recording(
                |number| Action::RestoreRecording { number, to: RestoreTo::Factory },
                Self::recording_restored,
            ),
            Recordings::WhoChanged => {
                self.ask_about_recording(|number| Action::WhoChangedRecording { number }, Self::told_who_changed);
            }
            Recordings::PlayTake => self.play_take(),
            Recordings::KeepTake => self.keep_take(),
            Recordings::DiscardTake => self.discard_take(),
        }
    }

    pub(super) fn open_recording(&mut self, number: RecordingNumber) {
        self.work = Work::Recording(Box::new(Recording::new(Subject::System(number))));
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

    fn recording_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Audio(Some(audio)) => self.stay(Words::none().audio(Some(audio.clone()))),
            Reply::Audio(None) => self.stay("recording-empty"),
            reply => self.recording_refused(reply),
        }
    }

    fn recording_restored(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&RECORDING), "recording-restored", *change),
            Reply::Refused(Refusal::NothingThere) => self.stay("recording-nothing-older"),
            reply => self.recording_refused(reply),
        }
    }

    fn told_who_changed(&mut self, reply: &Reply) {
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
        if let Work::Recording(recording) = &self.work
            && let Subject::System(number) = recording.of
        {
            self.ask(action(number), Place::Menu(&RECORDING), then);
        } else {
            self.go(Place::Question(&RECORDING_NUMBER), Words::none());
        }
    }

    /// A recording that isn't there, or isn't any more, is asked for again.
    pub(super) fn recording_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::Unknown) => self.go(Place::Question(&RECORDING_NUMBER), "recording-unknown"),
            reply => self.refused(reply),
        }
    }
}
