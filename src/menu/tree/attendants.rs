//! 4 Attendants, groups and mode.

use crate::access::{ItemKind, Mode};
use crate::menu::entry::Digits;

use super::{
    Answer, BROWSE, Function, Goes, ITEM_NUMBER, Lists, MENU, MENU_ABOUT, Menu, Place, Question, ask, at, back, choice,
    menu, question, to,
};

/// What a key does to the mode, an attendant, a group or a call center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendants {
    /// Opens the mode.
    OpenMode,
    /// Sets that mode, until some time.
    ChooseMode(Mode),
    /// Lets the mode follow the timetable.
    FollowTimetable,
    /// Says the members of the group one by one.
    HearMembers,
    /// Asks for a member to add.
    AddMember,
    /// Asks for a member to take out.
    RemoveMember,
    /// Opens or closes the call center.
    SetCallCenter {
        /// Whether it opens.
        open: bool,
    },
    /// Says whether the call center is open.
    HearCallCenter,
}

impl Attendants {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Attendants::OpenMode => vec![menu(&MODE)],
            Attendants::ChooseMode(_) => vec![at(&UNTIL_WHEN)],
            Attendants::FollowTimetable => Vec::new(),
            Attendants::HearMembers => vec![menu(&BROWSE), at(&ITEM_NUMBER)],
            Attendants::AddMember | Attendants::RemoveMember => vec![at(&GROUP_EXTENSION)],
            Attendants::SetCallCenter { .. } | Attendants::HearCallCenter => vec![at(&ITEM_NUMBER)],
        }
    }
}

/// Attendants, groups and mode.
pub static ATTENDANTS: Menu = Menu {
    clip: "attendants-menu",
    choices: &[
        choice('1', "attendants-mode", "Mode", attendants(Attendants::OpenMode)),
        choice('2', "attendants-attendants", "Auto attendants", items(ItemKind::Attendant)),
        choice('3', "attendants-groups", "Hunt groups", items(ItemKind::Group)),
        choice('4', "attendants-call-centers", "Call centers", items(ItemKind::CallCenter)),
        back(Goes::Main),
    ],
    ..MENU
};

/// The mode of the whole system.
pub static MODE: Menu = Menu {
    clip: "mode-menu",
    choices: &[
        choice('1', "mode-menu-day", "Day", attendants(Attendants::ChooseMode(Mode::Day))),
        choice('2', "mode-menu-night", "Night", attendants(Attendants::ChooseMode(Mode::Night))),
        choice('3', "mode-menu-holiday", "Holiday", attendants(Attendants::ChooseMode(Mode::Holiday))),
        choice('4', "mode-menu-timetable", "By the timetable", attendants(Attendants::FollowTimetable)),
        back(to(&ATTENDANTS)),
    ],
    ..MENU
};

/// For how many hours; a bare `#`: until it is changed.
pub static UNTIL_WHEN: Question =
    Question { empty: true, ..question("until-when", Digits::Number, Answer::Hours, to(&MODE)) };

/// What an auto attendant is to play.
pub static ATTENDANT_RECORDING: Question =
    question("attendant-enter-recording", Digits::Number, Answer::AttendantRecording, ask(&ITEM_NUMBER));

/// A hunt group.
pub static GROUP: Menu = Menu {
    clip: "group-menu",
    choices: &[
        choice('1', "group-hear", "Hear the members", attendants(Attendants::HearMembers)),
        choice('2', "group-add", "Add a member", attendants(Attendants::AddMember)),
        choice('3', "group-remove", "Remove a member", attendants(Attendants::RemoveMember)),
        back(ask(&ITEM_NUMBER)),
    ],
    ..MENU_ABOUT
};

/// Which member?
pub static GROUP_EXTENSION: Question = question("group-enter-extension", Digits::Extension, Answer::Member, to(&GROUP));

/// A call center.
pub static CALL_CENTER: Menu = Menu {
    clip: "callcenter-menu",
    choices: &[
        choice('1', "callcenter-open", "Open it", attendants(Attendants::SetCallCenter { open: true })),
        choice('2', "callcenter-close", "Close it", attendants(Attendants::SetCallCenter { open: false })),
        choice('3', "callcenter-hear", "Hear whether it is open", attendants(Attendants::HearCallCenter)),
        back(ask(&ITEM_NUMBER)),
    ],
    ..MENU_ABOUT
};

const fn attendants(function: Attendants) -> Goes {
    Goes::Do(Function::Attendants(function))
}

const fn items(kind: ItemKind) -> Goes {
    Goes::Do(Function::Lists(Lists::Ask(kind)))
}
