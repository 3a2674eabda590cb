//! What all numbered things have in common: the question for a number, the list, going through what is only heard.

use crate::menu::entry::Digits;

use super::ATTENDANT_RECORDING;
use super::{
    ATTENDANTS, Answer, CALL_CENTER, Function, GROUP, Goes, HANDSETS, MENU_ABOUT, Menu, NETWORK, Place, Question,
    RECORDING, RECORDING_NUMBER, REVIEW, ROLE, TRUNK, USER_EXTENSION, at, back, menu, question, unsaid,
};
use crate::access::ItemKind;

/// What a key does in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// Asks for the number of a thing of this kind.
    Ask(ItemKind),
    /// Leaves that question.
    LeaveNumber,
    /// Takes what the list is at.
    Choose,
    /// Goes on in what can be chosen.
    Next,
    /// Goes on in what is only heard.
    HearNext,
    /// Leaves what can be chosen.
    Leave,
    /// Leaves what is only heard.
    LeaveHeard,
}

impl Lists {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Lists::Ask(_) => vec![at(&ITEM_NUMBER)],
            Lists::LeaveNumber => vec![menu(&ATTENDANTS), menu(&NETWORK)],
            Lists::Choose => vec![
                at(&RECORDING_NUMBER),
                menu(&RECORDING),
                menu(&REVIEW),
                at(&ITEM_NUMBER),
                at(&ATTENDANT_RECORDING),
                menu(&GROUP),
                menu(&CALL_CENTER),
                menu(&TRUNK),
                menu(&HANDSETS),
                at(&USER_EXTENSION),
            ],
            Lists::Next | Lists::Leave => vec![at(&RECORDING_NUMBER), at(&ITEM_NUMBER), menu(&HANDSETS)],
            Lists::HearNext | Lists::LeaveHeard => vec![menu(&GROUP), menu(&HANDSETS), menu(&ROLE)],
        }
    }
}

/// The number of an attendant, a hunt group, a call center, a line, a gateway or a proxy.
pub static ITEM_NUMBER: Question = Question {
    empty: true,
    ..question("item-enter-number", Digits::Number, Answer::ItemNumber, lists(Lists::LeaveNumber))
};

/// A list, one thing at a time, of which one is chosen.
pub static LIST: Menu = Menu {
    clip: "list-menu",
    choices: &[
        unsaid('1', "list-choose", "Choose it", lists(Lists::Choose)),
        unsaid('#', "list-next", "The next one", lists(Lists::Next)),
        back(lists(Lists::Leave)),
    ],
    ..MENU_ABOUT
};

/// What is heard one by one.
pub static BROWSE: Menu = Menu {
    clip: "browse-menu",
    choices: &[unsaid('#', "browse-next", "The next one", lists(Lists::HearNext)), back(lists(Lists::LeaveHeard))],
    ..MENU_ABOUT
};

const fn lists(function: Lists) -> Goes {
    Goes::Do(Function::Lists(function))
}
