//! Why the shell is refused, in words that say what to do.

use super::{NAME_CHARS_MAX, RECORDING_NUMBER_MAX};
use crate::model::{ChangeNumber, Extension, Mac, RecordingNumber};
use crate::store::error::StoreError;
use crate::store::policy::{PinFault, ROLE_PIN_DIGITS_MIN};
use crate::store::system::SystemError;

/// Why the shell was refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The store can't.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The phone system's things.
    #[error(transparent)]
    System(SystemError),
    /// No such site.
    #[error("there is no site `{site}`, the store has {known}: name one of these with --site")]
    UnknownSite {
        /// The name that was given.
        site: String,
        /// The names that there are.
        known: String,
    },
    /// No such extension.
    #[error("there is no extension {0}: see which there are with `switchhook user list`")]
    UnknownExtension(Extension),
    /// No such recording.
    #[error("there is no recording {}: see which there are with `switchhook recording list`", .0.0)]
    UnknownRecording(RecordingNumber),
    /// No such version, or its audio is no longer kept.
    #[error("recording {} has no such version to go back to: see `switchhook recording history {}`", .0.0, .0.0)]
    NoSuchVersion(RecordingNumber),
    /// The extension has an account already.
    #[error("extension {0} has an account already")]
    ExtensionTaken(Extension),
    /// The username belongs to another account, perhaps at another site.
    #[error("the username `{0}` is taken: usernames are unique over all sites; give another with --username")]
    UsernameTaken(String),
    /// There is a recording of that number already.
    #[error("recording {} exists already: give it new audio with `switchhook recording import`", .0.0)]
    RecordingTaken(RecordingNumber),
    /// The number of a recording is out of range.
    #[error("a recording's number is 1 to {RECORDING_NUMBER_MAX}")]
    BadRecordingNumber,
    /// A name that is too long or holds control characters.
    #[error("the {0} must have 1 to {NAME_CHARS_MAX} characters and no control characters")]
    BadName(&'static str),
    /// There must always be one.
    #[error("{0} is the last enabled Server Administrator: give the role to another account first")]
    LastServerAdministrator(Extension),
    /// The PIN policy. (No source: its text is said once.)
    #[error("{0}; nothing was changed")]
    Pin(PinFault),
    /// Who holds a role needs a longer account PIN than the present one.
    #[error(
        "{0} has a PIN shorter than {ROLE_PIN_DIGITS_MIN} digits: set a longer one first (user set-pin); nothing was changed"
    )]
    PinTooShortForRole(Extension),
    /// Nothing to import.
    #[error("the audio is empty: nothing was changed; record it again")]
    EmptyAudio,
    /// There is a site of that name already.
    #[error("there is a site `{0}` already")]
    SiteTaken(String),
    /// A site's name leaves no room for an extension before it.
    #[error("a site's name has at most {0} characters, so that EXT@SITE can be a username")]
    SiteNameTooLong(usize),
    /// The toll policy.
    #[error(
        "{extension} must not be forwarded to {to}: it is the extension itself, or [forwarding] in the configuration does not allow it"
    )]
    ForwardNotAllowed {
        /// Whose calls.
        extension: Extension,
        /// Where to.
        to: String,
    },
    /// No such handset.
    #[error("there is no handset {0}: see which there are with `switchhook handset list`")]
    UnknownHandset(Mac),
    /// There is such a handset already.
    #[error("there is a handset {0} already")]
    HandsetTaken(Mac),
    /// The handset is another account's.
    #[error("handset {mac} is that of {extension} at `{site}`: take it away first (handset remove)")]
    HandsetAssigned {
        /// The handset.
        mac: Mac,
        /// Whose it is.
        extension: Extension,
        /// Of which site.
        site: String,
    },
    /// One line of an import is wrong, so nothing was imported.
    #[error("line {line}: {why}")]
    ImportLine {
        /// The line of the file.
        line: u64,
        /// What is wrong.
        why: Box<AdminError>,
    },
    /// More users than one import takes.
    #[error("an import takes at most {0} users: split the file; nothing was changed")]
    ImportTooLong(usize),
    /// No such change.
    #[error("there is no change {}: see which there are with `switchhook change list`", .0.0)]
    UnknownChange(ChangeNumber),
    /// It can't be put back.
    #[error("change {} can't be undone: a change of its kind has no way back, or what was there is no longer kept", .0.0)]
    CannotUndo(ChangeNumber),
    /// Something else has changed it again.
    #[error("what change {} made has been changed again since: nothing was changed", .0.0)]
    ChangedSince(ChangeNumber),
    /// It was undone already.
    #[error("change {} was undone already", .0.0)]
    AlreadyUndone(ChangeNumber),
    /// Undoing it is refused.
    #[error("change {} is not undone: {why}", .number.0)]
    UndoRefused {
        /// The change.
        number: ChangeNumber,
        /// Why.
        why: &'static str,
    },
}

impl From<PinFault> for AdminError {
    fn from(fault: PinFault) -> Self {
        AdminError::Pin(fault)
    }
}

impl From<sqlx::Error> for AdminError {
    fn from(error: sqlx::Error) -> Self {
        AdminError::Store(error.into())
    }
}
