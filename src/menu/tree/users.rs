//! 3 Users and extensions.

use crate::menu::entry::Digits;

use super::{
    Answer, BROWSE, CONFIRM, Function, Goes, LIST, MENU_ABOUT, Menu, Place, Question, REVIEW, ask, at, back, choice,
    menu, question, to, unsaid,
};

/// What a key does to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    /// Adds a user with the free extension.
    Add,
    /// Makes a temporary voicemail PIN.
    ResetVoicemailPin,
    /// Makes a temporary account PIN.
    ResetAccountPin,
    /// Says the temporary PIN again.
    RepeatTemporaryPin,
    /// Goes on after a temporary PIN.
    LeaveTemporaryPin,
    /// Ends the locks of all of the user's PINs.
    Unlock,
    /// Disables the account, or enables it.
    EnableOrDisable,
    /// Opens the handsets.
    OpenHandsets,
    /// Says the handsets one by one.
    HearHandsets,
    /// Lists the handsets that can be assigned.
    AssignHandset,
    /// Lists the handsets that can be removed.
    RemoveHandset,
    /// Says where the user's calls go.
    HearForwarding,
    /// Ends all forwarding of the user.
    ForwardingOff,
    /// Records the user's name.
    RecordName,
    /// Deletes the user, once confirmed.
    Delete,
}

impl Users {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Users::Add => vec![menu(&TEMPORARY_PIN), at(&USER_EXTENSION)],
            Users::ResetVoicemailPin | Users::ResetAccountPin => vec![menu(&TEMPORARY_PIN), at(&USER_EXTENSION)],
            Users::RepeatTemporaryPin => Vec::new(),
            Users::LeaveTemporaryPin => vec![menu(&USER), menu(&USER_NAME)],
            Users::Unlock | Users::EnableOrDisable => vec![at(&USER_EXTENSION)],
            Users::OpenHandsets => vec![menu(&HANDSETS), at(&USER_EXTENSION)],
            Users::HearHandsets => vec![menu(&BROWSE), menu(&USER), at(&USER_EXTENSION)],
            Users::AssignHandset | Users::RemoveHandset => vec![menu(&LIST), menu(&USER), at(&USER_EXTENSION)],
            Users::HearForwarding => vec![menu(&USER_FORWARD), at(&USER_EXTENSION), menu(&USER)],
            Users::ForwardingOff => vec![at(&USER_EXTENSION), menu(&USER)],
            Users::RecordName => vec![menu(&REVIEW), menu(&USER), at(&USER_EXTENSION)],
            Users::Delete => vec![at(&CONFIRM), at(&USER_EXTENSION)],
        }
    }
}

/// Whose?
pub static USER_EXTENSION: Question = Question {
    in_hand: false,
    ..question("users-enter-extension", Digits::Extension, Answer::UserExtension, Goes::Main)
};

/// No one has that extension.
pub static EXTENSION_FREE: Menu = Menu {
    clip: "extension-free",
    choices: &[choice('1', "extension-free-add", "Add a user with it", users(Users::Add)), back(ask(&USER_EXTENSION))],
    ..MENU_ABOUT
};

/// One user.
pub static USER: Menu = Menu {
    clip: "user-menu",
    choices: &[
        choice('1', "user-voicemail-pin", "Reset the voicemail PIN", users(Users::ResetVoicemailPin)),
        choice('2', "user-account-pin", "Reset the account PIN", users(Users::ResetAccountPin)),
        choice('3', "user-unlock", "Unlock", users(Users::Unlock)),
        choice('4', "user-enable-or-disable", "Disable or enable", users(Users::EnableOrDisable)),
        choice('5', "user-handsets", "Handsets", users(Users::OpenHandsets)),
        choice('6', "user-forwarding", "Call forwarding", users(Users::HearForwarding)),
        choice('7', "user-name", "Record the spoken name", users(Users::RecordName)),
        choice('9', "user-delete", "Delete", users(Users::Delete)),
        back(ask(&USER_EXTENSION)),
    ],
    ..MENU_ABOUT
};

/// After a temporary PIN was said.
pub static TEMPORARY_PIN: Menu = Menu {
    clip: "temporary-pin-menu",
    choices: &[
        unsaid('1', "temporary-pin-again", "Hear it again", users(Users::RepeatTemporaryPin)),
        unsaid('#', "temporary-pin-go-on", "Go on", users(Users::LeaveTemporaryPin)),
        back(users(Users::LeaveTemporaryPin)),
    ],
    ..MENU_ABOUT
};

/// After a user was added: the spoken name can be recorded at once.
pub static USER_NAME: Menu = Menu {
    clip: "user-name-menu",
    choices: &[
        unsaid('1', "user-name-record", "Record the spoken name", users(Users::RecordName)),
        unsaid('#', "user-name-go-on", "Go on", to(&USER)),
        back(to(&USER)),
    ],
    ..MENU_ABOUT
};

/// The handsets of a user.
pub static HANDSETS: Menu = Menu {
    clip: "handset-menu",
    choices: &[
        choice('1', "handset-hear", "Hear", users(Users::HearHandsets)),
        choice('2', "handset-assign", "Assign another", users(Users::AssignHandset)),
        choice('3', "handset-remove", "Remove one", users(Users::RemoveHandset)),
        back(to(&USER)),
    ],
    ..MENU_ABOUT
};

/// The forwarding of a user.
pub static USER_FORWARD: Menu = Menu {
    clip: "user-forward-menu",
    choices: &[
        choice('1', "user-forward-hear", "Hear it again", users(Users::HearForwarding)),
        choice('2', "user-forward-turn-off", "Turn all of it off", users(Users::ForwardingOff)),
        back(to(&USER)),
    ],
    ..MENU_ABOUT
};

const fn users(function: Users) -> Goes {
    Goes::Do(Function::Users(function))
}
