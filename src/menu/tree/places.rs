//! The menus and questions themselves; VOICE-MENU.md is their specification.

use crate::access::Permission;
use crate::access::Permission::{Own, RebootRun, RecordingsChange, UsersManage};
use crate::menu::entry::Digits;
use crate::model::{Clip, Key};

use super::{Answer, Choice, Function, Goes, Menu, Place, Question};

/// All menus, the top ones first.
pub static MENUS: [&Menu; 10] =
    [&MAIN, &MY, &RECORDING_LIST, &RECORDING, &REVIEW, &USER, &TEMPORARY_PIN, &MAINTENANCE, &REBOOT, &COUNTDOWN];

/// All questions, in the order in which a caller meets them.
pub static QUESTIONS: [&Question; 10] = [
    &ENTER_EXTENSION,
    &ENTER_EXTENSION_OR_POUND,
    &ENTER_PIN,
    &NEW_PIN,
    &NEW_VOICEMAIL_PIN,
    &PIN_AGAIN,
    &CURRENT_PIN,
    &RECORDING_NUMBER,
    &USER_EXTENSION,
    &CONFIRM,
];

/// The login's first question.
pub static ENTER_EXTENSION: Question = login_extension("enter-extension", false, ask(&ENTER_EXTENSION));

/// The login's first question to a caller whose extension a trusted peer gave: a bare `#` takes that.
pub static ENTER_EXTENSION_OR_POUND: Question =
    login_extension("enter-extension-or-pound", true, ask(&ENTER_EXTENSION_OR_POUND));

/// The login's second question; a bare `#`, as after `1000##`, costs no try.
pub static ENTER_PIN: Question = Question {
    clip: "enter-pin",
    digits: Digits::Pin,
    empty: false,
    destructive: false,
    in_hand: true,
    answer: Answer::LoginPin,
    back: Goes::Do(Function::AskExtension),
};

/// A new account PIN, in place of a temporary one or of the present one.
pub static NEW_PIN: Question = new_pin("enter-new-pin", Goes::Do(Function::LeaveNewPin));

/// A new voicemail PIN.
pub static NEW_VOICEMAIL_PIN: Question = new_pin("enter-new-voicemail-pin", to(&MY));

/// The new PIN again.
pub static PIN_AGAIN: Question = Question {
    clip: "enter-again",
    digits: Digits::Pin,
    empty: true,
    destructive: false,
    in_hand: true,
    answer: Answer::PinAgain,
    back: Goes::Do(Function::LeavePinAgain),
};

/// One's present account PIN, before it is changed.
pub static CURRENT_PIN: Question = Question {
    clip: "enter-current-pin",
    digits: Digits::Pin,
    empty: true,
    destructive: false,
    in_hand: true,
    answer: Answer::CurrentPin,
    back: Goes::To(Place::Menu(&MY)),
};

/// The main menu.
pub static MAIN: Menu = Menu {
    clip: "main-menu",
    choices: &[
        choice('1', "main-my-settings", "My settings", None, to(&MY)),
        choice('2', "main-recordings", "System recordings", Some(RecordingsChange), ask(&RECORDING_NUMBER)),
        choice('3', "main-users", "Users and extensions", Some(UsersManage), ask(&USER_EXTENSION)),
        choice('6', "main-maintenance", "Maintenance", None, to(&MAINTENANCE)),
        unsaid('*', "hang-up", "Goodbye", Goes::Goodbye),
    ],
    help: true,
    in_hand: false,
};

/// 1 My settings: the top menu of someone with no role.
pub static MY: Menu = Menu {
    clip: "my-menu",
    choices: &[
        choice('1', "my-voicemail-pin", "Voicemail PIN", Some(Own), Goes::Do(Function::ChangeVoicemailPin)),
        choice('5', "my-account-pin", "Account PIN", Some(Own), Goes::Do(Function::ChangeAccountPin)),
        back(Goes::Main),
    ],
    help: true,
    in_hand: false,
};

/// 2 System recordings: which one?
pub static RECORDING_NUMBER: Question = Question {
    clip: "recordings-enter-number",
    digits: Digits::Number,
    empty: true,
    destructive: false,
    in_hand: false,
    answer: Answer::RecordingNumber,
    back: Goes::Main,
};

/// The list of recordings, one at a time.
pub static RECORDING_LIST: Menu = Menu {
    clip: "recording-list-menu",
    choices: &[
        unsaid('1', "recording-list-choose", "Choose it", Goes::Do(Function::ChooseRecording)),
        unsaid('#', "recording-list-next", "The next one", Goes::Do(Function::NextRecording)),
        back(ask(&RECORDING_NUMBER)),
    ],
    help: true,
    in_hand: true,
};

/// One recording.
pub static RECORDING: Menu = Menu {
    clip: "recording-menu",
    choices: &[
        choice('1', "recording-listen", "Listen", None, Goes::Do(Function::ListenRecording)),
        choice('2', "recording-record", "Record a new one", None, Goes::Do(Function::RecordRecording)),
        choice('3', "recording-previous", "Back to the previous version", None, Goes::Do(Function::RestorePrevious)),
        choice('4', "recording-factory", "Back to the factory version", None, Goes::Do(Function::RestoreFactory)),
        choice('5', "recording-who", "Who changed it last", None, Goes::Do(Function::WhoChangedRecording)),
        back(ask(&RECORDING_NUMBER)),
    ],
    help: true,
    in_hand: true,
};

/// What is to become of a take or a draft.
pub static REVIEW: Menu = Menu {
    clip: "review-menu",
    choices: &[
        choice('1', "review-play", "Play it", None, Goes::Do(Function::PlayTake)),
        choice('2', "review-keep", "Keep it", None, Goes::Do(Function::KeepTake)),
        choice('3', "review-again", "Record again", None, Goes::Do(Function::RecordAgain)),
        choice('*', "review-discard", "Discard it", None, Goes::Do(Function::DiscardTake)),
    ],
    help: false,
    in_hand: true,
};

/// 3 Users and extensions: whose?
pub static USER_EXTENSION: Question = Question {
    clip: "users-enter-extension",
    digits: Digits::Extension,
    empty: false,
    destructive: false,
    in_hand: false,
    answer: Answer::UserExtension,
    back: Goes::Main,
};

/// One user.
pub static USER: Menu = Menu {
    clip: "user-menu",
    choices: &[
        choice('1', "user-voicemail-pin", "Reset the voicemail PIN", None, Goes::Do(Function::ResetVoicemailPin)),
        back(ask(&USER_EXTENSION)),
    ],
    help: true,
    in_hand: true,
};

/// After a temporary PIN was said.
pub static TEMPORARY_PIN: Menu = Menu {
    clip: "temporary-pin-menu",
    choices: &[
        unsaid('1', "temporary-pin-again", "Hear it again", Goes::Do(Function::RepeatTemporaryPin)),
        unsaid('#', "temporary-pin-go-on", "Go on", Goes::Do(Function::LeaveTemporaryPin)),
        back(Goes::Do(Function::LeaveTemporaryPin)),
    ],
    help: true,
    in_hand: true,
};

/// 6 Maintenance.
pub static MAINTENANCE: Menu = Menu {
    clip: "maintenance-menu",
    choices: &[
        choice('3', "maintenance-reboot", "Reboot", Some(RebootRun), Goes::Do(Function::AskReboot)),
        back(Goes::Main),
    ],
    help: true,
    in_hand: false,
};

/// When to reboot.
pub static REBOOT: Menu = Menu {
    clip: "reboot-menu",
    choices: &[
        choice('1', "reboot-now", "Now", None, Goes::Do(Function::RebootNow)),
        choice('2', "reboot-when-idle", "When no call is left", None, Goes::Do(Function::RebootWhenIdle)),
        choice('3', "reboot-cancel", "Cancel a waiting one", None, Goes::Do(Function::CancelReboot)),
        back(to(&MAINTENANCE)),
    ],
    help: true,
    in_hand: true,
};

/// Until the reboot starts.
pub static COUNTDOWN: Menu = Menu {
    clip: "press-star-to-cancel",
    choices: &[unsaid('*', "reboot-countdown-cancel", "Cancel the reboot", Goes::Do(Function::CancelReboot))],
    help: true,
    in_hand: true,
};

/// One's own PIN again, after something destructive was read back.
pub static CONFIRM: Question = Question {
    clip: "confirm-with-pin",
    digits: Digits::Pin,
    empty: true,
    destructive: true,
    in_hand: true,
    answer: Answer::Confirm,
    back: Goes::Do(Function::LeaveConfirm),
};

/// What is said besides prompts and composed speech: greetings, results, reasons.
pub static SAID: &[Clip] = &[
    "account-pin-changed",
    "beep",
    "change-number",
    "draft-waiting",
    "end-of-list",
    "extension-free",
    "extension-is",
    "failed-try-later",
    "goodbye",
    "invalid-key",
    "logged-in",
    "login-failed",
    "menu-help",
    "news-backup-done",
    "news-backup-failed",
    "news-reboot-done",
    "news-reboot-failed",
    "news-reboot-unknown",
    "no-longer-allowed",
    "not-allowed-for-this-account",
    "nothing-changed",
    "pin-must-change",
    "pin-too-long",
    "pin-too-short",
    "pin-too-simple",
    "pin-used-before",
    "pin-wrong",
    "pins-differ",
    "reboot-already-waiting",
    "reboot-cancelled",
    "reboot-in",
    "reboot-is-waiting",
    "reboot-no-other-calls",
    "reboot-none-waiting",
    "reboot-now-confirm",
    "reboot-one-other-call",
    "reboot-other-calls",
    "reboot-waiting",
    "reboot-when-idle-confirm",
    "record-after-beep",
    "recording-changed-by",
    "recording-changed-by-shell",
    "recording-discarded",
    "recording-empty",
    "recording-is-changed",
    "recording-is-factory",
    "recording-never-changed",
    "recording-nothing-older",
    "recording-number",
    "recording-restored",
    "recording-saved",
    "recording-unknown",
    "recordings-none",
    "seconds",
    "take-clipped",
    "take-silent",
    "take-too-quiet",
    "take-too-short",
    "temporary-pin-is",
    "user-state-disabled",
    "user-state-enabled",
    "user-state-locked",
    "voicemail-pin-changed",
    "voicemail-pin-reset",
    "welcome",
];

impl Function {
    /// The places that may come next, besides the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Function::AskExtension => vec![at(&ENTER_EXTENSION), at(&ENTER_EXTENSION_OR_POUND)],
            Function::ChangeVoicemailPin => vec![at(&NEW_VOICEMAIL_PIN)],
            Function::ChangeAccountPin => vec![at(&CURRENT_PIN)],
            Function::LeaveNewPin => vec![at(&CURRENT_PIN)],
            Function::LeavePinAgain => vec![at(&NEW_PIN), at(&NEW_VOICEMAIL_PIN)],
            Function::ChooseRecording | Function::KeepTake => {
                vec![menu(&RECORDING), menu(&REVIEW), at(&RECORDING_NUMBER)]
            }
            Function::NextRecording => vec![menu(&RECORDING_LIST), at(&RECORDING_NUMBER)],
            Function::ListenRecording
            | Function::RestorePrevious
            | Function::RestoreFactory
            | Function::WhoChangedRecording => vec![menu(&RECORDING), at(&RECORDING_NUMBER)],
            Function::RecordRecording | Function::DiscardTake => vec![menu(&RECORDING), menu(&REVIEW)],
            Function::PlayTake | Function::RecordAgain => vec![menu(&REVIEW)],
            Function::ResetVoicemailPin => vec![menu(&TEMPORARY_PIN), menu(&USER), at(&USER_EXTENSION)],
            Function::RepeatTemporaryPin => vec![menu(&TEMPORARY_PIN)],
            Function::LeaveTemporaryPin => vec![menu(&USER)],
            Function::AskReboot => vec![menu(&REBOOT), menu(&MAINTENANCE)],
            Function::RebootNow | Function::RebootWhenIdle => vec![at(&CONFIRM)],
            Function::CancelReboot | Function::LeaveConfirm => vec![menu(&REBOOT)],
        }
    }
}

impl Answer {
    /// The places that may come next, besides the question itself and the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Answer::LoginExtension => vec![at(&ENTER_PIN)],
            Answer::LoginPin => {
                let mut places = Function::AskExtension.opens();
                places.extend([at(&NEW_PIN), menu(&MAIN), menu(&MY)]);
                places
            }
            Answer::CurrentPin => vec![at(&NEW_PIN)],
            Answer::NewPin => vec![at(&PIN_AGAIN)],
            Answer::PinAgain => {
                vec![at(&NEW_PIN), at(&NEW_VOICEMAIL_PIN), at(&CURRENT_PIN), menu(&MAIN), menu(&MY)]
            }
            Answer::RecordingNumber => vec![menu(&RECORDING), menu(&REVIEW), menu(&RECORDING_LIST), menu(&MAIN)],
            Answer::UserExtension => vec![menu(&USER)],
            Answer::Confirm => vec![menu(&COUNTDOWN), menu(&REBOOT)],
        }
    }
}

fn menu(menu: &'static Menu) -> Place {
    Place::Menu(menu)
}

fn at(question: &'static Question) -> Place {
    Place::Question(question)
}

const fn choice(key: char, name: Clip, title: &'static str, needs: Option<Permission>, goes: Goes) -> Choice {
    Choice { key: key_of(key), name, said: true, title, needs, goes }
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

const fn login_extension(clip: Clip, empty: bool, back: Goes) -> Question {
    Question {
        clip,
        digits: Digits::Extension,
        empty,
        destructive: false,
        in_hand: false,
        answer: Answer::LoginExtension,
        back,
    }
}

const fn new_pin(clip: Clip, back: Goes) -> Question {
    Question { clip, digits: Digits::Pin, empty: true, destructive: false, in_hand: true, answer: Answer::NewPin, back }
}

const fn key_of(character: char) -> Key {
    match character {
        '*' => Key::Star,
        '#' => Key::Pound,
        digit => Key::Digit(digit as u8 - b'0'),
    }
}
