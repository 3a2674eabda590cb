//! 2 System recordings, and the review of every take.

use crate::access::RestoreTo;
use crate::menu::entry::Digits;

use super::{
    Answer, Function, GREETING, Goes, MENU_ABOUT, Menu, NAME, Place, Question, USER, USER_EXTENSION, ask, at, back,
    choice, menu, question,
};

/// What a key does to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recordings {
    /// Plays the live version.
    Listen,
    /// Records a new version.
    Record,
    /// Puts an older version back.
    Restore(RestoreTo),
    /// Says who changed it last.
    WhoChanged,
    /// Plays the take.
    PlayTake,
    /// Makes the take the live version.
    KeepTake,
    /// Records again.
    RecordAgain,
    /// Throws the take away.
    DiscardTake,
}

impl Recordings {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Recordings::Listen | Recordings::Restore(_) | Recordings::WhoChanged => vec![at(&RECORDING_NUMBER)],
            Recordings::Record => vec![menu(&REVIEW)],
            Recordings::PlayTake | Recordings::RecordAgain => Vec::new(),
            Recordings::KeepTake => {
                let owners = [menu(&RECORDING), menu(&GREETING), menu(&NAME), menu(&USER)];
                owners.into_iter().chain([at(&RECORDING_NUMBER), at(&USER_EXTENSION)]).collect()
            }
            Recordings::DiscardTake => vec![menu(&RECORDING), menu(&GREETING), menu(&NAME), menu(&USER)],
        }
    }
}

/// Which recording?
pub static RECORDING_NUMBER: Question = Question {
    empty: true,
    in_hand: false,
    ..question("recordings-enter-number", Digits::Number, Answer::RecordingNumber, Goes::Main)
};

/// One recording.
pub static RECORDING: Menu = Menu {
    clip: "recording-menu",
    choices: &[
        choice('1', "recording-listen", "Listen", recordings(Recordings::Listen)),
        choice('2', "recording-record", "Record a new one", recordings(Recordings::Record)),
        choice('3', "recording-previous", "Back to the previous version", restore(RestoreTo::Previous)),
        choice('4', "recording-factory", "Back to the factory version", restore(RestoreTo::Factory)),
        choice('5', "recording-who", "Who changed it last", recordings(Recordings::WhoChanged)),
        back(ask(&RECORDING_NUMBER)),
    ],
    ..MENU_ABOUT
};

/// What is to become of a take or a draft.
pub static REVIEW: Menu = Menu {
    clip: "review-menu",
    choices: &[
        choice('1', "review-play", "Play it", recordings(Recordings::PlayTake)),
        choice('2', "review-keep", "Keep it", recordings(Recordings::KeepTake)),
        choice('3', "review-again", "Record again", recordings(Recordings::RecordAgain)),
        choice('*', "review-discard", "Discard it", recordings(Recordings::DiscardTake)),
    ],
    help: false,
    ..MENU_ABOUT
};

const fn recordings(function: Recordings) -> Goes {
    Goes::Do(Function::Recordings(function))
}

const fn restore(to: RestoreTo) -> Goes {
    recordings(Recordings::Restore(to))
}
