//! The login, the choice of a language and the main menu.

use crate::access::{Permission, Permissions};
use crate::menu::entry::Digits;
use crate::model::{Clip, Language};

use super::{
    ATTENDANTS, Answer, CHANGES, Choice, Function, Goes, MAINTENANCE, MENU, MY, Menu, NETWORK, Place, Question,
    RECORDING_NUMBER, ROLES, USER_EXTENSION, ask, at, back, choice, menu, question, to, unsaid,
};

/// What a key does at the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Asks for the extension (again).
    AskExtension,
    /// Goes on in that language: for this call before the login, for all of one's calls after it.
    ChooseLanguage(Language),
    /// Leaves the choice of a language.
    LeaveLanguages,
}

impl Login {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Login::AskExtension => vec![at(&ENTER_EXTENSION), at(&ENTER_EXTENSION_OR_POUND)],
            Login::ChooseLanguage(_) | Login::LeaveLanguages => {
                vec![at(&ENTER_EXTENSION), at(&ENTER_EXTENSION_OR_POUND), menu(&MY)]
            }
        }
    }
}

/// The login's first question.
pub static ENTER_EXTENSION: Question = login_extension("enter-extension", false);

/// The login's first question to a caller whose extension a trusted peer gave: a bare `#` takes that.
pub static ENTER_EXTENSION_OR_POUND: Question = login_extension("enter-extension-or-pound", true);

/// The login's second question; a bare `#`, as after `1000##`, costs no try.
pub static ENTER_PIN: Question =
    question("enter-pin", Digits::Pin, Answer::LoginPin, Goes::Do(Function::Login(Login::AskExtension)));

/// In which language; its choices are spoken each in its own.
pub static LANGUAGE: Menu = Menu {
    clip: "language-menu",
    choices: &[
        language('1', "language-choose-en", "English", Language::English),
        language('2', "language-choose-es", "Spanish", Language::Spanish),
        language('3', "language-choose-fr", "French", Language::French),
        language('4', "language-choose-de", "German", Language::German),
        back(Goes::Do(Function::Login(Login::LeaveLanguages))),
    ],
    ..MENU
};

/// The main menu.
pub static MAIN: Menu = Menu {
    clip: "main-menu",
    choices: &[
        choice('1', "main-my-settings", "My settings", to(&MY)),
        choice('2', "main-recordings", "System recordings", ask(&RECORDING_NUMBER))
            .needing(Permission::RecordingsChange),
        choice('3', "main-users", "Users and extensions", ask(&USER_EXTENSION)).needing(Permission::UsersManage),
        choice('4', "main-attendants", "Attendants, groups and mode", to(&ATTENDANTS))
            .needing(Permission::AttendantsManage),
        choice('5', "main-network", "Lines and network", to(&NETWORK)).needing(Permission::NetworkManage),
        choice('6', "main-maintenance", "Maintenance", to(&MAINTENANCE)).needing_any(Permissions::MAINTENANCE),
        choice('7', "main-roles", "Roles", to(&ROLES)).needing(Permission::RolesAssign),
        choice('8', "main-changes", "Recent changes", to(&CHANGES)).needing_any(Permissions::ANY_ROLE),
        unsaid('*', "hang-up", "Goodbye", Goes::Goodbye),
    ],
    ..MENU
};

const fn login_extension(clip: Clip, empty: bool) -> Question {
    let question = question(clip, Digits::Extension, Answer::LoginExtension, to(&LANGUAGE));
    Question { empty, in_hand: false, ..question }
}

const fn language(key: char, name: Clip, title: &'static str, language: Language) -> Choice {
    choice(key, name, title, Goes::Do(Function::Login(Login::ChooseLanguage(language))))
}
