//! The menu as constant data: what is said where, which key does what, and who may press it.
//!
//! The dialogue runs on this data; help, the drawings of [`render`] and the walk of the tests are made from it too.
//! A branch is added by its [`Menu`]s and [`Question`]s in `places.rs` and a small function for each [`Function`]
//! and [`Answer`].

mod places;
mod render;

pub use places::{
    CONFIRM, COUNTDOWN, CURRENT_PIN, ENTER_EXTENSION, ENTER_EXTENSION_OR_POUND, ENTER_PIN, MAIN, MAINTENANCE, MY,
    NEW_PIN, NEW_VOICEMAIL_PIN, PIN_AGAIN, REBOOT, RECORDING, RECORDING_LIST, RECORDING_NUMBER, REVIEW, TEMPORARY_PIN,
    USER, USER_EXTENSION,
};
pub use places::{MENUS, QUESTIONS, SAID};
pub use render::{Format, render};

use std::fmt;

use crate::access::{Permission, Permissions};
use crate::model::{Clip, Key};

use super::entry::Digits;
use super::speech;

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
    /// What the caller must be allowed; `None`: whoever got here, but to a menu only where one of its choices is left.
    pub needs: Option<Permission>,
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

/// What a key can do besides leading to another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Asks for the extension (again).
    AskExtension,
    /// Begins to change one's voicemail PIN.
    ChangeVoicemailPin,
    /// Begins to change one's account PIN.
    ChangeAccountPin,
    /// Leaves the entry of a new account PIN: for the present one, or for good where it was temporary.
    LeaveNewPin,
    /// Leaves the second entry of a new PIN for the first.
    LeavePinAgain,
    /// Opens the recording that the list is at.
    ChooseRecording,
    /// Goes on in the list.
    NextRecording,
    /// Plays the live version.
    ListenRecording,
    /// Records a new version.
    RecordRecording,
    /// Puts the previous version back.
    RestorePrevious,
    /// Puts the factory version back.
    RestoreFactory,
    /// Says who changed it last.
    WhoChangedRecording,
    /// Plays the take.
    PlayTake,
    /// Makes the take the live version.
    KeepTake,
    /// Records again.
    RecordAgain,
    /// Throws the take away.
    DiscardTake,
    /// Makes a temporary voicemail PIN for a user.
    ResetVoicemailPin,
    /// Says the temporary PIN again.
    RepeatTemporaryPin,
    /// Goes on after a temporary PIN.
    LeaveTemporaryPin,
    /// Opens the reboot menu.
    AskReboot,
    /// Reboots at once, once confirmed.
    RebootNow,
    /// Reboots when no call is left, once confirmed.
    RebootWhenIdle,
    /// Cancels a reboot.
    CancelReboot,
    /// Leaves a confirmation without confirming.
    LeaveConfirm,
}

/// What becomes of the digits of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The extension to log in with.
    LoginExtension,
    /// The PIN to log in with.
    LoginPin,
    /// One's present account PIN, before a new one.
    CurrentPin,
    /// A new PIN.
    NewPin,
    /// The new PIN again.
    PinAgain,
    /// The number of a recording.
    RecordingNumber,
    /// The extension of a user.
    UserExtension,
    /// One's own PIN, which confirms something destructive.
    Confirm,
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

    /// What is said on arrival to someone who may do this much.
    pub fn prompt(self, granted: Permissions) -> Vec<Clip> {
        let choices = match self {
            Place::Menu(menu) => menu.choices,
            Place::Question(_) => &[],
        };
        let said = choices.iter().filter(|choice| choice.said && choice.allowed(granted));
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
        match (self.needs, self.goes) {
            (Some(permission), _) => granted.has(permission),
            (None, Goes::To(Place::Menu(menu))) => {
                // A menu in which nothing is left but the way back is no choice.
                menu.choices.iter().any(|choice| choice.needs.is_some() && choice.allowed(granted))
            }
            (None, Goes::To(Place::Question(_)) | Goes::Main | Goes::Goodbye | Goes::Do(_)) => true,
        }
    }
}

impl Goes {
    /// The places that may come next, besides the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Goes::To(place) => vec![place],
            Goes::Main => vec![Place::Menu(&MAIN)],
            Goes::Goodbye => Vec::new(),
            Goes::Do(function) => function.opens().to_vec(),
        }
    }
}

/// Every clip that the dialogue can ask for, speech included; each once, sorted.
pub fn clips() -> Vec<Clip> {
    let places = Place::all().flat_map(|place| place.prompt(Permission::ALL.into_iter().collect()));
    let mut clips: Vec<Clip> = places.chain(SAID.iter().copied()).chain(speech::en::clips()).collect();
    clips.sort_unstable();
    clips.dedup();
    clips
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
