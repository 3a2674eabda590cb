//! 1 My settings.

use crate::access::{ForwardKind, OwnAudio, Permission};
use crate::menu::entry::Digits;
use crate::model::Clip;

use super::{
    Answer, Function, Goes, LANGUAGE, MENU, MENU_ABOUT, Menu, Place, Question, REVIEW, ask, at, back, choice, menu,
    question, to, unsaid,
};

/// What a key does to one's own settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Begins to change one's voicemail PIN.
    ChangeVoicemailPin,
    /// Begins to change one's account PIN.
    ChangeAccountPin,
    /// Begins to change one's support PIN.
    ChangeSupportPin,
    /// Leaves the entry of a new account PIN: for the present one, or for good where it was temporary.
    LeaveNewPin,
    /// Leaves the second entry of a new PIN for the first.
    LeavePinAgain,
    /// Opens one kind of forwarding.
    OpenForwarding(ForwardKind),
    /// Forwards to the number that was read back.
    KeepForwarding,
    /// Ends this kind of forwarding.
    ForwardingOff,
    /// Changes do not disturb over.
    ToggleDnd,
    /// Plays one's greeting or name.
    Listen(OwnAudio),
    /// Records a new one.
    Record(OwnAudio),
    /// Goes back to the previous greeting.
    RestoreGreeting,
    /// Removes the greeting.
    RemoveGreeting,
    /// Says all settings.
    HearAll,
}

impl Own {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Own::ChangeVoicemailPin => vec![at(&NEW_VOICEMAIL_PIN)],
            Own::ChangeAccountPin | Own::LeaveNewPin => vec![at(&CURRENT_PIN)],
            Own::ChangeSupportPin => vec![at(&NEW_SUPPORT_PIN)],
            Own::LeavePinAgain => vec![at(&NEW_PIN), at(&NEW_VOICEMAIL_PIN), at(&NEW_SUPPORT_PIN)],
            Own::OpenForwarding(_) => vec![menu(&FORWARD)],
            Own::KeepForwarding | Own::ForwardingOff => vec![menu(&FORWARD)],
            Own::ToggleDnd | Own::HearAll => Vec::new(),
            Own::Listen(_) | Own::RestoreGreeting | Own::RemoveGreeting => Vec::new(),
            Own::Record(_) => vec![menu(&REVIEW)],
        }
    }
}

/// The top menu of someone with no role.
pub static MY: Menu = Menu {
    clip: "my-menu",
    choices: &[
        choice('1', "my-voicemail-pin", "Voicemail PIN", own(Own::ChangeVoicemailPin)).needing(Permission::Own),
        choice('2', "my-forwarding", "Call forwarding", to(&FORWARD_KINDS)).needing(Permission::Own),
        choice('3', "my-dnd", "Do not disturb", own(Own::ToggleDnd)).needing(Permission::Own),
        choice('4', "my-greeting", "Personal greeting", to(&GREETING)).needing(Permission::Own),
        choice('5', "my-account-pin", "Account PIN", own(Own::ChangeAccountPin)).needing(Permission::Own),
        choice('6', "my-name", "Spoken name", to(&NAME)).needing(Permission::Own),
        choice('7', "my-support-pin", "Support PIN", own(Own::ChangeSupportPin)).needing(Permission::Own),
        choice('8', "my-language", "Language", to(&LANGUAGE)).needing(Permission::Own),
        choice('9', "my-hear-all", "Hear all my settings", own(Own::HearAll)).needing(Permission::Own),
        back(Goes::Main),
    ],
    ..MENU
};

/// A new account PIN, in place of a temporary one or of the present one.
pub static NEW_PIN: Question = new_pin("enter-new-pin", own(Own::LeaveNewPin));

/// A new voicemail PIN.
pub static NEW_VOICEMAIL_PIN: Question = new_pin("enter-new-voicemail-pin", to(&MY));

/// A new support PIN.
pub static NEW_SUPPORT_PIN: Question = new_pin("enter-new-support-pin", to(&MY));

/// The new PIN again.
pub static PIN_AGAIN: Question =
    Question { empty: true, ..question("enter-again", Digits::Pin, Answer::PinAgain, own(Own::LeavePinAgain)) };

/// One's present account PIN, before it is changed.
pub static CURRENT_PIN: Question =
    Question { empty: true, ..question("enter-current-pin", Digits::Pin, Answer::CurrentPin, to(&MY)) };

/// Which calls are to be forwarded.
pub static FORWARD_KINDS: Menu = Menu {
    clip: "forward-kinds-menu",
    choices: &[
        choice('1', "forward-kinds-always", "Always", own(Own::OpenForwarding(ForwardKind::Always))),
        choice('2', "forward-kinds-busy", "When busy", own(Own::OpenForwarding(ForwardKind::Busy))),
        choice('3', "forward-kinds-no-answer", "No answer", own(Own::OpenForwarding(ForwardKind::NoAnswer))),
        back(to(&MY)),
    ],
    ..MENU
};

/// One kind of forwarding.
pub static FORWARD: Menu = Menu {
    clip: "forward-menu",
    choices: &[
        choice('1', "forward-menu-set", "Forward to a number", ask(&FORWARD_NUMBER)),
        choice('2', "forward-menu-off", "Turn it off", own(Own::ForwardingOff)),
        back(to(&FORWARD_KINDS)),
    ],
    ..MENU_ABOUT
};

/// Where calls are to go.
pub static FORWARD_NUMBER: Question =
    question("enter-forward-number", Digits::PhoneNumber, Answer::ForwardNumber, to(&FORWARD));

/// After the number was read back.
pub static KEEP_FORWARD: Menu = Menu {
    clip: "press-1-to-keep",
    choices: &[unsaid('1', "forward-keep", "Keep it", own(Own::KeepForwarding)), back(ask(&FORWARD_NUMBER))],
    ..MENU_ABOUT
};

/// The personal greeting.
pub static GREETING: Menu = Menu {
    clip: "greeting-menu",
    choices: &[
        choice('1', "greeting-listen", "Listen", own(Own::Listen(OwnAudio::Greeting))),
        choice('2', "greeting-record", "Record", own(Own::Record(OwnAudio::Greeting))),
        choice('3', "greeting-previous", "Back to the previous one", own(Own::RestoreGreeting)),
        choice('4', "greeting-remove", "Remove", own(Own::RemoveGreeting)),
        back(to(&MY)),
    ],
    ..MENU
};

/// The spoken name.
pub static NAME: Menu = Menu {
    clip: "name-menu",
    choices: &[
        choice('1', "name-listen", "Listen", own(Own::Listen(OwnAudio::Name))),
        choice('2', "name-record", "Record", own(Own::Record(OwnAudio::Name))),
        back(to(&MY)),
    ],
    ..MENU
};

const fn own(function: Own) -> Goes {
    Goes::Do(Function::Own(function))
}

const fn new_pin(clip: Clip, back: Goes) -> Question {
    Question { empty: true, ..question(clip, Digits::Pin, Answer::NewPin, back) }
}
