//! What becomes of a take: played, kept, recorded again, discarded; or kept as a draft when the caller goes.

use crate::access::{Action, OwnAudio, Refusal, Reply};
use crate::menu::speech::Words;
use crate::menu::tree::{Place, RECORDING, REVIEW, USER};
use crate::model::{Audio, Clip, Take, Verdict};

use super::own::own_menu;
use super::recordings::{Recording, Subject};
use super::{Dialogue, Phase, Work};

impl Dialogue {
    /// Records one's greeting or name.
    pub(super) fn record_own(&mut self, which: OwnAudio) {
        self.work = Work::Recording(Box::new(Recording::new(Subject::Own(which))));
        self.start_recorder();
    }

    /// A recording has ended: its take is what is in review now.
    pub(super) fn review_take(&mut self, take: Take) {
        let verdict = take.verdict.map(verdict_clip).or(take.audio.0.is_empty().then_some("take-silent"));
        self.take_in_hand(take.audio);
        self.go(Place::Menu(&REVIEW), Words::none().clips(verdict));
    }

    /// The line is going down during a recording: what there is of it is in review now, unless that is nothing.
    pub(super) fn review_cut_short(&mut self, take: Take) {
        if !take.audio.0.is_empty() {
            self.take_in_hand(take.audio);
        }
    }

    /// Goes back from a recording that was dropped: to the take before it, where there is one.
    pub(super) fn leave_recorder(&mut self, first: Words) {
        match self.take() {
            Some(_) => self.go(Place::Menu(&REVIEW), first),
            None => self.leave_review(first),
        }
    }

    pub(super) fn play_take(&mut self) {
        match self.take().filter(|audio| !audio.0.is_empty()) {
            Some(audio) => self.stay(Words::none().audio(Some(audio))),
            None => self.stay("take-silent"),
        }
    }

    /// A take with nothing in it can't take the place of the live recording.
    pub(super) fn keep_take(&mut self) {
        let audio = self.take().filter(|audio| !audio.0.is_empty());
        let (Some(audio), Work::Recording(recording)) = (audio, &self.work) else { return self.stay("take-silent") };
        let action = match &recording.of {
            Subject::System(number) => Action::KeepRecording { number: *number, audio },
            Subject::Own(which) => Action::KeepOwn { which: *which, audio },
            Subject::Name(user) => Action::KeepUserName { extension: user.extension.clone(), audio },
        };
        self.ask(action, Place::Menu(&REVIEW), Self::take_kept);
    }

    fn take_kept(&mut self, reply: &Reply) {
        let Work::Recording(recording) = &self.work else { return self.failed() };
        match (reply, &recording.of) {
            (Reply::Changed(change), of) => {
                let saved = match of {
                    Subject::System(_) => "recording-saved",
                    Subject::Own(OwnAudio::Greeting) => "greeting-saved",
                    Subject::Own(OwnAudio::Name) | Subject::Name(_) => "name-saved",
                };
                self.leave_review(Words::from(saved).change(*change));
            }
            (reply, Subject::System(_)) => self.recording_refused(reply),
            (reply, Subject::Own(_)) => self.refused(reply),
            // The user is no longer the caller's to change, so the take is of no use.
            (Reply::Refused(Refusal::NotAllowedForThisAccount), Subject::Name(_)) => {
                self.leave_review("not-allowed-for-this-account".into());
            }
            (reply, Subject::Name(_)) => self.user_refused(reply),
        }
    }

    pub(super) fn discard_take(&mut self) {
        if let Work::Recording(recording) = &self.work
            && let Recording { of: Subject::System(number), has_draft: true, .. } = **recording
        {
            self.ask(Action::DiscardDraft { number }, Place::Menu(&REVIEW), Self::draft_discarded);
        } else {
            self.take_discarded();
        }
    }

    fn draft_discarded(&mut self, reply: &Reply) {
        match reply {
            Reply::Done | Reply::Changed(_) | Reply::Refused(Refusal::Unknown | Refusal::NothingThere) => {
                self.take_discarded();
            }
            reply => self.refused(reply),
        }
    }

    fn take_discarded(&mut self) {
        let mut words = Words::from("recording-discarded");
        if let Work::Recording(recording) = &self.work
            && recording.take_is_draft
        {
            // The draft came before what is said of the recording itself.
            words = recording.described(words);
        }
        self.leave_review(words);
    }

    /// Goes back to what was recorded, with nothing in review any more.
    fn leave_review(&mut self, first: Words) {
        let Work::Recording(recording) = &mut self.work else { return self.go(self.top(), first) };
        recording.take = None;
        recording.take_is_draft = false;
        recording.has_draft = false;
        match &recording.of {
            Subject::System(_) => self.go(Place::Menu(&RECORDING), first),
            Subject::Own(which) => {
                let menu = own_menu(*which);
                self.go(Place::Menu(menu), first);
            }
            Subject::Name(user) => {
                self.work = Work::User(user.clone());
                self.go(Place::Menu(&USER), first);
            }
        }
    }

    /// Keeps a take of a system recording that nobody has decided about, unless it is being decided about now.
    pub(super) fn save_draft(&mut self) {
        if matches!(self.phase, Phase::Asking(_)) {
            return;
        }
        if let Work::Recording(recording) = &self.work
            && let Recording { of: Subject::System(number), take: Some(audio), take_is_draft: false, .. } = &**recording
            && !audio.0.is_empty()
        {
            let action = Action::SaveDraft { number: *number, audio: audio.clone() };
            self.tell(action);
        }
    }

    fn take(&self) -> Option<Audio> {
        match &self.work {
            Work::Recording(recording) => recording.take.clone(),
            _ => None,
        }
    }

    fn take_in_hand(&mut self, audio: Audio) {
        if let Work::Recording(recording) = &mut self.work {
            recording.take = Some(audio);
            recording.take_is_draft = false;
        }
    }
}

fn verdict_clip(verdict: Verdict) -> Clip {
    match verdict {
        Verdict::TooShort => "take-too-short",
        Verdict::TooQuiet => "take-too-quiet",
        Verdict::Clipped => "take-clipped",
        Verdict::Silent => "take-silent",
    }
}
