//! The menu as constant data: what is said where, which key does what, and who may press it.
//!
//! The dialogue runs on this data; help, the drawings of [`render`] and the walk of the tests are made from it too.
//! A branch is a file of [`Menu`]s, [`Question`]s and its own functions, and a file of the dialogue that does them.

mod answers;
mod attendants;
mod lists;
mod login;
mod maintenance;
mod network;
mod own;
mod recordings;
mod render;
mod roles;
mod said;
mod users;

pub use answers::Answer;
pub use attendants::{
    ATTENDANT_RECORDING, ATTENDANTS, Attendants, CALL_CENTER, GROUP, GROUP_EXTENSION, MODE, UNTIL_WHEN,
};
pub use lists::{BROWSE, ITEM_NUMBER, LIST, Lists};
pub use login::{ENTER_EXTENSION, ENTER_EXTENSION_OR_POUND, ENTER_PIN, LANGUAGE, Login, MAIN};
pub use maintenance::{
    BACKUP_WAIT, CONFIRM, COUNTDOWN, LOGGING, MAINTENANCE, Maintenance, REBOOT, SUPPORT_EXTENSION, SUPPORT_PIN,
};
pub use network::{NETWORK, Network, TRUNK};
pub use own::{
    CURRENT_PIN, FORWARD, FORWARD_KINDS, FORWARD_NUMBER, GREETING, KEEP_FORWARD, MY, NAME, NEW_PIN, NEW_SUPPORT_PIN,
    NEW_VOICEMAIL_PIN, Own, PIN_AGAIN,
};
pub use recordings::{RECORDING, RECORDING_NUMBER, REVIEW, Recordings};
pub use render::{Format, render};
pub use roles::{CHANGE_NUMBER, CHANGES, ROLE, ROLE_EXTENSION, ROLES, Roles};
pub use said::SAID;
pub use users::{EXTENSION_FREE, HANDSETS, TEMPORARY_PIN, USER, USER_EXTENSION, USER_FORWARD, USER_NAME, Users};

use std::fmt;

use crate::access::{Permission, Permissions};
use crate::model::{Clip, Key, Language};

use super::entry::Digits;
use super::speech;

/// All menus, the top ones first.
pub static MENUS: [&Menu; 32] = [
    &MAIN,
    &LANGUAGE,
    &MY,
    &FORWARD_KINDS,
    &FORWARD,
    &KEEP_FORWARD,
    &GREETING,
    &NAME,
    &LIST,
    &BROWSE,
    &RECORDING,
    &REVIEW,
    &EXTENSION_FREE,
    &USER,
    &TEMPORARY_PIN,
    &USER_NAME,
    &HANDSETS,
    &USER_FORWARD,
    &ATTENDANTS,
    &MODE,
    &GROUP,
    &CALL_CENTER,
    &NETWORK,
    &TRUNK,
    &MAINTENANCE,
    &BACKUP_WAIT,
    &REBOOT,
    &COUNTDOWN,
    &LOGGING,
    &ROLES,
    &ROLE,
    &CHANGES,
];

/// All questions, in the order in which a caller meets them.
pub static QUESTIONS: [&Question; 20] = [
    &ENTER_EXTENSION,
    &ENTER_EXTENSION_OR_POUND,
    &ENTER_PIN,
    &NEW_PIN,
    &NEW_VOICEMAIL_PIN,
    &NEW_SUPPORT_PIN,
    &PIN_AGAIN,
    &CURRENT_PIN,
    &FORWARD_NUMBER,
    &RECORDING_NUMBER,
    &USER_EXTENSION,
    &ITEM_NUMBER,
    &UNTIL_WHEN,
    &ATTENDANT_RECORDING,
    &GROUP_EXTENSION,
    &SUPPORT_EXTENSION,
    &SUPPORT_PIN,
    &ROLE_EXTENSION,
    &CHANGE_NUMBER,
    &CONFIRM,
];

/// A place where the caller is listened to; its clip is its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One key chooses.
    Menu(&'static Menu),
    /// Digits, ended by `#`.
    Question(&'static Question),
}

/// A menu: its opening clip and its choices.
pub struct Menu {
    /// What is said first; the menu's name.
    pub clip: Clip,
    /// The keys that do something, in the order in which they are said.
    pub choices: &'static [Choice],
    /// Where every other key leads, where it is not a wrong one.
    pub other_keys: Option<Goes>,
    /// Whether `0` says a line of explanation before the menu (else it only says the menu again).
    pub help: bool,
    /// Whether what was chosen or keyed before (a recording, a user, a PIN) stays in hand here.
    pub in_hand: bool,
}

/// What one key of a menu does.
pub struct Choice {
    /// The key.
    pub key: Key,
    /// The function's name, in the audit trail where it is refused; also its clip, where it has one.
    pub name: Clip,
    /// Whether the clip is said (the menu's own clip may have said it already).
    pub said: bool,
    /// What it does, for the drawings.
    pub title: &'static str,
    /// What the caller must be allowed, any one of these; `None`: whoever got here.
    pub needs: Option<Permissions>,
    /// Where it leads.
    pub goes: Goes,
}

/// Asking for digits.
pub struct Question {
    /// What is said; the question's name.
    pub clip: Clip,
    /// What kind of digits.
    pub digits: Digits,
    /// Whether a bare `#` means something (else the question is asked again).
    pub empty: bool,
    /// Whether it confirms something destructive: what was typed ahead doesn't count.
    pub destructive: bool,
    /// Whether what was chosen or keyed before stays in hand here.
    pub in_hand: bool,
    /// What becomes of the digits.
    pub answer: Answer,
    /// What `*` does before the first digit.
    pub back: Goes,
}

/// Where a key leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// To another place.
    To(Place),
    /// To the main menu; for someone whose top menu is *My settings*: goodbye.
    Main,
    /// The end of the call.
    Goodbye,
    /// Something is done first.
    Do(Function),
}

/// What a key can do besides leading to another place, by branch.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Login(Login),
    Own(Own),
    Lists(Lists),
    Recordings(Recordings),
    Users(Users),
    Attendants(Attendants),
    Network(Network),
    Maintenance(Maintenance),
    Roles(Roles),
}

impl Place {
    /// All places.
    pub fn all() -> impl Iterator<Item = Place> {
        let menus = MENUS.iter().map(|menu| Place::Menu(menu));
        menus.chain(QUESTIONS.iter().map(|question| Place::Question(question)))
    }

    /// The name: that of its clip.
    pub fn name(self) -> Clip {
        match self {
            Place::Menu(menu) => menu.clip,
            Place::Question(question) => question.clip,
        }
    }

    /// Whether what was chosen or keyed before stays in hand here.
    pub fn in_hand(self) -> bool {
        match self {
            Place::Menu(menu) => menu.in_hand,
            Place::Question(question) => question.in_hand,
        }
    }

    /// The places that may come next, besides the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Place::Menu(menu) => {
                let goes = menu.choices.iter().map(|choice| choice.goes).chain(menu.other_keys);
                goes.flat_map(Goes::opens).collect()
            }
            Place::Question(question) => [question.answer.opens(), question.back.opens()].concat(),
        }
    }

    /// What is said on arrival to someone who may do this much, where these languages are installed.
    pub fn prompt(self, granted: Permissions, installed: &[Language]) -> Vec<Clip> {
        let choices = match self {
            Place::Menu(menu) => menu.choices,
            Place::Question(_) => &[],
        };
        let said = choices.iter().filter(|choice| choice.said && choice.exists(installed) && choice.allowed(granted));
        std::iter::once(self.name()).chain(said.map(|choice| choice.name)).collect()
    }
}

impl Menu {
    /// What the key does here, whoever presses it.
    pub fn choice(&self, key: Key) -> Option<&'static Choice> {
        self.choices.iter().find(|choice| choice.key == key)
    }
}

impl Choice {
    /// Whether someone who may do this much is offered it.
    pub fn allowed(&self, granted: Permissions) -> bool {
        self.needs.is_none_or(|needs| granted.any(needs))
    }

    /// Whether there is such a choice where these languages are installed.
    pub fn exists(&self, installed: &[Language]) -> bool {
        match self.goes {
            Goes::Do(Function::Login(Login::ChooseLanguage(language))) => installed.contains(&language),
            Goes::To(_) | Goes::Main | Goes::Goodbye | Goes::Do(_) => true,
        }
    }

    const fn needing(mut self, permission: Permission) -> Self {
        self.needs = Some(Permissions::only(permission));
        self
    }

    const fn needing_any(mut self, permissions: Permissions) -> Self {
        self.needs = Some(permissions);
        self
    }
}

impl Goes {
    /// The places that may come next, besides the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Goes::To(place) => vec![place],
            Goes::Main => vec![Place::Menu(&MAIN)],
            Goes::Goodbye => Vec::new(),
            Goes::Do(function) => function.opens(),
        }
    }
}

impl Function {
    /// The places that may come next, besides the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Function::Login(function) => function.opens(),
            Function::Own(function) => function.opens(),
            Function::Lists(function) => function.opens(),
            Function::Recordings(function) => function.opens(),
            Function::Users(function) => function.opens(),
            Function::Attendants(function) => function.opens(),
            Function::Network(function) => function.opens(),
            Function::Maintenance(function) => function.opens(),
            Function::Roles(function) => function.opens(),
        }
    }
}

/// Every clip that the dialogue can ask for in that language, speech included; each once, sorted.
pub fn clips(language: Language) -> Vec<Clip> {
    let places = Place::all().flat_map(|place| place.prompt(Permissions::ALL, &Language::ALL));
    let mut clips: Vec<Clip> = places.chain(SAID.iter().copied()).chain(speech::clips(language)).collect();
    clips.sort_unstable();
    clips.dedup();
    clips
}

/// A menu that begins afresh.
const MENU: Menu = Menu { clip: "", choices: &[], other_keys: None, help: true, in_hand: false };

/// A menu about what is in hand.
const MENU_ABOUT: Menu = Menu { in_hand: true, ..MENU };

/// A question about what is in hand, to which a bare `#` is no answer.
const fn question(clip: Clip, digits: Digits, answer: Answer, back: Goes) -> Question {
    Question { clip, digits, empty: false, destructive: false, in_hand: true, answer, back }
}

const fn choice(key: char, name: Clip, title: &'static str, goes: Goes) -> Choice {
    Choice { key: key_of(key), name, said: true, title, needs: None, goes }
}

/// A choice that has no clip of its own.
const fn unsaid(key: char, name: Clip, title: &'static str, goes: Goes) -> Choice {
    Choice { key: key_of(key), name, said: false, title, needs: None, goes }
}

const fn back(goes: Goes) -> Choice {
    unsaid('*', "back", "Back", goes)
}

const fn to(menu: &'static Menu) -> Goes {
    Goes::To(Place::Menu(menu))
}

const fn ask(question: &'static Question) -> Goes {
    Goes::To(Place::Question(question))
}

fn menu(menu: &'static Menu) -> Place {
    Place::Menu(menu)
}

fn at(question: &'static Question) -> Place {
    Place::Question(question)
}

const fn key_of(character: char) -> Key {
    match character {
        '*' => Key::Star,
        '#' => Key::Pound,
        digit => Key::Digit(digit as u8 - b'0'),
    }
}

// The places refer to each other in circles, so they are compared and printed by name.

impl PartialEq for Menu {
    fn eq(&self, other: &Self) -> bool {
        self.clip == other.clip
    }
}

impl Eq for Menu {}

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        self.clip == other.clip
    }
}

impl Eq for Question {}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
