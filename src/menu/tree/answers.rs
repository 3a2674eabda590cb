//! What becomes of the digits that are keyed.

use super::{
    ATTENDANT_RECORDING, CALL_CENTER, CHANGE_NUMBER, CHANGES, CONFIRM, COUNTDOWN, CURRENT_PIN, ENTER_EXTENSION,
    ENTER_EXTENSION_OR_POUND, ENTER_PIN, EXTENSION_FREE, GROUP, ITEM_NUMBER, KEEP_FORWARD, LIST, MAIN, MAINTENANCE,
    MODE, MY, NEW_PIN, NEW_SUPPORT_PIN, NEW_VOICEMAIL_PIN, PIN_AGAIN, Place, REBOOT, RECORDING, REVIEW, ROLE,
    ROLE_EXTENSION, SUPPORT_PIN, TRUNK, USER, USER_EXTENSION, at, menu,
};

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
    /// The number that calls are to be forwarded to.
    ForwardNumber,
    /// The number of a recording.
    RecordingNumber,
    /// The extension of a user.
    UserExtension,
    /// The number of an attendant, a group, a call center, a line, a gateway or a proxy.
    ItemNumber,
    /// For how many hours a mode is to hold.
    Hours,
    /// The recording that an auto attendant is to play.
    AttendantRecording,
    /// The extension of a member of a hunt group.
    Member,
    /// The extension whose support PIN is to be verified.
    SupportExtension,
    /// That support PIN.
    SupportPin,
    /// The extension of someone who is to hold a role, or no longer.
    RoleExtension,
    /// The number of a change that is to be undone.
    ChangeNumber,
    /// One's own PIN, which confirms something destructive.
    Confirm,
}

impl Answer {
    /// The places that may come next, besides the question itself and the top menu where a right is gone.
    pub fn opens(self) -> Vec<Place> {
        match self {
            Answer::LoginExtension => vec![at(&ENTER_PIN)],
            Answer::LoginPin => {
                vec![at(&ENTER_EXTENSION), at(&ENTER_EXTENSION_OR_POUND), at(&NEW_PIN), menu(&MAIN), menu(&MY)]
            }
            Answer::CurrentPin => vec![at(&NEW_PIN)],
            Answer::NewPin => vec![at(&PIN_AGAIN)],
            Answer::PinAgain => vec![
                at(&NEW_PIN),
                at(&NEW_VOICEMAIL_PIN),
                at(&NEW_SUPPORT_PIN),
                at(&CURRENT_PIN),
                menu(&MAIN),
                menu(&MY),
            ],
            Answer::ForwardNumber => vec![menu(&KEEP_FORWARD)],
            Answer::RecordingNumber => vec![menu(&RECORDING), menu(&REVIEW), menu(&LIST), menu(&MAIN)],
            Answer::UserExtension => vec![menu(&USER), menu(&EXTENSION_FREE)],
            Answer::ItemNumber => {
                vec![menu(&LIST), at(&ATTENDANT_RECORDING), menu(&GROUP), menu(&CALL_CENTER), menu(&TRUNK)]
            }
            Answer::Hours => vec![menu(&MODE)],
            Answer::AttendantRecording => vec![at(&ITEM_NUMBER)],
            Answer::Member => vec![menu(&GROUP), at(&ITEM_NUMBER)],
            Answer::SupportExtension => vec![at(&SUPPORT_PIN)],
            Answer::SupportPin => vec![menu(&MAINTENANCE)],
            Answer::RoleExtension => vec![at(&CONFIRM), menu(&ROLE)],
            Answer::ChangeNumber => vec![at(&CONFIRM), menu(&CHANGES)],
            Answer::Confirm => vec![
                menu(&COUNTDOWN),
                menu(&REBOOT),
                menu(&USER),
                at(&USER_EXTENSION),
                menu(&TRUNK),
                at(&ITEM_NUMBER),
                menu(&ROLE),
                at(&ROLE_EXTENSION),
                menu(&CHANGES),
                at(&CHANGE_NUMBER),
            ],
        }
    }
}
