//! What becomes of a take: played, kept, recorded again, discarded; or kept as a draft when the caller goes.

use crate::access::{Action, Refusal, Reply};
use crate::menu::speech::Words;
use crate::menu::tree::{Place, RECORDING, REVIEW};
use crate::model::{Audio, Clip, Take, Verdict};

use super::recordings::Recording;
use super::{Dialogue, Phase, Work};

impl Dialogue {
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
        let has_take = matches!(&self.work, Work::Recording(Recording { take: Some(_), .. }));
        self.go(Place::Menu(if has_take { &REVIEW } else { &RECORDING }), first);
    }

    pub(super) fn play_take(&mut self) {
        match &self.work {
            Work::Recording(Recording { take: Some(audio), .. }) if !audio.0.is_empty() => {
                let audio = audio.clone();
                self.stay(Words::none().audio(Some(audio)));
            }
            _ => self.stay("take-silent"),
        }
    }

    /// A take with nothing in it can't take the place of the live recording.
    pub(super) fn keep_take(&mut self) {
        match &self.work {
            Work::Recording(Recording { number, take: Some(audio), .. }) if !audio.0.is_empty() => {
                let action = Action::KeepRecording { number: *number, audio: audio.clone() };
                self.ask(action, Place::Menu(&REVIEW), Self::take_kept);
            }
            _ => self.stay("take-silent"),
        }
    }

    fn take_kept(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => {
                self.drop_take();
                self.changed(Place::Menu(&RECORDING), "recording-saved", *change);
            }
            reply => self.recording_refused(reply),
        }
    }

    pub(super) fn discard_take(&mut self) {
        match &self.work {
            Work::Recording(Recording { number, has_draft: true, .. }) => {
                let action = Action::DiscardDraft { number: *number };
                self.ask(action, Place::Menu(&REVIEW), Self::draft_discarded);
            }
            _ => self.take_discarded(),
        }
    }

    fn draft_discarded(&mut self, reply: &Reply) {
        match reply {
            Reply::Done | Reply::Changed(_) | Reply::Refused(Refusal::Unknown | Refusal::NothingThere) => {
                self.take_discarded();
            }
            _ => self.failed(),
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
        self.drop_take();
        self.go(Place::Menu(&RECORDING), words);
    }

    /// Keeps a take that nobody has decided about, unless it is being decided about now.
    pub(super) fn save_draft(&mut self) {
        if matches!(self.phase, Phase::Asking(_)) {
            return;
        }
        if let Work::Recording(Recording { number, take: Some(audio), take_is_draft: false, .. }) = &self.work
            && !audio.0.is_empty()
        {
            let action = Action::SaveDraft { number: *number, audio: audio.clone() };
            self.tell(action);
        }
    }

    fn take_in_hand(&mut self, audio: Audio) {
        if let Work::Recording(recording) = &mut self.work {
            recording.take = Some(audio);
            recording.take_is_draft = false;
        }
    }

    fn drop_take(&mut self) {
        if let Work::Recording(recording) = &mut self.work {
            recording.take = None;
            recording.take_is_draft = false;
            recording.has_draft = false;
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
