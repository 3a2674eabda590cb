//! Recording: `record-after-beep`, the beep, the take.

use crate::menu::speech::Words;
use crate::menu::{Output, Ticket};
use crate::model::{Key, Take};

use super::{Dialogue, Phase};

/// How far a recording has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// `record-after-beep` is playing.
    Prompt,
    /// The beep is playing.
    Beep,
    /// The caller is being recorded.
    Running,
    /// The recording was ended; its take is on the way.
    Ending,
}

impl Dialogue {
    pub(super) fn start_recorder(&mut self) {
        self.ahead.clear();
        self.timer = None;
        self.phase = Phase::Recording(Stage::Prompt, self.play("record-after-beep".into()));
    }

    pub(super) fn recorder_played(&mut self, stage: Stage) {
        match stage {
            Stage::Prompt => self.beep(),
            Stage::Beep => {
                let ticket = self.next_ticket();
                self.outputs.push_back(Output::Record(ticket));
                self.phase = Phase::Recording(Stage::Running, ticket);
            }
            Stage::Running | Stage::Ending => {}
        }
    }

    pub(super) fn key_while_recording(&mut self, stage: Stage, key: Key) {
        match (stage, key) {
            (Stage::Prompt | Stage::Beep, Key::Star) => {
                self.outputs.push_back(Output::StopPlaying);
                self.leave_recorder(Words::none());
            }
            (Stage::Prompt, Key::Digit(_) | Key::Pound) => {
                self.outputs.push_back(Output::StopPlaying);
                self.beep();
            }
            (Stage::Running, Key::Star) => {
                self.outputs.push_back(Output::AbandonRecording);
                self.leave_recorder(Words::from("recording-discarded"));
            }
            (Stage::Running, Key::Pound) => {
                self.outputs.push_back(Output::EndRecording);
                if let Phase::Recording(stage, _) = &mut self.phase {
                    *stage = Stage::Ending;
                }
            }
            // The beep is too short to be cut, and a digit ends no recording.
            (Stage::Beep, Key::Digit(_) | Key::Pound) | (Stage::Running, Key::Digit(_)) | (Stage::Ending, _) => {}
        }
    }

    pub(super) fn recorded(&mut self, ticket: Ticket, take: Take) {
        match self.phase {
            Phase::Recording(Stage::Running | Stage::Ending, running) if running == ticket => {
                if self.time_is_up {
                    self.review_cut_short(take);
                    self.close(Words::none());
                } else {
                    self.review_take(take);
                }
            }
            // The take of a recording that was dropped.
            _ => {}
        }
    }

    /// The caller has gone; what was recorded or is in review is kept as a draft.
    pub(super) fn hung_up(&mut self, take: Option<Take>) {
        if let (Phase::Recording(Stage::Running | Stage::Ending, _), Some(take)) = (self.phase, take) {
            self.review_cut_short(take);
        }
        self.save_draft();
        self.forget();
        self.phase = Phase::Over;
    }

    fn beep(&mut self) {
        self.ahead.clear();
        self.phase = Phase::Recording(Stage::Beep, self.play("beep".into()));
    }
}
